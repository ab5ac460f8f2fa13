"""Distribution and numbers, validated and rounded once: what the C core gets. Every refusal happens here or in fill.py.

The rounding of parameters is part of the stream: ``src_c/README.md``, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from . import _kernels
from .dtypes import DTYPES, DType

__all__ = ["Plan", "constant", "normal", "uniform"]

# The largest |z| a gaussian kernel gives, rounded up: sqrt(2 ln 2) times the root of the bits below one that the smallest
# u has (2^-32 and 2^-54).
REACH = {np.dtype(np.float32): 6.661, np.dtype(np.float64): 8.653}


@dataclass(frozen=True)
class Plan:
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


def number(value: Any, name: str, nan: bool = False) -> float:
    """A real number as float; bools, text, complex numbers and arrays are refused, and NaN unless allowed."""
    if type(value) is not float:
        scalar = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
        if isinstance(scalar, _NO_NUMBERS) or not hasattr(scalar, "__float__"):
            raise TypeError(f"{name}: expected a real number, got {value!r}")
        try:
            value = float(scalar)
        except (OverflowError, ValueError):
            raise ValueError(f"{name}: expected a number within float64's range, got {value!r}") from None
    if value != value and not nan:
        raise ValueError(f"{name}: expected a number, got nan")
    return value


_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, str, bytes, np.ndarray)


def choice(value: Any, name: str, *options: str) -> str:
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def finite(value: Any, name: str) -> float:
    result = number(value, name)
    if math.isinf(result):
        raise ValueError(f"{name}: expected a finite number, got {result}")
    return result


def spread(value: Any, name: str = "std") -> float:
    result = finite(value, name)
    if result < 0:
        raise ValueError(f"{name}: expected a number >= 0, got {result}")
    return abs(result)


def _kernel(dist: str, dtype: DType, **numbers: Any) -> _kernels.Plan:
    return _kernels.Plan(_kernels.DISTS.index(dist), dtype.code, **numbers)


def _round(x: Any, dtype: DType) -> float:
    """To float64, then to the kernel's type."""
    return float(dtype.real.type(float(x)))


def constant(value: Any, dtype: DType) -> Plan:
    x = number(value, "val", nan=True)
    return _constant(x, math.copysign(1.0, x), dtype)


@lru_cache(maxsize=1024)
def _constant(x: float, sign: float, dtype: DType) -> Plan:
    """`sign` tells -0.0 from the 0.0 that it equals."""
    if not math.isinf(x) and abs(dtype.nearest(x)) == math.inf:
        raise ValueError(f"val: expected a number within {dtype.name}'s range (up to {dtype.max:g}), got {x:g}")
    bits = int(dtype.encode(x).view(f"u{dtype.itemsize}"))
    return Plan(_kernel("constant", dtype, bits=bits), "constant", dtype, x, 0.0, x, x)


@lru_cache(maxsize=1024)
def uniform(low: float, high: float, dtype: DType) -> Plan:
    low, high = finite(low, "a") + 0.0, finite(high, "b") + 0.0
    if low > high:
        raise ValueError(f"a, b: expected a <= b, got a={low}, b={high}")
    for name, x in (("a", low), ("b", high)):
        if abs(x) > dtype.max:
            raise ValueError(f"{name}: expected a number within {dtype.name}'s range (up to {dtype.max:g}), got {x:g}")
    kernel = _kernel_bounds(low, high, dtype)
    if low == high:
        return Plan(_kernel("uniform", dtype, **kernel, shift=kernel["low"]), "uniform", dtype, low, 0.0, low, high)
    std = (high / 2 - low / 2) / math.sqrt(3)
    return Plan(_kernel("uniform", dtype, **_steps(low, high, dtype), **kernel),
                "uniform", dtype, high / 2 + low / 2, std, low, high)


def _steps(low: float, high: float, dtype: DType) -> dict[str, float]:
    """scale, shift and rest of a uniform grid from low to high."""
    from fractions import Fraction  # 4 ms to import

    # Halves first: high - low may exceed the range.
    bits = 53 if dtype.real == np.float64 else 24
    step = _round((high / 2 - low / 2) * 2.0 ** (1 - bits), dtype)
    if step < dtype.tiny * 2**11:
        raise ValueError(f"a, b: the interval from {low} to {high} is too narrow for the arithmetic of {dtype.name}")
    shift = _round(high / 2 + low / 2, dtype)
    rest = _round(float((Fraction(low) + Fraction(high)) / 2 - Fraction(shift)), dtype)
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


def _scale(std: float, dtype: DType) -> float:
    if 0 < std < dtype.tiny:
        raise ValueError(f"std: expected 0 or at least {dtype.tiny:g} for {dtype.name}, got {std:g}")
    return _round(std, dtype)


@lru_cache(maxsize=1024)
def normal(mean: float, std: float, dtype: DType) -> Plan:
    mean, std = finite(mean, "mean") + 0.0, spread(std)
    if abs(mean) + REACH[dtype.real] * std > dtype.max:
        raise ValueError(f"mean, std: values up to {abs(mean) + REACH[dtype.real] * std:g} would exceed "
                         f"{dtype.name}'s range (up to {dtype.max:g})")
    kernel = _kernel("normal", dtype, scale=_scale(std, dtype), shift=_round(mean, dtype), least=-math.inf, most=math.inf)
    return Plan(kernel, "normal", dtype, mean, std, -math.inf, math.inf)
