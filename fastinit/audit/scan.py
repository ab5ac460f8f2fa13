"""One pass over a tensor, in pieces: moments, extremes, histogram, and fingerprints of rows and of stretches of values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np

from ..core.calls import words
from ..core.dtypes import DType

__all__ = ["ALPHA", "Anchors", "Scan", "moments"]

ALPHA = 1e-9  # chance that a healthy tensor fails a check
PIECE = 2**18  # elements looked at together: their float64 stay in the second cache
SAMPLE = 2**16  # elements that place and scale are guessed from
BINS = 1024
WINDOW = 16  # elements of an anchor
ANCHORS = 2**21  # kept at most
FEW_LEVELS = 0.05  # chance of two equal elements from which windows repeat by themselves: zeros, quantised weights


def powers(y: np.ndarray) -> np.ndarray:
    """Sums of the powers 0 to 4."""
    square = y * y
    return np.array([y.size, y.sum(), square.sum(), (square * y).sum(), (square * square).sum()])


def moments(sums: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard deviation and kurtosis of what `powers` summed."""
    one, two, three, four = map(float, sums[1:] / sums[0])
    variance = two - one * one
    fourth = four - 4 * one * three + 6 * one * one * two - 3 * one**4
    return one, math.sqrt(max(variance, 0.0)), fourth / variance**2 if variance > 0 else math.nan


class Anchors:
    """Windows of values that their own bits choose, so that a stretch found twice has the same anchors wherever it lies."""

    def __init__(self) -> None:
        self.rarity = 8  # bits that must be zero
        self.found: list[np.ndarray] = []  # fingerprint, place, tensor
        self.count = 0

    def add(self, tensor: int, start: int, bits: np.ndarray) -> None:
        """The anchors of consecutive elements, the first of which is element `start` of the tensor of that number."""
        if bits.size < WINDOW:
            return
        hashes, span = bits * np.uint64(0x9E3779B97F4A7C15), 1
        while span < WINDOW:
            hashes = hashes[:-span] * np.uint64(0xD1342543DE82EF95) + (hashes[span:] ^ (hashes[span:] >> np.uint64(29)))
            span *= 2
        where = np.flatnonzero(hashes >> np.uint64(64 - self.rarity) == 0)
        where = where[bits[where] != bits[where + 1]]  # not the inside of a run of zeros
        self.found.append(np.stack([hashes[where], (where + start).astype(np.uint64), np.full(where.size, tensor, np.uint64)]))
        self.count += where.size
        while self.count > ANCHORS:
            self.rarity += 1
            together = np.concatenate(self.found, axis=1)
            self.found = [together[:, together[0] >> np.uint64(64 - self.rarity) == 0]]
            self.count = self.found[0].shape[1]

    def repeats(self) -> Iterator[tuple[int, int, int, int]]:
        """Pairs of tensors (or one twice) that share stretches: their numbers, the distance, and about how many values."""
        if not self.found:
            return
        hashes, where, tensor = np.concatenate(self.found, axis=1)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        first, second = order[same], order[same + 1]
        lags = where[second].astype(np.int64) - where[first].astype(np.int64)
        told = set()
        for (a, b, lag), count in Counter(zip(tensor[first].tolist(), tensor[second].tolist(), lags.tolist())).most_common():
            if count > 1 and (a, b) not in told:  # one alone could be a collision of fingerprints
                told.add((a, b))
                yield a, b, lag, count << self.rarity


class Scan:
    """What one pass gathers; sums and histogram are of (x - at) / scale, which the quartiles give.

    Attributes
    ----------
    size, count, nans, zeros : int
        All elements; the finite ones; NaNs; zeros left out of the sums where `sparse` is true.
    low, high, at_low, at_high
        Extremes of the finite values, and how often each comes.
    sums, out_sums : ndarray, shape (5,)
        Sums of powers of what lies within `reach` and beyond it.
    in_low, in_high : float
        Extremes within the reach, scaled.
    histogram : ndarray, shape (BINS,)
        Over [-reach, reach].
    equal : float
        Chance that two elements are equal, or a bound for it.
    rows : ndarray of uint64; alive : ndarray of bool
        A fingerprint of each row, and whether it has a value that is not 0.
    """

    def __init__(self, memory: np.ndarray, dtype: DType, anchors: Anchors, number: int) -> None:
        self.dtype, self.size = dtype, memory.size
        self.shape = tuple(n for n in memory.shape if n > 1)
        self.count = self.nans = self.zeros = 0
        self.low, self.high, self.at_low, self.at_high = math.inf, -math.inf, 0, 0
        self.in_low, self.in_high = math.inf, -math.inf
        self.sums, self.out_sums, self.histogram = np.zeros(5), np.zeros(5), np.zeros(BINS)
        self._guess(memory)
        height = self.shape[0] if len(self.shape) > 1 else 1
        width = self.size // height
        self.rows, self.alive = np.zeros(height, np.uint64), np.zeros(height, bool)
        matrix, tall, wide = memory.reshape(self.shape or 1), max(1, PIECE // width), min(width, PIECE)
        for top in range(0, height, tall):
            block = (matrix if height == 1 else matrix[top : top + tall]).reshape(-1, width)
            for left in range(0, width, wide):
                piece = np.ascontiguousarray(block[:, left : left + wide])
                self._values(dtype.decode(piece).astype(np.float64).reshape(-1))
                bits = piece.view(f"u{piece.itemsize}").astype(np.uint64)
                if len(self.shape) > 1:
                    self._rows(bits, slice(top, top + tall), left)
                if self.equal < FEW_LEVELS:
                    anchors.add(number, top * width + left, bits.reshape(-1))

    def _guess(self, memory: np.ndarray) -> None:
        """Place and scale by quartiles, which outliers do not move."""
        step = max(1, self.size // SAMPLE) | 1  # odd: not the same column of every row
        thin = memory.reshape(-1)[::step] if memory.flags.c_contiguous else memory.flat[::step]
        sample = self.dtype.decode(np.ascontiguousarray(thin)).astype(np.float64)
        sample = sample[np.isfinite(sample)]
        often = np.unique(sample, return_counts=True)[1].astype(float)
        self.equal = float((often * (often - 1)).sum() + 2) / max(sample.size * (sample.size - 1), 2)
        self.sparse = bool(sample.size) and 0.01 < float(np.mean(sample == 0)) < 1
        if self.sparse:
            sample = sample[sample != 0]
        low, at, high = map(float, np.quantile(sample, [0.25, 0.5, 0.75])) if sample.size else (0.0, 0.0, 0.0)
        self.at, self.scale = at, (high - low) / 1.349 or abs(at) or 1.0
        self.reach = -NormalDist().inv_cdf(ALPHA / 2 / self.size) * 1.05  # the quartiles may be off

    def _values(self, x: np.ndarray) -> None:
        low, high = float(x.min()), float(x.max())
        if not math.isfinite(low) or not math.isfinite(high):
            self.nans += int(np.isnan(x).sum())
            x = x[np.isfinite(x)]
            if not x.size:
                return
            low, high = float(x.min()), float(x.max())
        self.count += x.size
        if low <= self.low:
            self.at_low = int(np.count_nonzero(x == low)) + (self.at_low if low == self.low else 0)
            self.low = low
        if high >= self.high:
            self.at_high = int(np.count_nonzero(x == high)) + (self.at_high if high == self.high else 0)
            self.high = high
        if self.sparse:
            kept = x[x != 0]
            self.zeros += x.size - kept.size
            x = kept
        y = (x - self.at) / self.scale
        if low < self.at - self.reach * self.scale or high > self.at + self.reach * self.scale:
            inside = abs(y) <= self.reach
            self.out_sums += powers(y[~inside])
            y = y[inside]
        if y.size:
            self.sums += powers(y)
            self.in_low, self.in_high = min(self.in_low, float(y.min())), max(self.in_high, float(y.max()))
            places = ((y + self.reach) * (BINS / 2 / self.reach)).astype(np.int32)
            self.histogram += np.bincount(places, minlength=BINS + 1)[:BINS]

    def _rows(self, bits: np.ndarray, rows: slice, left: int) -> None:
        factors = words(2 * bits.shape[1], seed=0, name="rows", offset=2 * left).view(np.uint64) | np.uint64(1)
        self.rows[rows] += bits @ factors
        self.alive[rows] |= (bits << np.uint64(65 - 8 * self.dtype.itemsize) != 0).any(axis=1)  # 0.0 or -0.0 but for the sign
