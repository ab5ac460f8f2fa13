"""What is no random draw: memory that nobody wrote, orthogonal matrices, values that follow a plan, whose rows may be equal."""

from __future__ import annotations

import math

import numpy as np

from ..core.calls import INITIALIZERS
from .scan import Scan

__all__ = ["is_orthogonal", "is_pattern", "repeated_each", "unwritten"]

SUBNORMALS = 1e-4  # share of a sample: no law that weights are drawn from gives one
DECADES = 12.0  # between the tenths of the largest and of the smallest magnitudes: a gaussian's are 1.1 apart
SMOOTH = 0.5  # correlation of neighbouring rows, as tables of sines have it; random ones have none
LOOKED_AT = 2**16  # elements
VECTORS = 6  # of a matrix: 15 products that are zeros of an orthogonal one


def unwritten(seen: Scan) -> str:
    """What betrays bytes of another kind, such as pointers, read as numbers; "" for numbers."""
    if seen.subnormals >= max(min(3, seen.nonzeros), SUBNORMALS * seen.nonzeros, 1):
        return f"{seen.subnormals:,} of {seen.nonzeros:,} sampled values are subnormal"
    if seen.nonzeros >= 20 and seen.decades > DECADES:
        return f"magnitudes reach over {seen.decades:.0f} decades, without the outer tenths"
    return ""


def is_orthogonal(seen: Scan) -> bool:
    """Whether some rows of a wide matrix, or columns of a tall one, are as long as one another and orthogonal.

    Of gaussian ones the products, and differences of squared lengths, are within a tenth of their standard deviations by a
    chance of 0.08 each.
    """
    rows = seen.rows()
    if rows is None or min(rows.shape) < 3:
        return False
    step = max(1, min(rows.shape) // VECTORS)
    picked = rows[::step] if rows.shape[0] <= rows.shape[1] else rows[:, ::step].T
    x = seen.dtype.decode(np.ascontiguousarray(picked[:VECTORS])).astype(np.float64)
    products = x @ x.T
    squares = np.diagonal(products)
    near = 0.1 / math.sqrt(x.shape[1]) * squares.mean()
    apart = abs(products[np.triu_indices(len(x), 1)])
    return bool(near > 0 and apart.max() < near and np.ptp(squares) < math.sqrt(2) * near)


def is_pattern(seen: Scan, row: int) -> bool:
    """Whether a row is one that rises or falls throughout or has half as many values as a random one, or rows go over into one
    another smoothly: kernels that interpolate, tables of positions."""
    rows = seen.rows()
    if rows is None:
        return False
    some = rows[row][:LOOKED_AT]
    steps = np.diff(seen.dtype.decode(some).astype(np.float64))
    if len(some) >= 8 and (steps.min() > 0 or steps.max() < 0):
        return True
    random = INITIALIZERS["normal"](some.shape, seed=0, dtype=seen.dtype.name)
    if len(np.unique(some)) <= len(np.unique(random)) / 2:
        return True
    table = seen.dtype.decode(rows[: max(2, LOOKED_AT // rows.shape[1])]).astype(np.float64)
    upper, lower = table[:-1], table[1:]
    differ = (upper != lower).any(axis=1)
    if np.count_nonzero(differ) * rows.shape[1] < 100:
        return False
    upper, lower = upper[differ] - seen.median, lower[differ] - seen.median
    return bool((upper * lower).sum() > SMOOTH * (upper * upper).sum())


def repeated_each(hashes: np.ndarray) -> int:
    """How often every row comes, one after another, if that is a square: as for a shuffle of pixels (ICNR, Aitken et al. 2017);
    1 if not."""
    starts = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
    times = len(hashes) // len(starts)
    whole = times * len(starts) == len(hashes) and (np.diff(starts) == times).all() and len(np.unique(hashes)) == len(starts)
    return times if whole and len(starts) > 1 and math.isqrt(times) ** 2 == times else 1
