"""``python benchmarks/files.py FOLDER``: checkpoints made in place, beside the disk's own speed.

In turns, the same bytes are written to the same folder: by `fastinit.safetensors.create`, and by plain writes of one constant
buffer, the least that any program must do; each until it is on the disk. A process of its own does each, and tells its peak of
memory. With --read, the last checkpoint is then read back, tensor by tensor, by the safetensors package, and rows of every
tensor are compared with what fastinit gives for them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

import fastinit as fi
import fastinit.safetensors

BUFFER = 2**24  # bytes of a plain write
WIDTH = 8192
ROWS = 2**14


def spec(gib: float) -> dict[str, tuple[tuple[int, int], str]]:
    """Tensors of 256 MiB and a smaller one, bfloat16, as a large model's."""
    rows = int(gib * 2**30) // (2 * WIDTH)
    sizes = [ROWS] * (rows // ROWS) + ([rows % ROWS] if rows % ROWS else [])
    return {f"h.{i}.weight": ((n, WIDTH), "bfloat16") for i, n in enumerate(sizes)}


RULES = {"*": fi.Normal(std=0.02)}


def create(path: Path, gib: float) -> None:
    fi.safetensors.create(path, spec(gib), RULES, seed=0)


def plain(path: Path, gib: float) -> None:
    buffer, left = np.ones(BUFFER, np.uint8), int(gib * 2**30)
    with open(path, "xb", buffering=0) as file:
        while left:
            left -= file.write(buffer[:left])
        os.fsync(file.fileno())


WRITERS = {"fastinit": create, "plain write": plain}


def write(name: str, path: Path, gib: float) -> None:
    """In a process of its own: seconds and the peak of memory in MiB, printed."""
    start = perf_counter()
    WRITERS[name](path, gib)
    seconds = perf_counter() - start
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(seconds, peak / 1024)


def read(path: Path) -> None:
    import ml_dtypes  # noqa: F401, gives NumPy the bfloat16 that safetensors asks it for
    from safetensors import safe_open

    start, total = perf_counter(), 0
    with safe_open(path, "numpy") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            total += tensor.nbytes
            for row in np.linspace(0, len(tensor) - 1, 5, dtype=int).tolist():
                own = np.empty_like(tensor[row:row + 1])
                fi.normal_(own, std=0.02, seed=0, name=name, global_shape=tensor.shape, offset=(row, 0))
                if tensor[row:row + 1].tobytes() != own.tobytes():
                    raise AssertionError(f"{name}, row {row} is not what was asked")
            del tensor
    print(f"read back: {total / 2**30:.2f} GiB in {perf_counter() - start:.1f} s, 5 rows of every tensor as they should be")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="on the disk to be measured")
    parser.add_argument("--gib", type=float, default=2.0, help="size of the file (default: 2)")
    parser.add_argument("--turns", type=int, default=5, help="default: 5")
    parser.add_argument("--read", action="store_true", help="read the last checkpoint back")
    parser.add_argument("--write", choices=WRITERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    path = args.folder / "fastinit-benchmark.safetensors"
    if args.write:
        return write(args.write, path, args.gib)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in WRITERS}
    try:
        for turn in range(args.turns):
            for name in sorted(WRITERS, reverse=turn % 2 == 0):
                path.unlink(missing_ok=True)
                os.sync()
                command = [sys.executable, __file__, str(args.folder), "--gib", str(args.gib), "--write", name]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                seconds, peak = map(float, output.split())
                results[name].append((seconds, peak))
                if name == "fastinit" and turn == args.turns - 1 and args.read:
                    read(path)
    finally:
        path.unlink(missing_ok=True)
    print("| | GB/s, median | lowest | highest | peak memory, MiB |\n|---|---|---|---|---|")
    for name, runs in results.items():
        speeds = [args.gib * 2**30 / seconds / 1e9 for seconds, _ in runs]
        print(f"| {name} | {statistics.median(speeds):.2f} | {min(speeds):.2f} | {max(speeds):.2f} "
              f"| {max(peak for _, peak in runs):.0f} |")


if __name__ == "__main__":
    main()
