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

__all__ = ["Plan", "constant", "normal", "trunc_normal", "uniform"]

# The largest |z| a gaussian kernel gives, rounded up: sqrt(2 ln 2) times the root of the bits below one that the smallest
# u has (2^-32 and 2^-54).
REACH = {np.dtype(np.float32): 6.661, np.dtype(np.float64): 8.653}

# Least mass inside [a, b] for which gaussian proposals serve: at most 5 draws are expected for an element.
LEAST_MASS = 0.2


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
        Mass of the parent distribution inside the interval: the share of draws that is kept.
    """

    kernel: _kernels.Plan
    dist: str
    dtype: DType
    mean: float
    std: float
    low: float
    high: float
    acceptance: float = 1.0


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


def _round(x: float, dtype: DType) -> float:
    """To the kernel's type."""
    return float(dtype.real.type(x))


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
    from fractions import Fraction  # 4 ms to import

    # Halves first: high - low may exceed the range.
    bits = 53 if dtype.real == np.float64 else 24
    step = _round((high / 2 - low / 2) * 2.0 ** (1 - bits), dtype)
    if step < dtype.tiny * 2**11:
        raise ValueError(f"a, b: the interval [{low}, {high}) is too narrow for the arithmetic of {dtype.name}")
    middle = high / 2 + low / 2
    shift = _round(middle, dtype)
    rest = _round(float((Fraction(low) + Fraction(high)) / 2 - Fraction(shift)), dtype)
    std = (high / 2 - low / 2) / math.sqrt(3)
    return Plan(_kernel("uniform", dtype, scale=step, shift=shift, rest=rest, **kernel),
                "uniform", dtype, middle, std, low, high)


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


@lru_cache(maxsize=1024)
def trunc_normal(mean: float, std: float, a: float, b: float, dtype: DType, bounds: str = "absolute",
                 std_is: str = "parent") -> Plan:
    mean, std, a, b = finite(mean, "mean") + 0.0, spread(std), number(a, "a") + 0.0, number(b, "b") + 0.0
    if a > b:
        raise ValueError(f"a, b: expected a <= b, got a={a}, b={b}")
    if std_is == "result":
        if bounds != "std":
            raise NotImplementedError("std_is: 'result' with bounds='absolute' is not supported yet; use bounds='std'")
        mass, _, factor = _cut_moments(a, b)
        if mass < LEAST_MASS:
            raise NotImplementedError(_too_little(a, b, mass, "N(0, 1)"))
        std = std / factor
    if bounds == "std":
        a, b = (mean + a * std, mean + b * std) if std else (mean, mean)  # 0 times an infinite bound is NaN
    if std == 0:
        if not a <= mean <= b:
            raise ValueError(f"std: 0 leaves only the mean {mean}, which is outside [{a}, {b}]")
        a = b = mean
    if a == b:
        x = dtype.nearest(a)
        if math.isinf(x):
            raise ValueError(f"a, b: expected bounds within {dtype.name}'s range (up to {dtype.max:g}), got {a} for both")
        kernel = _kernel("uniform", dtype, shift=x, low=x, high=x, least=x, most=x)
        return Plan(kernel, "trunc_normal", dtype, a, 0.0, a, b)
    real = _real(dtype)
    if abs(mean) > real.max or std > real.max:
        raise ValueError(f"mean, std: expected numbers within {real.name}'s range (up to {real.max:g}), got {mean:g}, {std:g}")
    acceptance, offset, factor = _cut_moments((a - mean) / std, (b - mean) / std)
    if acceptance < LEAST_MASS:
        raise NotImplementedError(_too_little(a, b, acceptance, f"N({mean}, {std}^2)"))
    extreme = max(min(abs(mean) + REACH[dtype.real] * std, abs(x)) for x in (a, b))
    if extreme > dtype.max:
        raise ValueError(f"mean, std, a, b: values up to {extreme:g} would exceed {dtype.name}'s range "
                         f"(up to {dtype.max:g})")
    inside = {"low": real.at_least(a), "high": real.at_most(b), "least": dtype.at_least(a), "most": dtype.at_most(b)}
    if inside["least"] > inside["most"]:
        raise ValueError(f"a, b: expected an interval that holds a value of {dtype.name}, got [{a}, {b}]")
    scale, shift = _scale(std, dtype), _round(mean, dtype)
    drawn = _cut_moments((inside["low"] - shift) / scale, (inside["high"] - shift) / scale)[0]
    if drawn < LEAST_MASS:  # where mean, std and bounds as rounded are not what was asked
        raise NotImplementedError(_too_little(inside["low"], inside["high"], drawn, f"N({shift}, {scale}^2) in {real.name}"))
    kernel = _kernel("trunc_normal", dtype, scale=scale, shift=shift, **inside)
    return Plan(kernel, "trunc_normal", dtype, mean + offset * std, factor * std, a, b, acceptance)


def _too_little(a: float, b: float, mass: float, parent: str) -> str:
    return (f"a, b: [{a}, {b}] keeps {mass:.3g} of {parent}; truncation that keeps less than {LEAST_MASS} is not supported "
            "yet")


def _cut_moments(low: float, high: float) -> tuple[float, float, float]:
    """Mass, mean and standard deviation of N(0, 1) between low and high.

    With phi and Phi the normal density and distribution function, Z = Phi(high) - Phi(low) and
    d = (phi(low) - phi(high)) / Z: mean = d, variance = 1 + (low phi(low) - high phi(high)) / Z - d^2.
    """
    def density(x: float) -> float:
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi) if abs(x) < 40 else 0.0

    def weighted(x: float) -> float:
        return 0.0 if math.isinf(x) else x * density(x)

    root = math.sqrt(2)
    # The tail farther from zero by erfc: a difference of erf would lose all digits beyond 6.
    mass = (math.erfc(low / root) - math.erfc(high / root) if low > 0 else
            math.erfc(-high / root) - math.erfc(-low / root) if high < 0 else
            math.erf(high / root) - math.erf(low / root)) / 2
    if mass <= 0:
        return 0.0, math.nan, math.nan
    shift = (density(low) - density(high)) / mass
    variance = 1 + (weighted(low) - weighted(high)) / mass - shift * shift
    return mass, shift, math.sqrt(max(variance, 0.0))
