"""What strides and blocks cost: time over that of a contiguous whole of as many elements, medians of turns, one thread.

    python benchmarks/strided.py [--elements 256Ki] [--turns 5] [--check]

Rows are placements: where the elements lie in memory, and which ones of the stream they are. With --check the exit status tells
whether memory in runs of 64 elements and more takes at most twice the contiguous time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from jobs import elements

import fastinit as fi
from fastinit.core.dtypes import DTYPES

DISTRIBUTIONS = {"constant": fi.ones_, "uniform": fi.uniform_, "normal": fi.normal_, "trunc_normal": fi.trunc_normal_}
RUNS = (1, 16, 64, 256, 4096)
LIMIT, LIMITED_RUN = 2.0, 64  # of the rows

Target = tuple[np.ndarray, dict]


def rows(n: int, run: int, dtype: np.dtype) -> Target:
    """Rows of an array twice as wide."""
    return np.zeros((n // run, 2 * run), dtype)[:, :run], {}


def block(n: int, run: int, dtype: np.dtype) -> Target:
    """Contiguous memory, rows of a tensor twice as wide."""
    return np.zeros((n // run, run), dtype), {"global_shape": (n // run, 2 * run), "offset": (0, run)}


def shard(n: int, run: int, dtype: np.dtype) -> Target:
    """Both: the right half of a whole, in its place."""
    return np.zeros((n // run, 2 * run), dtype)[:, run:], {"global_shape": (n // run, 2 * run), "offset": (0, run)}


PLACEMENTS: dict[str, tuple[int, Callable[[int, np.dtype], Target]]] = {
    "contiguous": (0, lambda n, dtype: (np.zeros(n, dtype), {})),
    **{f"{kind.__name__} of {run}": (run, lambda n, dtype, kind=kind, run=run: kind(n, run, dtype))
       for kind in (rows, block, shard) for run in RUNS},
    "Fortran order": (1, lambda n, dtype: (np.zeros((1024, n // 1024), dtype, order="F"), {})),
    "[::3]": (1, lambda n, dtype: (np.zeros(3 * n, dtype)[::3], {})),
    "[::-1]": (1, lambda n, dtype: (np.zeros(n, dtype)[::-1], {})),
    "field of records": (1, lambda n, dtype: (np.zeros(n, [("pad", "u1"), ("x", dtype)])["x"], {})),
}


def measure(fill: Callable, dtype: str, n: int, turns: int) -> dict[str, float]:
    """Seconds of each placement: the median of turns, in each of which every placement has one."""
    targets = {name: make(n, DTYPES[dtype].storage) for name, (_, make) in PLACEMENTS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in PLACEMENTS}
    for turn in range(turns + 1):
        for name, (target, options) in targets.items():
            start = time.perf_counter()
            fill(target, seed=0, dtype=dtype, num_threads=1, **options)
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=elements, default=elements("256Ki"), help="a multiple of 4096 (default: 256Ki)")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.elements % max(RUNS):
        parser.error(f"--elements: expected a multiple of {max(RUNS)}, got {args.elements}")
    times = {(name, dtype): measure(fill, dtype, args.elements, args.turns)
             for name, fill in DISTRIBUTIONS.items() for dtype in DTYPES}
    print(f"fastinit {fi.show_config()['isa']}, {args.elements} elements, 1 thread: time / contiguous time\n")
    print("| placement | " + " | ".join(f"{name} {dtype}" for name, dtype in times) + " |")
    print("|---|" + "---:|" * len(times))
    contiguous = [t["contiguous"] / args.elements * 1e9 for t in times.values()]
    print("| contiguous, ns/element | " + " | ".join(f"{ns:.3f}" for ns in contiguous) + " |")
    worst = dict.fromkeys(("rows", "block", "shard"), 0.0)
    for placement, (run, _) in PLACEMENTS.items():
        if run:
            ratios = [t[placement] / t["contiguous"] for t in times.values()]
            print(f"| {placement} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
            if run >= LIMITED_RUN:
                kind = placement.split()[0]
                worst[kind] = max(worst[kind], *ratios)
    print(f"\nlargest ratio with runs of {LIMITED_RUN} or more: " + ", ".join(f"{k} {ratio:.2f}" for k, ratio in worst.items()))
    if args.check and worst["rows"] > LIMIT:
        sys.exit(f"expected at most {LIMIT}")


if __name__ == "__main__":
    main()
