"""Orthogonal matrices by fastinit, by LAPACK through NumPy, and by torch, in turns.

    python benchmarks/orthogonal.py --turns 5

LAPACK: gaussians by NumPy, `numpy.linalg.qr` in float64, signs fixed. torch: `torch.nn.init.orthogonal_` in float32. All use as
many threads as they take by themselves. The error is the largest element of |Q'Q - I| in float64, of fastinit's float64 matrix
and of LAPACK's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from peers import about

import fastinit as fi

SHAPES = [(64, 64), (512, 512), (1024, 4096), (4096, 4096), (50257, 768)]


def by_lapack(shape: tuple[int, int], dtype: str = "float32") -> np.ndarray:
    rows, columns = shape
    tall = np.random.default_rng(0).standard_normal((max(shape), min(shape)), dtype)
    q, r = np.linalg.qr(tall)
    q *= np.where(np.diagonal(r) < 0, -1, 1).astype(q.dtype)
    return q if rows >= columns else q.T


def by_torch(shape: tuple[int, int]) -> Callable[[], object]:
    import torch

    return lambda: torch.nn.init.orthogonal_(torch.empty(shape))


def error(w: np.ndarray) -> float:
    q = w if w.shape[0] >= w.shape[1] else w.T
    return float(abs(q.T @ q - np.eye(q.shape[1])).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--no-torch", action="store_true")
    arguments = parser.parse_args()
    names = ["fastinit", "LAPACK", *([] if arguments.no_torch else ["torch"])]
    here, config = about([]), fi.show_config()
    print(f"{here['cpu']}, {config['num_threads']} threads; fastinit {here['commit']}, {config['isa']}; numpy {np.__version__}",
          end="\n\n")
    print(f"| shape | {' | '.join(f'{name}, ms' for name in names)} | LAPACK / fastinit | errors |")
    print("|---|" + (len(names) + 2) * "---:|")
    for shape in SHAPES:
        jobs = {"fastinit": lambda shape=shape: fi.orthogonal(shape, seed=0), "LAPACK": lambda shape=shape: by_lapack(shape)}
        if "torch" in names:
            jobs["torch"] = by_torch(shape)
        times: dict[str, list[float]] = {name: [] for name in names}
        for turn in range(arguments.turns + 1):
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                start = time.perf_counter()
                jobs[name]()
                if turn:
                    times[name].append(1e3 * (time.perf_counter() - start))
        medians = {name: statistics.median(values) for name, values in times.items()}
        errors = f"{error(fi.orthogonal(shape, seed=0, dtype='float64')):.1e}, {error(by_lapack(shape, 'float64')):.1e}"
        print(f"| {shape[0]} x {shape[1]} | {' | '.join(f'{medians[name]:.3g}' for name in names)} | "
              f"{medians['LAPACK'] / medians['fastinit']:.2f} | {errors} |", flush=True)


if __name__ == "__main__":
    main()
