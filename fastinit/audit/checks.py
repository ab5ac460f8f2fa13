"""Are these weights healthy? Moments, laws, fans, dead, equal and repeated parts of every tensor of a file.

Every check that a healthy tensor could fail by chance does so with a probability of at most `ALPHA`; there are fewer than
ten for a tensor, so a healthy model of 1,000 tensors is blamed once in 10^5 audits (Bonferroni).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import DType
from ..core.explain import explain
from ..core.fans import calculate_fans
from ..core.public import public_in
from ..formats.read import Tensor, Unreadable
from .densities import Density, fit
from .scan import ALPHA, BINS, FEW_LEVELS, Anchors, Moments, Scan, moments

__all__ = ["ALPHA", "Finding", "Report", "audit"]

ENOUGH = 100  # values that a law is judged by
NEAR = 0.02  # distance of distribution functions up to which outliers are told from the bulk
ROUND = (0.01, 0.02, 0.05, 0.1, 1.0)  # deviations often set by hand, whatever the fans
FAN_RULES = {"kaiming": 2.0, "lecun": 1.0, "torch": 1 / 3}  # variance times fan; the last is that of torch's own layers


@public_in("fastinit.audit")
@dataclass(frozen=True)
class Finding:
    """A fault of a tensor, or a note.

    Attributes
    ----------
    kind : str
        "nan", "inf", "outliers", "stuck", "constant", "dead rows", "equal rows", "repeats", "swapped fans", "skipped",
        "unreadable".
    text : str
    fault : bool
        False for what may be meant so.
    """

    kind: str
    text: str
    fault: bool = True


@public_in("fastinit.audit")
@dataclass
class Report:
    """What was seen of a tensor.

    Attributes
    ----------
    name, shape, dtype
        As stored.
    law : str
        "constant", "uniform", "normal" or "trunc_normal", after "sparse " where over 1% are zeros, which are left out; "other"
        where none of them fits; "" where there is too little to tell.
    mean, std, kurtosis, low, high : float
        Of the finite values; the kurtosis of a gaussian is 3. NaN without such.
    rules : list of str
        What the deviation agrees with, within chance: round numbers, Xavier, rules over fan_in, over fan_out, in this order.
    findings : list of Finding
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    law: str = ""
    mean: float = math.nan
    std: float = math.nan
    kurtosis: float = math.nan
    low: float = math.nan
    high: float = math.nan
    rules: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def faults(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.fault]

    @property
    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.findings]

    def add(self, kind: str, text: str, fault: bool = True) -> None:
        self.findings.append(Finding(kind, text, fault))


@public_in("fastinit.audit")
def audit(tensors: Iterable[Tensor], *, layout: str = "OI") -> list[Report]:
    """Look at every tensor; the reports come in the same order.

    Parameters
    ----------
    tensors : iterable of Tensor
        As `fastinit.weights.read` gives them; each is let go of before the next is asked for.
    layout : str
        Of the weights' axes, as for `calculate_fans`.

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
                    _judge(report, Scan(tensor.source, tensor.dtype, anchors, number), layout)
            except Unreadable as error:
                report.add("unreadable", str(error))
    _repeats(reports, places, anchors)
    _swapped(reports)
    return reports


def _judge(report: Report, seen: Scan, layout: str) -> None:
    for kind, count in (("nan", seen.nans), ("inf", seen.size - seen.finite - seen.nans)):
        if count:
            report.add(kind, f"{count:,} of {seen.size:,} values are {kind}")
    if not seen.finite:
        return
    report.low, report.high = seen.low, seen.high
    if seen.low == seen.high:
        report.law, report.mean, report.std = "constant", seen.low, 0.0
        if seen.has_rows:
            _constant(report, seen.low)
        return
    report.mean, report.std, report.kurtosis = seen.moments()
    if seen.has_rows:
        _rows(report, seen)
    if seen.bulk_sums[0] >= ENOUGH:
        _judge_law(report, seen, layout)


def _judge_law(report: Report, seen: Scan, layout: str) -> None:
    law = _law(seen)
    report.law = "sparse " * seen.sparse + law.name
    _outliers(report, seen, law)
    if seen.equal_chance < FEW_LEVELS:
        _stuck(report, seen)
    if seen.has_rows and not seen.sparse and law.name != "other":
        report.rules = _rules(report.shape, seen.scale * law.bulk.std, law.bulk.kurtosis, seen.bulk_sums[0], layout)


def _constant(report: Report, value: float) -> None:
    if value == 0:
        report.add("constant", "all zeros: right for an output or a residual branch only", False)
    else:
        report.add("constant", f"all values are {value:g}: its units start equal and stay equal in training (symmetry)")


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


def _stuck(report: Report, seen: Scan) -> None:
    """More values at an extreme than its neighbourhood explains: clamped, or a uniform source that reaches its end."""
    for value, count, sign in ((seen.low, seen.low_count, 1), (seen.high, seen.high_count, -1)):
        place = (value - seen.median) / seen.scale
        if abs(place) > seen.reach:
            if count > 2 and "outliers" not in report.kinds:
                report.add("stuck", f"{count:,} values at {value:g}")
            continue
        last = int((place + seen.reach) * BINS / 2 / seen.reach)
        near = seen.histogram[max(last - 7, 0):last] if sign < 0 else seen.histogram[last + 1:last + 8]
        density = max(float(near.max(initial=0.0)), float(seen.histogram[last]) - count, 1.0) * BINS / 2 / seen.reach
        cell = 3 * _ulp(value, seen.dtype) / seen.scale
        grid = seen.bulk_sums[0] * 2.0**-22  # uniform numbers have 23 bits in some libraries
        expected, others = float(max(density * cell, grid)), count - 1
        # Chernoff's bound on a Poisson number's chance to be as large; twice, as its mean is an estimate.
        if others > 2 * expected and others * math.log(others / expected) - others + expected > -math.log(ALPHA):
            report.add("stuck", f"{count:,} values at {value:g}, where at most {expected:,.0f} belong: clamped at a bound")


def _rows(report: Report, seen: Scan) -> None:
    rows, width = len(seen.row_hashes), seen.size // len(seen.row_hashes)
    dead = rows - int(np.count_nonzero(seen.row_alive))
    by_chance = rows * (max(seen.zeros, 1) / seen.finite) ** width  # in a sparse tensor
    if dead and by_chance < ALPHA:
        first = int(np.flatnonzero(seen.row_alive == 0)[0])
        report.add("dead rows", f"{dead:,} of {rows:,} rows are zeros, the first is row {first}"
                                + " (padding?)" * (dead == 1), dead > 1)
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
        shards = f": shards of {lags[0]:,} rows drawn alike" if lags.size == 1 < counts[0] else ""
        report.add("equal rows", f"{same.sum():,} of {rows:,} rows repeat another, such as row {later.min()} row "
                                 f"{earlier[later.argmin()]}{shards}")


def _rules(shape: tuple[int, ...], std: float, kurtosis: float, count: float, layout: str) -> list[str]:
    """What the deviation agrees with, within chance and the rounding of the values.

    A sample's deviation has a relative standard deviation of sqrt((kurtosis - 1) / (4 count)), by the delta method.
    """
    known = {f"{x:g}": x for x in ROUND}
    try:
        known["xavier"] = _rule_std(shape, 1.0, "fan_avg", layout)
        for mode in ("fan_in", "fan_out"):
            known |= {f"{name} {mode}": _rule_std(shape, scale, mode, layout) for name, scale in FAN_RULES.items()}
    except ValueError:  # not a shape of this layout
        pass
    slack = -NormalDist().inv_cdf(ALPHA / 2) * math.sqrt(max(kurtosis - 1, 0.1) / 4 / count) + 2e-4
    return [name for name, asked in known.items() if abs(std / asked - 1) < slack]


def _rule_std(shape: tuple[int, ...], scale: float, mode: str, layout: str) -> float:
    return explain("variance_scaling", shape, scale, mode, "normal", layout=layout).std or math.nan


def _repeats(reports: list[Report], places: list[int | None], anchors: Anchors) -> None:
    for a, b, lag, values in anchors.repeats():
        if a != b and (places[a] is None or places[a] != places[b]):
            values = min(values, math.prod(reports[b].shape))
            reports[b].add("repeats", f"about {values:,} values are those of {reports[a].name}: tied weights, or a seed and "
                                      "name used twice")
        elif a == b and "equal rows" not in reports[a].kinds:
            reports[a].add("repeats", f"about {values:,} values come again {abs(lag):,} elements later: blocks drawn alike")


def _swapped(reports: list[Report]) -> None:
    """Blame what agrees with a rule over fan_out alone where others have it over fan_in, or where it is a matrix on its own.

    A judgement, not a test: a deviation set by hand may happen to agree.
    """
    inward = Counter(rule for report in reports for rule in FAN_RULES
                     if f"{rule} fan_in" in report.rules and f"{rule} fan_out" not in report.rules)
    outward = Counter(map(_fan_out_rule, reports))
    for report in reports:
        rule = _fan_out_rule(report)
        alone = len(report.shape) == 2 and not inward[rule]  # convolutions are often meant so, as in torchvision
        if rule and (alone or inward[rule] >= outward[rule]):
            others = f", as {inward[rule]} others have" if inward[rule] else ""
            report.add("swapped fans", f"the deviation {report.std:.4g} is that of {rule} over fan_out, not fan_in{others}: "
                                       "axes swapped (layout), unless mode='fan_out' was meant")


def _fan_out_rule(report: Report) -> str:
    """The rule over fan_out that the deviation agrees with, if it agrees with nothing likelier."""
    rule, _, mode = report.rules[0].partition(" ") if report.rules else ("", "", "")
    return rule if mode == "fan_out" else ""
