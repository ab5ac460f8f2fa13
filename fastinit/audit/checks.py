"""Are these weights healthy? Moments, laws, fans, dead, equal and repeated parts of every tensor of a file.

Every check that a healthy tensor could fail by chance does so with a probability of at most `ALPHA`; there are fewer than
ten for a tensor, so a healthy model of 1,000 tensors is blamed once in 10^5 audits (Bonferroni).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import DType
from ..core.fans import calculate_fans
from ..core.public import public_in
from ..formats.read import Tensor, Unreadable
from .agreement import experts, rules_of, swapped
from .densities import Density, fit
from .patterns import is_orthogonal, is_pattern, repeated_each, unwritten
from .intent import Meant, compare
from .report import Report
from .scan import ALPHA, BINS, FEW_LEVELS, Anchors, Moments, Scan, moments

__all__ = ["ALPHA", "audit"]

ENOUGH = 100  # values that a law is judged by
NEAR = 0.02  # distance of distribution functions up to which outliers are told from the bulk
SCALES = re.compile(r"norm|gamma|scale|(^|[._])(ln|bn)")  # names of what multiplies
VOCABULARY = 1024  # rows from which on those at the end may fill a size up


@public_in("fastinit.audit")
def audit(tensors: Iterable[Tensor], *, layout: str = "OI", meant: Meant | None = None) -> list[Report]:
    """Look at every tensor; the reports come in the same order.

    Parameters
    ----------
    tensors : iterable of Tensor
        As `fastinit.weights.read` gives them; each is let go of before the next is asked for.
    layout : str
        Of the weights' axes, as for `calculate_fans`.
    meant : callable, optional
        Given a tensor's name and shape, the `Intent` that it is compared with, or None.

    Returns
    -------
    list of Report

    Examples
    --------
    >>> import fastinit as fi
    >>> from fastinit.audit import audit
    >>> from fastinit.weights import of_array
    >>> w = fi.kaiming_normal((512, 256), seed=0)
    >>> w[300] = w[7]
    >>> report, = audit([of_array("w", w)])
    >>> report.law, report.rules, [finding.kind for finding in report.faults]
    ('normal', ['kaiming fan_in'], ['equal rows'])
    """
    calculate_fans((1,), layout=layout, fan_in=1)  # refuses what is no layout, whatever the tensors' shapes are
    reports: list[Report] = []
    places: list[int | None] = []
    patterns: set[int] = set()
    anchors = Anchors()
    for number, tensor in enumerate(tensors):
        report = Report(tensor.name, tensor.shape, tensor.stored)
        reports.append(report)
        places.append(tensor.place)
        if tensor.dtype is None:
            report.add("skipped", f"{tensor.stored} is not looked into", False)
        elif math.prod(tensor.shape):
            try:
                with np.errstate(all="ignore"):  # values near the ends of float64, whose squares are infinite
                    seen = Scan(tensor.source, tensor.dtype, anchors, number)
                    if _judge(report, seen, layout):
                        patterns.add(number)
                    if meant and compare(report, seen, meant(report.name, report.shape)):
                        patterns.add(number)
            except Unreadable as error:
                report.add("unreadable", str(error))
    _repeats(reports, places, patterns, anchors)
    swapped(reports)
    _scales(reports)
    return reports


def _judge(report: Report, seen: Scan, layout: str) -> bool:
    """Tells all but what takes other tensors to see; returns whether the values are a pattern."""
    for kind, count in (("nan", seen.nans), ("inf", seen.size - seen.finite - seen.nans)):
        if count:
            report.add(kind, f"{count:,} of {seen.size:,} values are {kind}")
    if not seen.finite:
        return False
    report.low, report.high = seen.low, seen.high
    if seen.low == seen.high:
        report.law, report.mean, report.std = "constant", seen.low, 0.0
    else:
        report.mean, report.std, report.kurtosis = seen.moments()
    if garbage := unwritten(seen):
        report.add("unwritten", f"{garbage}: memory that was never written, or bytes of another type?")
        return False
    if report.law == "constant":
        if seen.has_rows:
            _constant(report, seen.low)
        return False
    if seen.has_rows:
        _rows(report, seen)
    return seen.bulk_sums[0] >= ENOUGH and _judge_law(report, seen, layout)


def _judge_law(report: Report, seen: Scan, layout: str) -> bool:
    law = _law(seen)
    report.law = "sparse " * seen.sparse + law.name
    pattern = any(finding.kind == "equal rows" and not finding.fault for finding in report.findings) or (
        law.name == "other" and seen.has_rows and is_pattern(seen, len(seen.row_hashes) // 2))
    _outliers(report, seen, law)
    if seen.equal_chance < FEW_LEVELS:
        _stuck(report, seen, pattern)
    if seen.has_rows and not seen.sparse and law.name != "other":
        report.rules = rules_of(report.shape, seen.scale * law.bulk.std, law.bulk.kurtosis, seen.bulk_sums[0], layout)
        if any(" fan_" in rule for rule in report.rules) and is_orthogonal(seen):
            report.rules.insert(0, "orthogonal")
        experts(report)
    return pattern


def _constant(report: Report, value: float) -> None:
    if value == 0:
        report.add("constant", "all zeros: right for an output or a residual branch only", False)
    elif value == 1 and SCALES.search(report.name.lower()):
        report.add("constant", "all ones, as a scale has them", False)
    else:
        report.add("constant", f"all values are {value:g}: its units start equal and stay equal in training (symmetry)")


def _scales(reports: list[Report]) -> None:
    """Ones whose bias has their shape are a norm's, whatever that is called: a layer's bias has one axis."""
    shapes = {report.name: report.shape for report in reports}
    for report in reports:
        if report.low == report.high == 1 and shapes.get(report.name.removesuffix("weight") + "bias") == report.shape:
            report.findings = [replace(found, fault=found.fault and found.kind != "constant") for found in report.findings]


class _Law(NamedTuple):
    name: str  # "other" where none fits
    bulk: Moments  # scaled
    distance: float  # of the nearest law, whether or not it fits


def _law(seen: Scan) -> _Law:
    """The uniform law between the bulk's extremes, or a gaussian of its mean and standard deviation, whichever is nearer.

    The distance is Kolmogorov and Smirnov's: the largest between two distribution functions, here at the histogram's edges.
    """
    bulk, count = moments(seen.bulk_sums), seen.bulk_sums[0]
    if not bulk.std > 1e-6:
        return _Law("other", bulk, 1.0)
    low, high = seen.bulk_low, seen.bulk_high
    densities = {"uniform": Density(low, high, 0.0, 0.0), "normal": fit(bulk.mean, bulk.std, -math.inf, math.inf),
                 "trunc_normal": fit(bulk.mean, bulk.std, low, high)}
    edges = _between_stored(seen, np.linspace(-seen.reach, seen.reach, BINS + 1)[1:-1])
    found = np.cumsum(seen.histogram)[:-1] / count
    distances = {name: float(abs(density.cdf(edges) - found).max()) for name, density in densities.items()}
    # What a law has beyond a sample's two extremes, times the sample's size, is Gamma(2) (spacings: Pyke 1965), so it exceeds
    # 25 with a probability of 26 exp(-25) = 4e-10.
    gaussian = NormalDist(bulk.mean, bulk.std)
    cut = count * (gaussian.cdf(low) + 1 - gaussian.cdf(high)) > 25
    # A sample of the law is farther from it with a probability of at most ALPHA (Dvoretzky, Kiefer, Wolfowitz 1956; Massart
    # 1990). Fitting brings the two closer, so it errs on the side of silence (Lilliefors 1967). Where the law ends is known to
    # a step of the dtype, and what lies within one is rounded to the extreme.
    limit = math.sqrt(math.log(2 / ALPHA) / 2 / count)
    ends = np.array([low, high])
    steps = _ulp(seen.median + seen.scale * ends, seen.dtype) / seen.scale
    fitting = {name: distances[name] for name in ("uniform", "trunc_normal" if cut else "normal")
               if distances[name] < limit + (densities[name].pdf(ends) * steps).max()}
    # The uniform law is the truncated one's limit, and never quite as near; of few values either is near enough.
    name = min(fitting, key=lambda name: fitting[name] / (4 if name == "uniform" else 1), default="other")
    return _Law(name, bulk, min(distances.values()))


def _between_stored(seen: Scan, edges: np.ndarray) -> np.ndarray:
    """Continuity correction: what is stored below an edge was below the middle of the dtype's two values about it."""
    x = seen.median + seen.scale * edges
    stored = seen.dtype.decode(seen.dtype.encode(x)).astype(np.float64)
    above = np.where(stored < x, stored + _ulp(np.nextafter(stored, math.inf), seen.dtype), stored)
    below = np.where(stored < x, stored, stored - _ulp(np.nextafter(stored, -math.inf), seen.dtype))
    return ((below + above) / 2 - seen.median) / seen.scale


def _ulp(x: Any, dtype: DType) -> Any:
    """Unit in the last place of the dtype at x."""
    bits = {"float64": 52, "float32": 23, "float16": 10, "bfloat16": 7}[dtype.name]
    least = {"float64": -1022, "float16": -14}.get(dtype.name, -126)
    return np.exp2(np.where(x == 0, least, np.maximum(np.frexp(x)[1] - 1, least)) - bits)


def _outliers(report: Report, seen: Scan, law: _Law) -> None:
    count = int(seen.outlier_sums[0])
    std = seen.scale * law.bulk.std
    farthest = max(abs(seen.low - seen.median), abs(seen.high - seen.median)) / std if law.bulk.std > 0 else 0.0
    # Bulk that is not quite of the law, as in trained weights: only what is far beyond chance. Else the bulk's deviation may be
    # off: 3 / sqrt(n) is four of its own standard deviations.
    limit = seen.reach * (3 if law.name == "other" else 1 + 3 / math.sqrt(seen.bulk_sums[0]))
    if not count or law.distance > NEAR or farthest < limit:
        return
    worst = max(seen.low, seen.high, key=lambda x: abs(x - seen.median))
    ends = ((seen.low, seen.low_count), (seen.high, seen.high_count))
    clamped = sum(often for end, often in ends if abs(end - seen.median) > seen.reach * seen.scale) == count
    issue = 145498 if seen.dtype.itemsize == 2 else 155588
    cause = f": clamped infinities of an inverse error function, as in pytorch#{issue}" * clamped
    report.add("outliers", f"{count:,} values beyond chance, up to {worst:g}, {farthest:,.0f} standard deviations of the bulk "
                           f"({std:.4g}){cause}")


def _stuck(report: Report, seen: Scan, pattern: bool) -> None:
    """More values at an extreme than its neighbourhood explains: clamped, or a uniform source that reaches its end."""
    for value, count, sign in ((seen.low, seen.low_count, 1), (seen.high, seen.high_count, -1)):
        place = (value - seen.median) / seen.scale
        if abs(place) > seen.reach:
            if count > 2 and "outliers" not in report.kinds:
                report.add("stuck", f"{count:,} values at {value:g}", not pattern)
            continue
        last = int((place + seen.reach) * BINS / 2 / seen.reach)
        near = seen.histogram[max(last - 7, 0):last] if sign < 0 else seen.histogram[last + 1:last + 8]
        density = max(float(near.max(initial=0.0)), float(seen.histogram[last]) - count, 1.0) * BINS / 2 / seen.reach
        cell = 3 * _ulp(value, seen.dtype) / seen.scale
        grid = seen.bulk_sums[0] * 2.0**-22  # uniform numbers have 23 bits in some libraries
        expected, others = float(max(density * cell, grid)), count - 1
        # Chernoff's bound on a Poisson number's chance to be as large; twice, as its mean is an estimate.
        if others > 2 * expected and others * math.log(others / expected) - others + expected > -math.log(ALPHA):
            cause = "a pattern" if pattern else "clamped at a bound"
            report.add("stuck", f"{count:,} values at {value:g}, where at most {expected:,.0f} belong: {cause}", not pattern)


def _rows(report: Report, seen: Scan) -> None:
    rows, width = len(seen.row_hashes), seen.size // len(seen.row_hashes)
    dead = rows - int(np.count_nonzero(seen.row_alive))
    by_chance = rows * (max(seen.zeros, 1) / seen.finite) ** width  # in a sparse tensor
    if dead and by_chance < ALPHA:
        first = int(np.flatnonzero(seen.row_alive == 0)[0])
        padding = _is_padding(seen.row_alive, dead)
        report.add("dead rows", f"{dead:,} of {rows:,} rows are zeros, the first is row {first}" + " (padding?)" * padding,
                   not padding)
    # Birthday bound, rows^2 equal_chance^width: rows of few elements, or of few levels, are equal by chance.
    if 2 * math.log(rows) + width * math.log(min(seen.equal_chance, 1.0)) > math.log(ALPHA):
        return
    alive = np.flatnonzero(seen.row_alive)
    order = alive[np.argsort(seen.row_hashes[alive], kind="stable")]
    same = seen.row_hashes[order][1:] == seen.row_hashes[order][:-1]
    if same.any():
        earlier, later = order[:-1][same], order[1:][same]
        same = seen.same_rows(earlier, later)
        earlier, later = earlier[same], later[same]
    if same.any():
        lags, counts = np.unique(later - earlier, return_counts=True)
        each = repeated_each(seen.row_hashes)
        designed = each > 1 or is_pattern(seen, int(later.min()))
        shards = f": shards of {lags[0]:,} rows drawn alike" if lags.size == 1 < counts[0] and not designed else ""
        why = ": a pattern, not drawn" if designed else shards
        if each > 1:
            why = f": each {each} times, as for a shuffle of pixels"
        report.add("equal rows", f"{same.sum():,} of {rows:,} rows repeat another, such as row {later.min()} row "
                                 f"{earlier[later.argmin()]}{why}", not designed)


def _is_padding(alive: np.ndarray, dead: int) -> bool:
    """One row of zeros, or those at the end that make a vocabulary's size a round one, or both."""
    rows, last = len(alive), int(np.flatnonzero(alive)[-1]) if alive.any() else -1
    at_end = rows - 1 - last
    return dead <= 1 or rows >= VOCABULARY and at_end <= rows / 8 and dead - at_end <= 1


def _repeats(reports: list[Report], places: list[int | None], patterns: set[int], anchors: Anchors) -> None:
    for a, b, lag, values in anchors.repeats():
        if a != b and (places[a] is None or places[a] != places[b]):
            values = min(values, math.prod(reports[b].shape))
            reports[b].add("repeats", f"about {values:,} values are those of {reports[a].name}: "
                                      + ("a pattern" if b in patterns else "tied weights, or a seed and name used twice"),
                           b not in patterns)
        elif a == b and "equal rows" not in reports[a].kinds:
            reports[a].add("repeats", f"about {values:,} values come again {abs(lag):,} elements later: "
                                      + ("a pattern" if a in patterns else "blocks drawn alike"), a not in patterns)
