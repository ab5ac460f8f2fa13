"""One pass over a tensor, in pieces: moments, extremes, histogram, and fingerprints of rows and of stretches of values.

Each piece is C's work (src_c/scan.c), on all threads; what they found is put together in the order of the pieces, so that it
does not depend on the threads.
"""

from __future__ import annotations

import functools
import math
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain
from statistics import NormalDist
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..core import memory
from ..core.calls import words
from ..core.dtypes import DType
from ..formats.read import Stored
from . import _scan

__all__ = ["ALPHA", "BINS", "FEW_LEVELS", "PIECE", "Anchors", "Moments", "Scan", "moments"]

ALPHA = 1e-9  # chance that a healthy tensor fails a check
PIECE = 2**20  # elements that a thread looks at together
SMALL = 2**22  # bytes of a tensor that is read once; of others a sample is read first, and then each piece by its thread
MAPPED = 2**24  # elements that are mapped at a time for the sample
HELD = 2**27  # bytes of a compressed one that is kept for both
MOST_ROWS = 2**23  # rows that are told apart: their hashes take 64 MiB, and to sort them four times that
SAMPLE = 2**16  # elements that median and scale are guessed from
BINS = _scan.BINS
ANCHORS = 2**21  # kept at most
FEW_LEVELS = 0.05  # chance of two equal elements from which windows repeat by themselves: zeros, quantised weights
MOST_SCALE = sys.float_info.max / 16
QUARTILES_APART = 1.349  # standard deviations between a gaussian's quartiles

T = TypeVar("T")
Piece = Callable[[], np.ndarray]  # consecutive elements, aligned


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

    def add(self, tensor: int, found: np.ndarray) -> None:
        """Hashes and places of windows of the tensor of that number; of those that were found at an earlier rarity the rare
        ones."""
        hashes, places = found[self._rare(found[:, 0])].T
        self._kept.append(np.stack([hashes, places, np.full(hashes.size, tensor, np.uint64)]))
        self.count += hashes.size
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
        ordered = np.sort(hashes)
        twice = np.isin(hashes, ordered[1:][ordered[1:] == ordered[:-1]])  # few, as a rule: an argsort of all would take longer
        hashes, places, tensors = hashes[twice], places[twice], tensors[twice]
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
    has_rows: bool  # of two axes or more; the first counts the rows, at most MOST_ROWS

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
    nonzeros: int  # of the sample that these are told by; of those the subnormal ones
    subnormals: int
    decades: float  # from the smallest tenth of the magnitudes to the largest

    bulk_sums: np.ndarray  # power sums, scaled
    outlier_sums: np.ndarray
    bulk_low: float  # extremes of the bulk, scaled
    bulk_high: float
    histogram: np.ndarray  # of the bulk: BINS over [-reach, reach]

    row_hashes: np.ndarray  # empty where there are no rows
    row_alive: np.ndarray  # whether the row has a value that is not 0

    def __init__(self, source: np.ndarray | Stored, dtype: DType, anchors: Anchors, number: int) -> None:
        self.dtype, self.size = dtype, math.prod(source.shape)
        self.shape = tuple(n for n in source.shape if n > 1)
        if isinstance(source, Stored) and (source.order != "C" or source.nbytes <= (HELD if source.member else SMALL)):
            source = np.asarray(source) if source.nbytes > SMALL else source.load()
        self._source = source
        self.has_rows = len(self.shape) > 1 and self.shape[0] <= MOST_ROWS
        height = self.shape[0] if self.has_rows else 0
        self._guess(_sample(source, self.size))
        self.row_hashes, self.row_alive = np.zeros(height, np.uint64), np.zeros(height, np.uint8)
        self._pass(anchors, number, self.size // height if height else 0)

    def _pass(self, anchors: Anchors, number: int, width: int) -> None:
        plan = _scan.ScanPlan(self.dtype.code, memory.isa, self.sparse, self.median, self.scale, self.reach, width, _factors())
        sums, looked = _scan.Sums(), self.equal_chance < FEW_LEVELS

        def scan(start: int, get: Piece) -> tuple[int, Any]:
            return start, plan.scan(get().view(np.uint8), start, anchors.rarity if looked else 0)

        for start, (found, hashes, alive, windows) in _in_order(scan, _pieces(self._source)):
            sums.add(found)
            if width:
                rows = slice(start // width, start // width + len(hashes))
                self.row_hashes[rows] += hashes
                self.row_alive[rows] |= alive
            if looked:
                anchors.add(number, windows)
        told = sums.fields()
        self.finite, self.nans, self.zeros = told["finite"], told["nans"], told["zeros"]
        self.low, self.high, self.low_count, self.high_count = (told[key] for key in ("low", "high", "low_count", "high_count"))
        self.bulk_low, self.bulk_high = told["bulk_low"], told["bulk_high"]
        self.bulk_sums, self.outlier_sums = np.array(told["bulk"]), np.array(told["outliers"])
        self.histogram = np.array(told["histogram"], np.float64)

    def moments(self) -> Moments:
        """Of all finite values, as they are."""
        zero = np.float64(-self.median) / self.scale
        sums = self.bulk_sums + self.outlier_sums + self.zeros * np.array([zero**k for k in range(5)])
        center, unit = self.median, self.scale
        if not np.isfinite(sums).all():
            # Fourth powers of outliers 1e77 times as far out as the bulk: once more, in units of the farthest.
            center, unit = 0.0, max(-self.low, self.high)
            values = (self.dtype.decode(get()).astype(np.float64) for _, get in _pieces(self._source))
            sums = np.sum([power_sums(x[np.isfinite(x)] / unit) for x in values], axis=0)
        scaled = moments(sums)
        return Moments(center + unit * scaled.mean, unit * scaled.std, scaled.kurtosis)

    def rows(self) -> np.ndarray | None:
        """The values as a matrix; None where there is no place to take them from but a compressed stream."""
        if isinstance(self._source, Stored) and self._source.member:
            return None
        return np.asarray(self._source).reshape(self.shape[0], -1)

    def same_rows(self, earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
        """Of pairs of rows with the same hash, those that have the same bits. Rows of a compressed stream that is not held are
        taken by their hashes alone."""
        rows = self.rows()
        if rows is None:
            return np.ones(len(earlier), bool)
        rows, some = rows.view(f"u{rows.itemsize}"), max(1, PIECE // rows.shape[1])
        parts = range(0, len(earlier), some)
        return np.concatenate([(rows[earlier[i : i + some]] == rows[later[i : i + some]]).all(axis=1) for i in parts])

    def _guess(self, thin: np.ndarray) -> None:
        """What a systematic sample says of the tensor before the pass."""
        sample = self.dtype.decode(thin).astype(np.float64)
        sample = sample[np.isfinite(sample)]
        # Simpson's index (Measurement of Diversity, 1949), with one equal pair more than there are: none seen is not none.
        often = np.unique(sample, return_counts=True)[1].astype(float)
        self.equal_chance = float((often * (often - 1)).sum() + 2) / max(sample.size * (sample.size - 1), 2)
        magnitudes = np.abs(sample[sample != 0])
        self.nonzeros = magnitudes.size
        least = {"float64": 2.0**-1022, "float16": 0.0}.get(self.dtype.name, 2.0**-126)  # small weights are, in float16
        self.subnormals = int(np.count_nonzero(magnitudes < least))
        tenths = np.quantile(magnitudes, [0.1, 0.9]) if magnitudes.size else np.ones(2)
        self.decades = float(np.diff(np.log10(tenths))[0])
        self.sparse = bool(sample.size) and 0.01 < float(np.mean(sample == 0)) < 1
        if self.sparse:
            sample = sample[sample != 0]
        low, self.median, high = map(float, np.quantile(sample, [0.25, 0.5, 0.75])) if sample.size else (0.0, 0.0, 0.0)
        self.scale = min(high / QUARTILES_APART - low / QUARTILES_APART, MOST_SCALE) or abs(self.median) or 1.0
        # Beyond it lies any of so many gaussian numbers with a chance of ALPHA at most (Bonferroni); the quartiles may be off.
        self.reach = -NormalDist().inv_cdf(ALPHA / 2 / self.size) * 1.05


@functools.cache
def _factors() -> np.ndarray:
    """One for each of as many columns of a row."""
    return words(_scan.FACTORS, seed=0, name="rows")


def _in_order(work: Callable[[int, Piece], T], pieces: Iterator[tuple[int, Piece]]) -> Iterator[T]:
    """What threads make of the pieces, in their order; of a single piece without threads."""
    first, second = next(pieces, None), next(pieces, None)
    if first is None or second is None:
        yield from (work(*piece) for piece in (first,) if piece)
        return
    threads = memory.resolve_threads(None)
    with ThreadPoolExecutor(threads, "fastinit-audit") as pool:
        waiting: deque[Future[T]] = deque()
        for piece in chain((first, second), pieces):
            waiting.append(pool.submit(work, *piece))
            if len(waiting) > threads + 1:  # pieces at a time, each in memory of its own
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _sample(source: np.ndarray | Stored, size: int) -> np.ndarray:
    step = max(1, size // SAMPLE) | 1  # odd: not the same column of every row
    if isinstance(source, Stored):
        if source.member:
            return np.concatenate([get()[-start % step :: step].copy() for start, get in _pieces(source)])
        # Mapped: only the pages that the sample lies on are brought in; in parts, as they count as this process's memory.
        parts = ((start, min(MAPPED, size - start)) for start in range(0, size, MAPPED))
        return np.concatenate([source.mapped(start, count)[-start % step :: step].copy() for start, count in parts])
    return np.ascontiguousarray(source.reshape(-1)[::step] if source.flags.c_contiguous else source.flat[::step])


def _pieces(source: np.ndarray | Stored) -> Iterator[tuple[int, Piece]]:
    """All elements, at most PIECE together, each piece with the number of its first."""
    size = math.prod(source.shape)
    if isinstance(source, Stored):
        if not source.member:
            yield from ((start, partial(source.part, start, min(PIECE, size - start))) for start in range(0, size, PIECE))
            return
        for number, block in enumerate(source.blocks(PIECE)):
            yield number * PIECE, partial(np.asarray, block)
    elif source.flags.c_contiguous and source.flags.aligned:
        flat = source.reshape(-1)
        yield from ((start, partial(flat.__getitem__, slice(start, start + PIECE))) for start in range(0, size, PIECE))
    else:
        rows = source.reshape(len(source), -1) if source.ndim else source.reshape(1, 1)
        height, width = rows.shape
        tall, wide = max(1, PIECE // width), min(width, PIECE)
        for top in range(0, height, tall):
            for left in range(0, width, wide):
                part = rows[top : top + tall, left : left + wide]
                yield top * width + left, partial(_straight, part)


def _straight(part: np.ndarray) -> np.ndarray:
    return np.require(part, requirements=["C", "A"]).reshape(-1)
