"""A model filled by fastinit, numpy and torch in turn: time, and the moments of what each has written."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

import numpy as np

import fastinit as fi

from ..core.dtypes import DTYPES
from ..models.architectures import ARCHITECTURES, Architecture, Row
from .progress import progress

__all__ = ["available_memory", "measure_model", "measure_sizes", "proc_field"]

CHUNK = 1 << 16  # elements that numpy makes, and the check reads, at once: they stay in the cache
SIZES = tuple(4**k for k in range(6, 13))  # 4Ki to 16Mi elements
TURNS = 5
LEAST = 2e-3  # seconds that a turn lasts at least

Arrays = dict[str, np.ndarray]
Filler = Callable[[Arrays], object]


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


def fastinit_filler(architecture: Architecture, dtype: str, seed: int, num_threads: int) -> Filler:
    """The published rules; every value follows from the seed and its tensor's name."""
    rules = architecture.rules()
    return lambda arrays: fi.fill(arrays, rules, seed=seed, num_threads=num_threads, dtype=dtype)


def numpy_filler(architecture: Architecture, dtype: str, seed: int, num_threads: int) -> Filler:
    """NumPy at its best: made with ``out=`` in chunks, scaled while in the cache; it has one thread."""
    rng = np.random.default_rng(seed)
    plans = {name: (row, *mean_std(asked_sums(row))) for name, row in architecture.items()}
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
                    numpy_values(rng, row, mean, std, target)
                else:
                    target[:] = numpy_cast(numpy_values(rng, row, mean, std, scratch[: target.size]), dtype)

    return fill


def numpy_values(rng: np.random.Generator, row: Row, mean: float, std: float, out: np.ndarray) -> np.ndarray:
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


def torch_filler(architecture: Architecture, dtype: str, seed: int, num_threads: int) -> Filler | None:
    """``torch.nn.init`` on tensors that share the arrays' memory; None when torch is not installed."""
    try:
        import torch
    except (ImportError, OSError):  # OSError: its libraries do not load
        return None
    torch.manual_seed(seed % 2**63)
    torch.set_num_threads(num_threads)
    rows = dict(architecture.items())

    def fill(arrays: Arrays) -> None:
        for name, array in arrays.items():
            initializer, keywords = rows[name].rule
            tensor = torch.from_numpy(array.view(np.int16) if dtype == "bfloat16" else array)
            getattr(torch.nn.init, initializer + "_")(tensor.view(getattr(torch, dtype)), **keywords)

    return fill


MAKERS: dict[str, Callable[[Architecture, str, int, int], Filler | None]] = {
    "fastinit": fastinit_filler, "numpy": numpy_filler, "torch": torch_filler}


def measure_model(name: str, dtype: str = "float32", *, seed: int = 0, num_threads: int | None = None,
                  compare: bool = True) -> dict[str, Any]:
    """Fill a published model, and let numpy and torch, where installed, do the same job on the same memory.

    Parameters
    ----------
    name : str
        In `fastinit.models.architectures.ARCHITECTURES`.
    dtype, seed
        Of every tensor.
    num_threads : int, optional
        For fastinit and torch; numpy has one.
    compare : bool
        Whether the others get their turn.

    Returns
    -------
    dict
        ``kinds``, a list with a dict for each kind of tensor: ``asked_mean``, ``asked_std`` and, by library, ``seconds``,
        ``gb_per_s``, ``mean``, ``std``; ``total``; and what they were measured on.
    """
    architecture, config = ARCHITECTURES[name], fi.show_config()
    num_threads = num_threads or config["num_threads"]
    kinds: dict[str, Arrays] = {}
    asked: dict[str, np.ndarray] = {}
    for tensor, row in architecture.items():
        kinds.setdefault(row.kind, {})[tensor] = np.empty(row.shape, DTYPES[dtype].storage)
        asked[row.kind] = asked.get(row.kind, 0) + asked_sums(row)
    fillers = _fillers(architecture, dtype, seed, num_threads, compare)
    results: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
    for who, kind in progress([(who, kind) for who in fillers for kind in kinds], "steps"):
        results[kind][who] = _measure(who, kinds[kind], fillers[who], dtype)
    entries = [_entry(kind, kinds[kind], asked[kind]) | results[kind] for kind in kinds]
    about = {"cpu": proc_field("cpuinfo", "model name") or platform.machine(), "num_threads": num_threads, "config": config}
    about |= {"model": name, "dtype": dtype, "seed": seed, "source": architecture.source}
    return about | {"kinds": entries, "total": _totals(entries, list(fillers))}


def _fillers(architecture: Architecture, dtype: str, seed: int, num_threads: int, compare: bool = True) -> dict[str, Filler]:
    """Of the libraries that are installed, or fastinit's alone."""
    made = {who: maker(architecture, dtype, seed, num_threads) for who, maker in MAKERS.items() if compare or who == "fastinit"}
    return {who: fill for who, fill in made.items() if fill}


def _measure(who: str, arrays: Arrays, fill: Filler, dtype: str) -> dict[str, float]:
    """Time of filling one kind of tensor, and its moments; memory is touched, with nan, before the clock starts."""
    for array in arrays.values():
        array.view(np.uint8).fill(0xFF)
    seconds = 0.0
    for part in [arrays] if who == "fastinit" else [{name: array} for name, array in arrays.items()]:
        start = perf_counter()
        fill(part)
        seconds += perf_counter() - start
    mean, std = mean_std(np.sum([measured_sums(array, dtype) for array in arrays.values()], axis=0))
    return {"seconds": seconds, "gb_per_s": sum(array.nbytes for array in arrays.values()) / seconds / 1e9, "mean": mean,
            "std": std}


def _entry(kind: str, arrays: Arrays, asked: np.ndarray) -> dict[str, Any]:
    mean, std = mean_std(asked)
    return {"kind": kind, "tensors": len(arrays), "parameters": sum(a.size for a in arrays.values()),
            "bytes": sum(a.nbytes for a in arrays.values()), "asked_mean": mean, "asked_std": std}


def _totals(entries: list[dict[str, Any]], libraries: list[str]) -> dict[str, Any]:
    total: dict[str, Any] = {key: sum(entry[key] for entry in entries) for key in ("tensors", "parameters", "bytes")}
    for who in libraries:
        seconds = sum(entry[who]["seconds"] for entry in entries)
        total[who] = {"seconds": seconds, "gb_per_s": total["bytes"] / seconds / 1e9}
    return total


def measure_sizes(dtype: str = "float32", *, seed: int = 0, num_threads: int | None = None,
                  sizes: Iterable[int] = SIZES) -> list[dict[str, Any]]:
    """Gaussians over sizes, as `fastinit.viz.speed` draws them; the records are like those of benchmarks/compare.py.

    Parameters
    ----------
    dtype, seed, num_threads
        As for `measure_model`.
    sizes : iterable of int
        Numbers of elements.

    Returns
    -------
    list of dict
        For each size and library, ``ndarray.fill`` among them: ``seconds`` of each turn, for one fill of touched memory.
    """
    num_threads = num_threads or fi.show_config()["num_threads"]
    records = []
    for size in progress(list(sizes), "sizes"):
        architecture = Architecture("", (Row("normal", "w", (size,), ("normal", {"std": 0.02})),))
        array = np.zeros(size, DTYPES[dtype].storage)
        fillers = _fillers(architecture, dtype, seed, num_threads) | {"ndarray.fill": lambda arrays: arrays["w"].fill(1)}
        seconds: dict[str, list[float]] = {who: [] for who in fillers}
        for _ in range(TURNS):
            for who, fill in fillers.items():
                seconds[who].append(_time_of(fill, array))
        records += [{"library": who, "distribution": "normal", "dtype": dtype, "elements": size, "bytes": array.nbytes,
                     "memory": "touched", "num_threads": num_threads, "seconds": times} for who, times in seconds.items()]
    return records


def _time_of(fill: Filler, array: np.ndarray) -> float:
    """Seconds of one call, of as many as fill a turn."""
    calls, start = 0, perf_counter()
    while (passed := perf_counter() - start) < LEAST:
        fill({"w": array})
        calls += 1
    return passed / calls


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
