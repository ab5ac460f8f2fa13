"""One pass over a tensor, in pieces: moments, extremes, histogram, and fingerprints of rows and of stretches of values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ..core.calls import words
from ..core.dtypes import DType

__all__ = ["ALPHA", "BINS", "FEW_LEVELS", "PIECE", "Anchors", "Moments", "Scan", "moments"]

ALPHA = 1e-9  # chance that a healthy tensor fails a check
PIECE = 2**18  # elements looked at together: their float64 stay in the second cache
SAMPLE = 2**16  # elements that median and scale are guessed from
BINS = 1024
WINDOW = 16  # elements of an anchor
ANCHORS = 2**21  # kept at most
FEW_LEVELS = 0.05  # chance of two equal elements from which windows repeat by themselves: zeros, quantised weights
QUARTILES_APART = 1.349  # standard deviations between a gaussian's quartiles


class Moments(NamedTuple):
    """The kurtosis of a gaussian is 3."""

    mean: float
    std: float
    kurtosis: float


def power_sums(x: np.ndarray) -> np.ndarray:
    """Sums of the powers 0 to 4."""
    square = x * x
    return np.array([x.size, x.sum(), square.sum(), (square * x).sum(), (square * square).sum()])


def moments(sums: np.ndarray) -> Moments:
    """Of what `power_sums` summed: the central moments are binomial sums of the raw ones.

    These cancel where the mean is far from 0, so the values are shifted by their median first (shifted data: Chan, Golub,
    LeVeque, Algorithms for Computing the Sample Variance, 1983).
    """
    one, two, three, four = map(float, sums[1:] / sums[0])
    variance = two - one * one
    fourth = four - 4 * one * three + 6 * one * one * two - 3 * one**4
    return Moments(one, math.sqrt(max(variance, 0.0)), fourth / variance / variance if variance > 0 else math.nan)


def window_hashes(bits: np.ndarray) -> np.ndarray:
    """A hash of every window of WINDOW elements, each from those of its halves (doubling: Karp, Miller, Rosenberg 1972)."""
    hashes, span = bits * np.uint64(0x9E3779B97F4A7C15), 1
    while span < WINDOW:
        hashes = hashes[:-span] * np.uint64(0xD1342543DE82EF95) + (hashes[span:] ^ (hashes[span:] >> np.uint64(29)))
        span *= 2
    return hashes


class Anchors:
    """Windows of values that their own hashes choose, so that a stretch found twice has the same anchors wherever it lies.

    Those are chosen whose hash begins with `rarity` zero bits (Manber, Finding Similar Files in a Large File System, 1994, "0
    mod p" in Schleimer, Wilkerson, Aiken, Winnowing, 2003). Where they become too many, one bit more must be zero (adaptive
    sampling: Flajolet 1990).
    """

    rarity: int  # leading zero bits of the hashes that are kept
    count: int  # of anchors kept
    _kept: list[np.ndarray]  # columns: hash, place in the tensor, number of the tensor

    def __init__(self) -> None:
        self.rarity, self.count, self._kept = 8, 0, []

    def add(self, tensor: int, start: int, bits: np.ndarray) -> None:
        """The anchors of consecutive elements, the first of which is element `start` of the tensor of that number."""
        if bits.size < WINDOW:
            return
        hashes = window_hashes(bits)
        where = np.flatnonzero(self._rare(hashes))
        where = where[bits[where] != bits[where + 1]]  # not the inside of a run of zeros
        self._kept.append(np.stack([hashes[where], (where + start).astype(np.uint64), np.full(where.size, tensor, np.uint64)]))
        self.count += where.size
        while self.count > ANCHORS:
            self.rarity += 1
            together = np.concatenate(self._kept, axis=1)
            self._kept = [together[:, self._rare(together[0])]]
            self.count = self._kept[0].shape[1]

    def _rare(self, hashes: np.ndarray) -> np.ndarray:
        return hashes >> np.uint64(64 - self.rarity) == 0

    def repeats(self) -> Iterator[tuple[int, int, int, int]]:
        """Pairs of tensors (or one twice) that share stretches: their numbers, the distance, and about how many values.

        Each two anchors of one hash vote for their distance, and the distance with the most votes is a pair's, as in the
        search for recordings (Wang, An Industrial-Strength Audio Search Algorithm, 2003). One window in 2^rarity is an anchor.
        """
        if not self._kept:
            return
        hashes, places, tensors = np.concatenate(self._kept, axis=1)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        earlier, later = order[same], order[same + 1]
        lags = places[later].astype(np.int64) - places[earlier].astype(np.int64)
        votes = Counter(zip(tensors[earlier].tolist(), tensors[later].tolist(), lags.tolist()))
        told = set()
        for (a, b, lag), count in votes.most_common():
            if count > 1 and (a, b) not in told:  # one alone could be a collision of hashes
                told.add((a, b))
                yield a, b, lag, count << self.rarity


class Scan:
    """What one pass over a tensor gathers.

    Median and interquartile range of a sample, which outliers do not move, give the place and scale of the bulk, known before
    the pass. "Scaled" is (x - median) / scale; the bulk are the scaled values within [-reach, reach], and the rest are
    outliers. Where the tensor is `sparse`, its zeros belong to neither.
    """

    dtype: DType
    shape: tuple[int, ...]  # without the axes of length 1
    has_rows: bool  # of two axes or more; the first counts the rows

    size: int
    finite: int
    nans: int
    zeros: int  # left out, of a sparse tensor
    low: float  # extremes of the finite values, and how often each comes
    high: float
    low_count: int
    high_count: int

    equal_chance: float  # that two elements are equal
    sparse: bool
    median: float
    scale: float
    reach: float

    bulk_sums: np.ndarray  # power sums, scaled
    outlier_sums: np.ndarray
    bulk_low: float  # extremes of the bulk, scaled
    bulk_high: float
    histogram: np.ndarray  # of the bulk: BINS over [-reach, reach]

    _rows: np.ndarray
    row_hashes: np.ndarray
    row_alive: np.ndarray  # whether the row has a value that is not 0

    def __init__(self, memory: np.ndarray, dtype: DType, anchors: Anchors, number: int) -> None:
        self.dtype, self.size = dtype, memory.size
        self.shape = tuple(n for n in memory.shape if n > 1)
        self.has_rows = len(self.shape) > 1
        self.finite = self.nans = self.zeros = self.low_count = self.high_count = 0
        self.low, self.high = self.bulk_low, self.bulk_high = math.inf, -math.inf
        self.bulk_sums, self.outlier_sums, self.histogram = np.zeros(5), np.zeros(5), np.zeros(BINS)
        self._guess(memory)
        self._rows = memory.reshape(self.shape if self.has_rows else (1, -1))
        height, width = len(self._rows), self.size // len(self._rows)
        self.row_hashes, self.row_alive = np.zeros(height, np.uint64), np.zeros(height, bool)
        for top, left, piece in _pieces(self._rows):
            self._add_values(dtype.decode(piece).astype(np.float64).reshape(-1))
            bits = piece.view(f"u{piece.itemsize}").astype(np.uint64)
            if self.has_rows:
                self._add_rows(bits, slice(top, top + len(piece)), left)
            if self.equal_chance < FEW_LEVELS:
                anchors.add(number, top * width + left, bits.reshape(-1))

    def moments(self) -> Moments:
        """Of all finite values, as they are."""
        zero = np.float64(-self.median) / self.scale
        sums = self.bulk_sums + self.outlier_sums + self.zeros * np.array([zero**k for k in range(5)])
        center, unit = self.median, self.scale
        if not np.isfinite(sums).all():
            # Fourth powers of outliers 1e77 times as far out as the bulk: once more, in units of the farthest.
            center, unit = 0.0, max(-self.low, self.high)
            sums = np.sum([power_sums(x[np.isfinite(x)] / unit) for x in self._values()], axis=0)
        scaled = moments(sums)
        return Moments(center + unit * scaled.mean, unit * scaled.std, scaled.kurtosis)

    def _values(self) -> Iterator[np.ndarray]:
        for _, _, piece in _pieces(self._rows):
            yield self.dtype.decode(piece).astype(np.float64).reshape(-1)

    def _guess(self, memory: np.ndarray) -> None:
        """What a systematic sample says of the tensor before the pass."""
        step = max(1, self.size // SAMPLE) | 1  # odd: not the same column of every row
        thin = memory.reshape(-1)[::step] if memory.flags.c_contiguous else memory.flat[::step]
        sample = self.dtype.decode(np.ascontiguousarray(thin)).astype(np.float64)
        sample = sample[np.isfinite(sample)]
        # Simpson's index (Measurement of Diversity, 1949), with one equal pair more than there are: none seen is not none.
        often = np.unique(sample, return_counts=True)[1].astype(float)
        self.equal_chance = float((often * (often - 1)).sum() + 2) / max(sample.size * (sample.size - 1), 2)
        self.sparse = bool(sample.size) and 0.01 < float(np.mean(sample == 0)) < 1
        if self.sparse:
            sample = sample[sample != 0]
        low, self.median, high = map(float, np.quantile(sample, [0.25, 0.5, 0.75])) if sample.size else (0.0, 0.0, 0.0)
        self.scale = (high - low) / QUARTILES_APART or abs(self.median) or 1.0
        # Beyond it lies any of so many gaussian numbers with a chance of ALPHA at most (Bonferroni); the quartiles may be off.
        self.reach = -NormalDist().inv_cdf(ALPHA / 2 / self.size) * 1.05

    def _add_values(self, x: np.ndarray) -> None:
        low, high = float(x.min()), float(x.max())
        if not math.isfinite(low) or not math.isfinite(high):
            self.nans += int(np.isnan(x).sum())
            x = x[np.isfinite(x)]
            if not x.size:
                return
            low, high = float(x.min()), float(x.max())
        self.finite += x.size
        self._add_extremes(x, low, high)
        if self.sparse:
            kept = x[x != 0]
            self.zeros += x.size - kept.size
            x = kept
        scaled = (x - self.median) / self.scale
        if low < self.median - self.reach * self.scale or high > self.median + self.reach * self.scale:
            inside = abs(scaled) <= self.reach
            self.outlier_sums += power_sums(scaled[~inside])
            scaled = scaled[inside]
        if scaled.size:
            self._add_bulk(scaled)

    def _add_extremes(self, x: np.ndarray, low: float, high: float) -> None:
        if low < self.low:
            self.low, self.low_count = low, 0
        if high > self.high:
            self.high, self.high_count = high, 0
        if low == self.low:
            self.low_count += int(np.count_nonzero(x == low))
        if high == self.high:
            self.high_count += int(np.count_nonzero(x == high))

    def _add_bulk(self, scaled: np.ndarray) -> None:
        self.bulk_sums += power_sums(scaled)
        self.bulk_low, self.bulk_high = min(self.bulk_low, float(scaled.min())), max(self.bulk_high, float(scaled.max()))
        bins = ((scaled + self.reach) * (BINS / 2 / self.reach)).astype(np.int32)
        self.histogram += np.bincount(bins, minlength=BINS + 1)[:BINS]

    def _add_rows(self, bits: np.ndarray, rows: slice, left: int) -> None:
        """Parts of rows, from column `left` on.

        The hash is multilinear (Carter and Wegman, Universal Classes of Hash Functions, 1979), modulo 2^64: rows that differ in
        elements of L bits have the same one with a probability of at most 2^(L - 64). float64 is taken in halves, L = 32; as a
        whole a row and its negative would be equal, for all factors are odd, and an even number of sign bits cancels.
        """
        parts = bits.view(np.uint32) if self.dtype.itemsize == 8 else bits
        start = left * (parts.shape[1] // bits.shape[1])
        factors = words(2 * parts.shape[1], seed=0, name="rows", offset=2 * start).view(np.uint64) | np.uint64(1)
        self.row_hashes[rows] += parts @ factors
        without_sign = bits << np.uint64(65 - 8 * self.dtype.itemsize)
        self.row_alive[rows] |= (without_sign != 0).any(axis=1)


def _pieces(rows: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Row, column and copy of each piece, in order: some rows, or a part of one, at most PIECE elements."""
    width = rows.size // len(rows)
    tall, wide = max(1, PIECE // width), min(width, PIECE)
    for top in range(0, len(rows), tall):
        block = rows[top : top + tall].reshape(-1, width)
        for left in range(0, width, wide):
            yield top, left, np.ascontiguousarray(block[:, left : left + wide])
