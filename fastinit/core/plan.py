"""Distribution and numbers, judged for the dtype and rounded once: what the C core gets. They come checked, as floats.

The rounding of parameters is part of the stream: ``src_c/README.md``, section 4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from . import _kernels
from .dtypes import DTYPES, DType

__all__ = ["KEPT", "REACH", "Plan", "constant", "kernel_plan", "normal", "rounded", "rounded_std", "uniform", "uniform_grid"]

# Entries of every cache of plans, and of what they are made from. All caches together, with those of `calls.remembered` (four
# times as many, as most fills need nothing else), of keys (`streams`) and of patterns (`rules`, with `re`'s own), stay below
# the 1 MiB that a fill may use beyond its arrays: an entry takes 0.3 to 2 KB.
KEPT = 64

# The largest |z| a gaussian kernel gives, rounded up: sqrt(2 ln 2) times the root of the bits below one that the smallest
# u has (2^-32 and 2^-54).
REACH: dict[np.dtype[Any], float] = {np.dtype(np.float32): 6.661, np.dtype(np.float64): 8.653}


class Plan(NamedTuple):
    """A distribution ready to be written.

    Attributes
    ----------
    kernel : _kernels.Plan
        The numbers as the C core takes them.
    dist : str
        ``constant``, ``uniform``, ``normal`` or ``trunc_normal``.
    dtype : DType
    mean, std : float
        Of the distribution written, before rounding to the dtype.
    low, high : float
        The interval asked for; infinite where there is none.
    acceptance : float
        The share of candidates that is kept.
    regime : str or None
        Where candidates of a truncated gaussian come from: ``gaussian``, ``narrow`` (uniform) or ``tail`` (exponential); or
        ``point``, where one value is all there is.
    """

    kernel: _kernels.Plan
    dist: str
    dtype: DType
    mean: float
    std: float
    low: float
    high: float
    acceptance: float = 1.0
    regime: str | None = None

    @property
    def units(self) -> int:
        """Words an element takes, redraws apart (float64: pairs): a candidate's value, and its acceptance test."""
        return 2 if self.regime in ("narrow", "tail") else 1


def kernel_plan(dist: str, dtype: DType, **numbers: Any) -> _kernels.Plan:
    return _kernels.Plan(_kernels.DISTS.index(dist), dtype.code, **numbers)


def rounded(x: Any, dtype: DType) -> float:
    """To float64, then to the kernel's type."""
    return float(dtype.real.type(float(x)))


def constant(value: float, dtype: DType) -> Plan:
    return _constant(value, math.copysign(1.0, value), dtype)


@lru_cache(maxsize=KEPT)
def _constant(x: float, sign: float, dtype: DType) -> Plan:
    """`sign` tells -0.0 from the 0.0 that it equals."""
    if not math.isinf(x) and abs(dtype.nearest(x)) == math.inf:
        raise ValueError(f"val: expected a number within {dtype.name}'s range (up to {dtype.max:g}), got {x:g}")
    bits = int(dtype.encode(x).view(f"u{dtype.itemsize}"))
    return Plan(kernel_plan("constant", dtype, bits=bits), "constant", dtype, x, 0.0, x, x)


@lru_cache(maxsize=KEPT)
def uniform(low: float, high: float, dtype: DType) -> Plan:
    low, high = low + 0.0, high + 0.0  # of -0.0, 0.0
    if low > high:
        raise ValueError(f"a, b: expected a <= b, got a={low}, b={high}")
    for name, x in (("a", low), ("b", high)):
        if abs(x) > dtype.max:
            raise ValueError(f"{name}: expected a number within {dtype.name}'s range (up to {dtype.max:g}), got {x:g}")
    kernel = _kernel_bounds(low, high, dtype)
    if low == high:
        return Plan(kernel_plan("uniform", dtype, **kernel, shift=kernel["low"]), "uniform", dtype, low, 0.0, low, high)
    std = (high / 2 - low / 2) / math.sqrt(3)
    return Plan(kernel_plan("uniform", dtype, **uniform_grid(low, high, dtype), **kernel),
                "uniform", dtype, high / 2 + low / 2, std, low, high)


def uniform_grid(low: float, high: float, dtype: DType) -> dict[str, float]:
    """scale, shift and rest of a uniform grid from low to high."""
    from fractions import Fraction  # 4 ms to import

    # Halves first: high - low may exceed the range.
    bits = 53 if dtype.real == np.float64 else 24
    step = rounded((high / 2 - low / 2) * 2.0 ** (1 - bits), dtype)
    if step < dtype.tiny * 2**11:
        raise ValueError(f"a, b: the interval from {low} to {high} is too narrow for the arithmetic of {dtype.name}")
    shift = rounded(high / 2 + low / 2, dtype)
    rest = rounded(float((Fraction(low) + Fraction(high)) / 2 - Fraction(shift)), dtype)
    return {"scale": step, "shift": shift, "rest": rest}


def _kernel_bounds(low: float, high: float, dtype: DType) -> dict[str, float]:
    """[low, high), or the one value low where they are equal, as closed intervals of the kernel's type and of dtype."""
    if low == high:
        x = dtype.nearest(low)
        return {"low": x, "high": x, "least": x, "most": x}
    real = _real(dtype)
    inside = {"low": real.at_least(low), "high": real.below(high), "least": dtype.at_least(low), "most": dtype.below(high)}
    if inside["least"] > inside["most"]:
        raise ValueError(f"a, b: expected an interval that holds a value of {dtype.name}, got [{low}, {high})")
    return inside


def _real(dtype: DType) -> DType:
    return DTYPES[dtype.real.name]


def rounded_std(std: float, dtype: DType) -> float:
    if 0 < std < dtype.tiny:
        raise ValueError(f"std: expected 0 or at least {dtype.tiny:g} for {dtype.name}, got {std:g}")
    return rounded(std, dtype)


@lru_cache(maxsize=KEPT)
def normal(mean: float, std: float, dtype: DType) -> Plan:
    mean, std = mean + 0.0, std + 0.0
    if abs(mean) + REACH[dtype.real] * std > dtype.max:
        raise ValueError(f"mean, std: values up to {abs(mean) + REACH[dtype.real] * std:g} would exceed "
                         f"{dtype.name}'s range (up to {dtype.max:g})")
    kernel = kernel_plan("normal", dtype, scale=rounded_std(std, dtype), shift=rounded(mean, dtype), least=-math.inf,
                         most=math.inf)
    return Plan(kernel, "normal", dtype, mean, std, -math.inf, math.inf)
