"""``python -m fastinit``: initialise a published model, check the values, and give numpy and torch the same job."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import fastinit as fi
from fastinit.dtypes import DTYPES
from fastinit.layouts import LAYOUTS, Layout, Row

CHUNK = 1 << 16  # elements that numpy draws, and the check reads, at once: they stay in the cache
HEADROOM = 64 << 20  # bytes wanted beyond the arrays

Arrays = dict[str, np.ndarray]
Filler = Callable[[Arrays], object]


class Refused(Exception):
    """The job cannot be done as asked; the message is for the user."""


def asked_sums(row: Row) -> np.ndarray:
    """What the rule of a row promises for a tensor: count, sum and sum of squares, which add up over tensors."""
    initializer, keywords = row.rule
    plan = fi.explain(initializer, row.shape, **keywords)
    mean, std = plan.mean or 0.0, plan.std or 0.0
    return math.prod(row.shape) * np.array([1.0, mean, std**2 + mean**2])


def measured_sums(array: np.ndarray, dtype: str) -> np.ndarray:
    """The same of what an array holds, in float64, a chunk at a time."""
    flat, sums = array.reshape(-1), np.zeros(3)
    for start in range(0, flat.size, CHUNK):
        values = DTYPES[dtype].decode(flat[start : start + CHUNK]).astype(np.float64)
        sums += values.size, values.sum(), np.square(values).sum()  # a dot product would start BLAS's threads
    return sums


def mean_std(sums: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; nan stays nan."""
    count, total, squares = map(float, sums)
    return total / count, math.sqrt(max(squares / count - (total / count) ** 2, 0.0))


def fastinit_filler(layout: Layout, dtype: str, seed: int, threads: int) -> Filler:
    """The published rules; every value follows from the seed and its tensor's name."""
    rules = layout.rules()
    return lambda arrays: fi.fill(arrays, rules, seed=seed, num_threads=threads, dtype=dtype)


def numpy_filler(layout: Layout, dtype: str, seed: int, threads: int) -> Filler:
    """NumPy at its best: drawn with ``out=`` in chunks, scaled while in the cache; it has one thread."""
    rng = np.random.default_rng(seed)
    plans = {name: (row, *mean_std(asked_sums(row))) for name, row in layout.items()}
    scratch = np.empty(CHUNK, DTYPES[dtype].real)

    def fill(arrays: Arrays) -> None:
        for name, array in arrays.items():
            row, mean, std = plans[name]
            flat = array.reshape(-1)
            if std == 0:
                flat.fill(DTYPES[dtype].encode(mean)[()])
                continue
            for start in range(0, flat.size, CHUNK):
                target = flat[start : start + CHUNK]
                if target.dtype == scratch.dtype:
                    numpy_draw(rng, row, mean, std, target)
                else:
                    target[:] = numpy_cast(numpy_draw(rng, row, mean, std, scratch[: target.size]), dtype)

    return fill


def numpy_draw(rng: np.random.Generator, row: Row, mean: float, std: float, out: np.ndarray) -> np.ndarray:
    """The rule of a row, of this mean and standard deviation, into contiguous float32 or float64 memory."""
    initializer, keywords = row.rule
    if "uniform" in initializer:
        rng.random(out=out, dtype=out.dtype)
        factor = math.sqrt(12) * std
        shift = mean - factor / 2
    else:
        rng.standard_normal(out=out, dtype=out.dtype)
        factor, shift = keywords.get("std", std), keywords.get("mean", mean)
    out *= factor
    if shift:
        out += shift
    if initializer == "trunc_normal":
        while (rejected := np.flatnonzero((out < keywords["a"]) | (out > keywords["b"]))).size:
            out[rejected] = rng.standard_normal(rejected.size, dtype=out.dtype) * factor + shift
    return out


def numpy_cast(values: np.ndarray, dtype: str) -> np.ndarray:
    """float32 to what is stored, rounded to nearest even; bfloat16 in the fewest integer operations."""
    if dtype != "bfloat16":
        return values.astype(DTYPES[dtype].storage)
    bits = values.view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(np.uint16)


def torch_filler(layout: Layout, dtype: str, seed: int, threads: int) -> Filler | None:
    """``torch.nn.init`` on tensors that share the arrays' memory; None when torch is not installed."""
    try:
        import torch
    except (ImportError, OSError):  # OSError: its libraries do not load
        return None
    torch.manual_seed(seed % 2**63)
    torch.set_num_threads(threads)
    rows = dict(layout.items())

    def fill(arrays: Arrays) -> None:
        for name, array in arrays.items():
            initializer, keywords = rows[name].rule
            tensor = torch.from_numpy(array.view(np.int16) if dtype == "bfloat16" else array)
            getattr(torch.nn.init, initializer + "_")(tensor.view(getattr(torch, dtype)), **keywords)

    return fill


def run(args: argparse.Namespace) -> dict:
    """Check, fill, measure, write, compare; returns what ``--json`` prints."""
    layout, config = LAYOUTS[args.layout], fi.show_config()
    threads = args.threads or config["num_threads"]
    size = layout.parameters() * DTYPES[args.dtype].itemsize
    check(args, size)

    kinds: dict[str, Arrays] = {}
    asked: dict[str, np.ndarray] = {}
    for name, row in layout.items():
        kinds.setdefault(row.kind, {})[name] = np.empty(row.shape, DTYPES[args.dtype].storage)
        asked[row.kind] = asked.get(row.kind, 0) + asked_sums(row)

    results = {}
    makers = {"fastinit": fastinit_filler} | ({} if args.no_compare else {"numpy": numpy_filler, "torch": torch_filler})
    for who, maker in makers.items():
        if fill := maker(layout, args.dtype, args.seed, threads):
            results[who] = {kind: measure(who, kind, arrays, fill, args.dtype) for kind, arrays in kinds.items()}
        if who == "fastinit" and args.out:  # the others will overwrite the arrays
            write({name: array for arrays in kinds.values() for name, array in arrays.items()}, args)
    progress("")

    entries = []
    for kind, arrays in kinds.items():
        mean, std = mean_std(asked[kind])
        entry: dict[str, Any] = {"kind": kind, "tensors": len(arrays), "parameters": sum(a.size for a in arrays.values())}
        entry |= {"bytes": sum(a.nbytes for a in arrays.values()), "asked_mean": mean, "asked_std": std}
        entries.append(entry | {who: result[kind] for who, result in results.items()})
    total: dict[str, Any] = {key: sum(entry[key] for entry in entries) for key in ("tensors", "parameters", "bytes")}
    total |= {who: {"seconds": sum(entry[who]["seconds"] for entry in entries)} for who in results}
    for entry in (*entries, total):
        for who in results:
            entry[who]["gb_per_s"] = entry["bytes"] / entry[who]["seconds"] / 1e9
    about = {"cpu": proc_field("cpuinfo", "model name") or platform.machine(), "threads": threads, "config": config}
    about |= {key: vars(args)[key] for key in ("layout", "dtype", "seed")} | {"source": layout.source}
    return about | {"out": args.out and str(args.out), "kinds": entries, "total": total}


def measure(who: str, kind: str, arrays: Arrays, fill: Filler, dtype: str) -> dict[str, float]:
    """Time of filling one kind of tensor, and its moments; memory is touched, with nan, before the clock starts."""
    for array in arrays.values():
        array.view(np.uint8).fill(0xFF)
    seconds = 0.0
    for part in [arrays] if who == "fastinit" else [{name: array} for name, array in arrays.items()]:
        progress(f"{who}: {kind}, {next(iter(part))}")
        start = perf_counter()
        fill(part)
        seconds += perf_counter() - start
    mean, std = mean_std(np.sum([measured_sums(array, dtype) for array in arrays.values()], axis=0))
    return {"seconds": seconds, "mean": mean, "std": std}


def progress(text: str) -> None:
    """One passing line on standard error, if that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:79]}", end="", file=sys.stderr, flush=True)


def proc_field(file: str, field: str) -> str | None:
    """The first value of a field of /proc/``file``; None where there is none."""
    try:
        with open(f"/proc/{file}") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), None)
    except OSError:
        return None


def available_memory() -> int | None:
    """Bytes this process may still take, or None when the system does not tell."""
    if found := proc_field("meminfo", "MemAvailable:"):
        return int(found.split()[0]) * 1024
    try:
        return max(os.sysconf("SC_AVPHYS_PAGES"), 0) * os.sysconf("SC_PAGE_SIZE") or None
    except (AttributeError, ValueError, OSError):
        return None


def check(args: argparse.Namespace, size: int) -> None:
    """Refuse, before the work, what would run out of memory or could not be written after it."""
    free = available_memory()
    if free is not None and free < size + HEADROOM:
        raise Refused(f"{args.layout} in {args.dtype} needs {(size + HEADROOM) / 1e9:.2f} GB of memory, "
                      f"{free / 1e9:.2f} GB are available: choose a smaller --layout or --dtype")
    if not (path := args.out):
        return
    if path.suffix not in (".npz", ".safetensors"):
        raise Refused(f"--out {path}: expected a name that ends in .npz or .safetensors")
    if not os.access(path.parent, os.W_OK):
        raise Refused(f"--out {path}: {path.parent} is not a directory that can be written to")
    if (free := shutil.disk_usage(path.parent).free) < size:
        raise Refused(f"--out {path}: {size / 1e9:.2f} GB are needed there, {free / 1e9:.2f} GB are free")
    if path.suffix == ".safetensors":
        try:
            from safetensors import TensorSpec  # noqa: F401
        except ImportError:
            raise Refused(f"--out {path}: safetensors >= 0.8 is needed: pip install -U safetensors") from None


def write(arrays: Arrays, args: argparse.Namespace) -> None:
    """The model into its file, which is whole or not there."""
    progress(f"writing {args.out}")
    part = args.out.with_name(f".part-{args.out.name}")
    try:
        if part.suffix == ".npz":
            np.savez(part, **arrays)  # type: ignore[arg-type]
        else:
            from safetensors import TensorSpec, serialize_file

            specs = {name: TensorSpec(dtype=args.dtype, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
                     for name, a in arrays.items()}
            serialize_file(specs, part, metadata={"format": "pt", "fastinit": f"{args.layout}, seed {args.seed}"})
        os.replace(part, args.out)
    finally:
        part.unlink(missing_ok=True)


def print_report(report: dict) -> None:
    """Two tables of at most 80 columns: what fastinit did, and how long it took the others."""
    total = report["total"] | {"kind": "total"}
    others = [who for who in ("numpy", "torch") if who in total]
    print(f"{report['cpu']}, {report['threads']} threads, {report['config']['isa']}, "
          f"seed {report['seed']}, stream version {report['config']['stream_version']}\n"
          f"{report['layout']} in {report['dtype']}, after {report['source']}\n")
    print(f"{'kind':<14}{'tensors':>8}{'parameters':>15}{'asked std':>11}{'measured':>11}{'ms':>11}{'GB/s':>8}")
    for row in (*report["kinds"], total):
        stds = f"{row['asked_std']:>11.5g}{row['fastinit']['std']:>11.5g}" if row is not total else " " * 22
        print(f"{row['kind']:<14}{row['tensors']:>8}{row['parameters']:>15,}{stds}"
              f"{1e3 * row['fastinit']['seconds']:>11,.3f}{row['fastinit']['gb_per_s']:>8.2f}")
    if others:
        print(f"\n{'ms':<14}{'fastinit':>11}" + "".join(f"{who:>12}{'ratio':>8}" for who in others))
        for row in (*report["kinds"], total):
            own = row["fastinit"]["seconds"]
            print(f"{row['kind']:<14}{1e3 * own:>11,.3f}"
                  + "".join(f"{1e3 * row[who]['seconds']:>12,.3f}{row[who]['seconds'] / own:>8.1f}" for who in others))
        cast = ", float32 draws cast" * (DTYPES[report["dtype"]].itemsize == 2)
        print(f"numpy: one thread, default_rng, out= in cached chunks{cast}")
        print("torch: torch.nn.init" if "torch" in total else "torch: not installed")
    if report["out"]:
        as_uint16 = report["dtype"] == "bfloat16" and report["out"].endswith(".npz")
        print(f"\nwrote {report['out']}" + ", bfloat16 as uint16: npz has no bfloat16" * as_uint16)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m fastinit", description=__doc__.split(": ")[1])
    parser.add_argument("--layout", choices=LAYOUTS, default="gpt2", help="the model (default: gpt2)")
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of every tensor (default: float32)")
    parser.add_argument("--seed", type=int, default=0, help="any integer from 0 on (default: 0)")
    parser.add_argument("--threads", type=int, help="default: the CPUs this process may use")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the model: FILE.npz or FILE.safetensors")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--no-compare", action="store_true", help="leave numpy and torch out")
    args = parser.parse_args(argv)
    if args.seed < 0:
        parser.error(f"argument --seed: expected an integer >= 0, got {args.seed}")
    if args.threads is not None and args.threads < 1:
        parser.error(f"argument --threads: expected an integer >= 1, got {args.threads}")
    try:
        report = run(args)
        print(json.dumps(report, indent=1)) if args.json else print_report(report)
    except (Refused, MemoryError, OSError, KeyboardInterrupt) as error:
        progress("")
        print(f"fastinit: {str(error) or 'interrupted'}", file=sys.stderr)
        return 130 if isinstance(error, KeyboardInterrupt) else 1 if isinstance(error, OSError) else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
