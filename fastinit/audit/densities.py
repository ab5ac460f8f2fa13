"""Densities exp(b x + c x^2) on an interval: uniform, gaussian and truncated gaussian as one family, with its fit.

Mean and standard deviation are all that the family's likelihood asks of the data, so matching them is the maximum-likelihood
fit (Barndorff-Nielsen, Information and Exponential Families, 1978).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

__all__ = ["Density", "fit"]

REACH = 9.5  # standard deviations beyond which a gaussian has 2e-21 of its mass
_T = np.linspace(-1, 1, 4097)
_SIMPSON = np.r_[1, np.tile([4, 2], 2047), 4, 1] * (2 / 3 / 4096)
_POWERS = _T ** np.arange(1, 5)[:, None]


class Density(NamedTuple):
    """A fitted density: proportional to exp(linear t + square t^2), t being -1 at `low` and 1 at `high`."""

    low: float
    high: float
    linear: float
    square: float

    @property
    def parent(self) -> tuple[float, float]:
        """Mean and standard deviation of the gaussian before it was cut; the latter is infinite for a uniform law."""
        half = (self.high - self.low) / 2
        if self.square >= 0:
            return (self.low + self.high) / 2, math.inf
        return float(self.low + self.high) / 2 - half * self.linear / (2 * self.square), half / math.sqrt(-2 * self.square)

    def pdf(self, x: np.ndarray) -> np.ndarray:
        t = (2 * np.asarray(x, np.float64) - self.low - self.high) / (self.high - self.low)
        top, total = _normalise(self.linear, self.square)
        inside = np.exp(self.linear * t + self.square * t * t - top) / total / (self.high - self.low) * 2
        return np.where(abs(t) <= 1, inside, 0.0)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        """By the trapezoidal rule on 4096 intervals: off by less than 1e-6."""
        density = np.exp(self.linear * _T + self.square * _T * _T - _normalise(self.linear, self.square)[0])
        total = np.r_[0.0, np.cumsum(density[1:] + density[:-1])]
        return np.interp(x, self.low + (self.high - self.low) / 2 * (_T + 1), total / total[-1])


def _normalise(linear: float, square: float) -> tuple[float, float]:
    """Maximum of the exponent, and the integral of exp(exponent - maximum)."""
    exponent = linear * _T + square * _T * _T
    top = float(exponent.max())
    return top, float(_SIMPSON @ np.exp(exponent - top))


def fit(mean: float, std: float, low: float, high: float) -> Density:
    """The density of this mean and standard deviation on [low, high]; bounds far outside, infinite ones too, make a gaussian.

    Parameters
    ----------
    mean, std : float
        Of the density itself, cut as it is; low < mean < high, std > 0.
    low, high : float

    Examples
    --------
    >>> density = fit(0.0, 0.87962566, -2.0, 2.0)
    >>> round(density.parent[1], 5)
    1.0
    >>> round(float(fit(0.5, 12 ** -0.5, 0.0, 1.0).pdf(0.1)), 6)
    1.0
    """
    low, high = max(low, mean - REACH * std), min(high, mean + REACH * std)
    m, v = (2 * mean - low - high) / (high - low), (2 * std / (high - low)) ** 2
    asked, theta = np.array([m, v + m * m]), np.array([m / v, -0.5 / v])

    def likelihood(theta: np.ndarray) -> float:
        top, total = _normalise(*theta)
        return float(theta @ asked) - top - math.log(total)

    for _ in range(60):  # Newton's method; the likelihood is concave, so halving the step until it grows always ends
        weights = _SIMPSON * np.exp(theta @ _POWERS[:2] - _normalise(*theta)[0])
        one, two, three, four = _POWERS @ weights / weights.sum()
        slope = asked - (one, two)
        if abs(slope).max() < 1e-11:
            break
        curvature = np.array([[two - one * one, three - one * two], [three - one * two, four - two * two]])
        step = np.linalg.solve(curvature, slope)
        now = likelihood(theta)
        while likelihood(theta + step) < now and abs(step).max() > 1e-12:
            step /= 2
        theta = theta + step
    return Density(low, high, *map(float, theta))
