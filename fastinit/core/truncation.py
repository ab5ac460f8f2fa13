"""The gaussian cut to [a, b]: its moments, and the proposal that it is rejected from (``src_c/README.md``, section 6).

Whatever decides bits is computed in decimals of 60 digits, whose every operation is rounded correctly by specification
(M. Cowlishaw, General Decimal Arithmetic): no C library's erf can be seen in the stream, and nothing is lost where it cancels.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from functools import lru_cache
from typing import NamedTuple

from .dtypes import DTYPES, DType
from .plan import KEPT, REACH, Plan, kernel_plan, rounded, rounded_std, uniform_grid

__all__ = ["trunc_normal"]

_DIGITS = Context(60, ROUND_HALF_EVEN, -999999, 999999, traps=[InvalidOperation, DivisionByZero, Overflow])

# Of the density, exp(-60) = 1e-26 of its largest value is taken for nothing.
_NOTHING = 60

# Another proposal must accept this much more than the gaussian one to be faster: a candidate takes it twice the words.
_DEARER = 1.1

_ROOT_2PI = Decimal("2.50662827463100050241576528481104525300698674060993831662992")


class _Cut(NamedTuple):
    """N(0, 1) between alpha and beta, about its densest point: alpha, beta or 0."""

    alpha: Decimal
    beta: Decimal
    width: Decimal  # beta - alpha, whose digits those two may have lost
    area: Decimal  # under the density, over its value at the densest point
    offset: Decimal  # of the mean from there
    std: Decimal

    @property
    def mass(self) -> float:
        """Of N(0, 1) between the two."""
        origin = max(self.alpha, -self.beta, Decimal(0))
        return float(self.area / _ROOT_2PI * (-origin * origin / 2).exp())


def _cut(a: float, b: float, mean: float, std: float) -> _Cut:
    low, high, centre, scale = map(Decimal, (a, b, mean, std))
    return _moments((low - centre) / scale, (high - centre) / scale, (high - low) / scale)


@lru_cache(maxsize=KEPT)
def _moments(alpha: Decimal, beta: Decimal, width: Decimal) -> _Cut:
    if alpha >= 0:
        area, first, second = _integrals(alpha, width)
    elif beta <= 0:
        area, first, second = _integrals(-beta, width)
        first = -first
    else:
        left, right = _integrals(Decimal(0), -alpha), _integrals(Decimal(0), beta)
        area, first, second = left[0] + right[0], right[1] - left[1], left[2] + right[2]
    offset = first / area
    return _Cut(alpha, beta, width, area, offset, (second / area - offset * offset).sqrt())


def _integrals(start: Decimal, width: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """Of s^k exp(-start s - s^2 / 2) from 0 to width, k = 0, 1, 2, for start >= 0: the tail beyond start, from there."""
    return _series(start, min(width, 2 * _NOTHING / (start + (start * start + 2 * _NOTHING).sqrt())))


@lru_cache(maxsize=KEPT)
def _series(start: Decimal, width: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    """`_integrals` by the exponential's Taylor series, terms p_n (s / width)^n with p_n = -(start width p_(n-1)
    + width^2 p_(n-2)) / n. They stay below exp(60), 26 of the 60 digits, as widths end where nothing is left."""
    linear, square = start * width, width * width
    before, term, n = Decimal(0), Decimal(1), 0
    sums = [Decimal(0)] * 3
    while abs(term) + abs(before) > Decimal("1e-40"):
        sums = [total + term / (n + k + 1) for k, total in enumerate(sums)]
        n += 1
        before, term = term, -(linear * term + square * before) / n
    return sums[0] * width, sums[1] * square, sums[2] * square * width


@lru_cache(maxsize=KEPT)
def trunc_normal(mean: float, std: float, a: float, b: float, dtype: DType, bounds: str = "absolute",
                 std_is: str = "parent") -> Plan:
    mean, std, a, b = mean + 0.0, std + 0.0, a + 0.0, b + 0.0
    if a > b:
        raise ValueError(f"a, b: expected a <= b, got a={a}, b={b}")
    with localcontext(_DIGITS):
        if std_is == "result" and std:
            std = _parent(mean, std, a, b, bounds)
        if bounds == "std":
            a, b = (mean + a * std, mean + b * std) if std else (mean, mean)  # 0 times an infinite bound is NaN
        if std == 0 and not a <= mean <= b:
            raise ValueError(f"std: 0 leaves only the mean {mean}, which is outside [{a}, {b}]")
        inside = _inside(a, b, dtype)
        if std == 0 or a == b:
            return _point(dtype.nearest(mean), dtype, mean if std == 0 else a, 0.0, a, b, inside)
        asked = _cut(a, b, mean, std)
        centre = a if asked.alpha > 0 else b if asked.beta < 0 else mean
        moments = float(Decimal(centre) + asked.offset * Decimal(std)), float(asked.std * Decimal(std))
        if inside["least"] == inside["most"]:
            return _point(inside["least"], dtype, *moments, a, b, inside)
        regime, acceptance, numbers = _proposal(mean, std, asked, dtype, inside)
    dist = {"gaussian": "trunc_normal", "narrow": "trunc_narrow", "tail": "trunc_tail"}[regime]
    return Plan(kernel_plan(dist, dtype, **numbers, **inside), "trunc_normal", dtype, *moments, a, b, acceptance, regime)


def _inside(a: float, b: float, dtype: DType) -> dict[str, float]:
    """[a, b] as the closed intervals of the kernel's type and of dtype."""
    if a == b:
        return dict.fromkeys(("low", "high", "least", "most"), dtype.nearest(a))
    real = DTYPES[dtype.real.name]
    inside = {"low": real.at_least(a), "high": real.at_most(b), "least": dtype.at_least(a), "most": dtype.at_most(b)}
    if inside["least"] > inside["most"]:
        raise ValueError(f"a, b: expected an interval that holds a value of {dtype.name}, got [{a}, {b}]")
    return inside


def _point(x: float, dtype: DType, mean: float, std: float, a: float, b: float, inside: dict[str, float]) -> Plan:
    """One value: the only one there is, or that std = 0 leaves."""
    x = min(max(x, inside["least"]), inside["most"])
    if math.isinf(x):
        raise ValueError(f"a, b: expected bounds within {dtype.name}'s range (up to {dtype.max:g}), got {a} and {b}")
    return Plan(kernel_plan("uniform", dtype, shift=x, low=x, high=x, least=x, most=x), "trunc_normal", dtype, mean, std, a, b,
                regime="point")


class _Rates(NamedTuple):
    """What share of its candidates each proposal but the gaussian one keeps, and the exponential's rate."""

    uniform: Decimal
    exponential: Decimal
    rate: Decimal  # lambda, over standard deviations
    rightward: bool  # from alpha up, not from beta down


def _rates(cut: _Cut) -> _Rates:
    """A uniform candidate is kept with the density at it over that at the densest point: area / width in the mean.

    An exponential one from the bound nearest to the mean, alpha standard deviations from it, has the density
    lambda exp(-lambda (x - alpha)) and is kept with exp(-(x - lambda)^2 / 2) (Robert 1995, Simulation of truncated normal
    variables, Statistics and Computing 5; lambda is his optimum). With alpha = lambda - 1 / lambda the product's integral is
    lambda exp(lambda^2 / 2 - 1) times that of exp(-x^2 / 2), which is `area` where the densest point is 0, and
    exp(-alpha^2 / 2) `area` where it is alpha: there, the exponents add up to -1 / (2 lambda^2).
    """
    rightward = cut.alpha >= -cut.beta
    alpha = cut.alpha if rightward else -cut.beta
    alpha = max(alpha, Decimal(-9))  # finite; so far inside, nothing but the gaussian one is taken
    rate = (alpha + (alpha * alpha + 4).sqrt()) / 2
    exponent = -1 / (2 * rate * rate) if alpha >= 0 else rate * rate / 2 - 1
    return _Rates(cut.area / cut.width, cut.area * rate * exponent.exp(), rate, rightward)


def _proposal(mean: float, std: float, asked: _Cut, dtype: DType,
              inside: dict[str, float]) -> tuple[str, float, dict[str, float]]:
    """Regime, acceptance and the kernel's numbers, judged on the interval as rounded: gaussian, if no other keeps a tenth more;
    or the better of uniform and exponential. The gaussian one then keeps more than 0.6, the others more than 1 - 1/e."""
    low, high = inside["low"], inside["high"]
    rates = _rates(_cut(low, high, mean, std))
    least = float(max(rates.uniform, rates.exponential)) / _DEARER
    if asked.mass >= least:
        reach = REACH[dtype.real] * std
        _check_reach(max(low, mean - reach), min(high, mean + reach), dtype)
        if max(abs(mean), std) <= DTYPES[dtype.real.name].max:
            scale, shift = rounded_std(std, dtype), rounded(mean, dtype)
            # Kept is what lies inside once it is rounded, by mean and std as rounded.
            kept = _cut(_rounds_to(low, dtype), -_rounds_to(-high, dtype), shift, scale).mass
            if kept >= least:
                return "gaussian", min(kept, asked.mass), {"scale": scale, "shift": shift}
    if rates.uniform >= rates.exponential:
        _check_reach(low, high, dtype)
        return "narrow", float(rates.uniform), _narrow(low, high, mean, std, dtype)
    most = Decimal(REACH[dtype.real])  # the largest root of -2 ln u, of the proposal and of the acceptance test
    reach = float(min(most * most / (2 * rates.rate), 1 / rates.rate + most) * Decimal(std))
    if rates.rightward:
        _check_reach(low, min(high, low + reach), dtype)
        return "tail", float(rates.exponential), _tail(low, rates.rate, std, dtype)
    _check_reach(max(low, high - reach), high, dtype)
    return "tail", float(rates.exponential), _tail(high, rates.rate, -std, dtype)


def _rounds_to(low: float, dtype: DType) -> float:
    """The least that the kernel's type rounds to low."""
    return low if math.isinf(low) else low / 2 + DTYPES[dtype.real.name].below(low) / 2


def _check_reach(low: float, high: float, dtype: DType) -> None:
    extreme = max(abs(low), abs(high))
    if extreme > dtype.max:
        raise ValueError(f"mean, std, a, b: values up to {extreme:g} would exceed {dtype.name}'s range (up to {dtype.max:g})")


def _narrow(low: float, high: float, mean: float, std: float, dtype: DType) -> dict[str, float]:
    """A uniform candidate k is accepted if d (d curve + slope) <= -2 ln u, d = k - origin: the square of its distance from
    the mean, less that of the densest point, all in steps of the uniform's grid, so that no std can overflow."""
    numbers = uniform_grid(low, high, dtype)
    step, middle, centre = Decimal(numbers["scale"]), (Decimal(low) + Decimal(high)) / 2, Decimal(mean)
    origin = rounded((min(max(centre, Decimal(low)), Decimal(high)) - middle) / step, dtype)
    curve = (step / Decimal(std)) ** 2
    slope = 2 * (Decimal(origin) + (middle - centre) / step) * curve
    return {**numbers, "origin": origin, "curve": rounded(curve, dtype), "slope": rounded(slope, dtype)}


def _tail(bound: float, rate: Decimal, std: float, dtype: DType) -> dict[str, float]:
    """e = -2 ln u is 2 rate times the standardised distance from the bound, and t = (e / 2 - 1) / rate that from rate, as
    alpha - rate = -1 / rate."""
    scale = Decimal(std) / (2 * rate)
    if abs(bound) * 2.0**-62 < abs(scale) < dtype.tiny:  # a smaller one cannot be seen
        raise ValueError(f"std, a, b: a spread of {float(abs(scale)):g} at {bound:g} is below the arithmetic of {dtype.name}")
    return {"scale": rounded(scale, dtype), "shift": bound, "curve": rounded(1 / (2 * rate), dtype),
            "slope": rounded(-1 / rate, dtype)}


def _parent(mean: float, std: float, a: float, b: float, bounds: str) -> float:
    """The parent's standard deviation where `std` is that of the result; std > 0."""
    if a == b:
        raise ValueError(f"std: expected 0, all that a = b = {a} leaves, got {std}")
    if bounds == "std":
        parent = std / float(_cut(a, b, 0.0, 1.0).std)
        if math.isinf(parent):
            raise ValueError(f"std: {std} with bounds {a} and {b} asks for a parent beyond float64's range")
        return parent
    most = (Decimal(b) - Decimal(a)) / Decimal(12).sqrt()
    if std >= most:
        raise ValueError(f"std: expected less than {float(most):g}, the uniform distribution's on [{a}, {b}], got {std}")

    def result(parent: float) -> float:
        return float(_cut(a, b, mean, parent).std * Decimal(parent))

    # It grows with the parent's, which it never exceeds.
    below = above = std
    while result(above) < std:
        below, above = above, 4 * above
        if math.isinf(above):
            raise ValueError(f"std: {std} on [{a}, {b}] asks for a parent beyond float64's range")
    while below < (middle := below + (above - below) / 2) < above:
        below, above = (middle, above) if result(middle) < std else (below, middle)
    return above
