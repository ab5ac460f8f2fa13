"""Has a tensor the law that was meant? What an initializer would write, compared with what was seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..core.calls import INITIALIZERS
from ..core.explain import Explanation, explain
from ..core.public import public_in
from .patterns import is_orthogonal
from .report import Report
from .scan import ALPHA, Scan

__all__ = ["WRONG_FANS", "Intent", "Meant", "RuleLike", "compare"]

Z = -NormalDist().inv_cdf(ALPHA / 2)
KURTOSIS = {"uniform": 1.8, "normal": 3.0, "trunc_normal": 3.0}
ROUNDING = 2e-4  # of a deviation, relative: 16-bit types round it
TELLING = 2000  # values that tell laws from one another; of fewer several may fit
WRONG_FANS = "the wrong fans"  # how such an explanation ends
DEPTHS = 400  # layers, at most, that a deviation is divided by the root of
# What is not drawn, or is zeros for the most part, and what is no fault of it.
PLANNED = {"eye", "dirac", "bilinear", "constant", "zeros", "ones", "sparse", "delta_orthogonal"}
MEANT_SO = {"outliers", "constant", "experts", "dead rows", "equal rows", "stuck", "repeats"}


class RuleLike(Protocol):
    """An initializer and its parameters, as `fastinit.Rule` has them."""

    @property
    def initializer(self) -> Any: ...
    @property
    def args(self) -> tuple[Any, ...]: ...
    @property
    def options(self) -> Mapping[str, Any]: ...


@public_in("fastinit.audit")
class Intent(NamedTuple):
    """What was meant for a tensor.

    Attributes
    ----------
    rules : sequence of Rule
        Any of them will do.
    others : sequence of (Rule, str)
        Each with what it would say if the tensor had its law: explanations of a wrong one.
    shape : tuple of int or None
        None: any.

    Examples
    --------
    >>> import fastinit as fi
    >>> from fastinit.audit import Intent, audit
    >>> from fastinit.weights import of_array
    >>> report, = audit([of_array("w", fi.zeros(9))], meant=lambda name, shape: Intent([fi.Ones()]))
    >>> report.kinds
    ['law']
    """

    rules: Sequence[RuleLike]
    others: Sequence[tuple[RuleLike, str]] = ()
    shape: tuple[int, ...] | None = None


Meant = Callable[[str, tuple[int, ...]], Intent | None]  # by name and shape; None for a tensor that nothing is known of


def compare(report: Report, seen: Scan, intent: Intent | None) -> bool:
    """Names the rule that the tensor agrees with, or blames it; returns whether that rule's values follow a plan."""
    if intent is None:
        report.add("unasked", "nothing is said of a tensor of this name", False)
        return False
    if intent.shape is not None and intent.shape != report.shape:
        report.add("shape", f"{intent.shape} was meant, {report.shape} is there")
        return False
    if seen.finite < seen.size or "unwritten" in report.kinds:
        return False
    reasons = []
    for rule in intent.rules:
        reason = _difference(report, seen, rule)
        if not reason:
            planned = rule.initializer.__name__ in PLANNED or report.law == "constant"
            right = MEANT_SO if planned else {"experts"}
            report.meant = repr(rule)
            report.findings = [replace(found, fault=found.fault and found.kind not in right) for found in report.findings]
            return planned
        reasons.append(f"{rule!r} was meant, which has {reason}")
    why = next((f"; {text}" for rule, text in intent.others if not _difference(report, seen, rule)), "")
    depth = "" if why.endswith(WRONG_FANS) else _depth(report, intent.rules)
    report.add("law", " or ".join(reasons) + depth + why)
    return False


def _difference(report: Report, seen: Scan, rule: RuleLike) -> str:
    """What a rule's tensor has that this one has not; "" if this may be the rule's."""
    try:
        told = explain(rule.initializer, report.shape, *rule.args, dtype=seen.dtype.name, **rule.options)
    except (TypeError, ValueError) as error:
        return f"no such shape: {error}"
    if told.mean is not None and (told.distribution == "constant" or told.std == 0):
        value = seen.dtype.nearest(told.mean)
        return "" if report.low == report.high == value else f"{value:g} alone"
    if told.distribution in ("eye", "dirac", "bilinear"):
        expected = INITIALIZERS[told.distribution](report.shape, *rule.args, dtype=seen.dtype.name, **rule.options)
        rows = seen.rows() if seen.shape else None
        same = rows is None or np.array_equal(rows, expected.reshape(rows.shape))
        return "" if same else f"other values: those of {told.distribution}"
    if told.distribution == "delta_orthogonal":
        told = replace(told, mean=0.0, std=abs(told.gain or 0.0) * math.sqrt(report.shape[1] / seen.size))
    return _of_moments(report, seen, told)


def _of_moments(report: Report, seen: Scan, told: Explanation) -> str:
    if told.std is None or told.mean is None:
        return ""
    step = abs(seen.dtype.at_least(told.mean) - seen.dtype.below(told.mean))  # of the dtype, where most values are
    if told.distribution.endswith("orthogonal"):
        return _of_orthogonal(report, seen, told.std)
    if seen.size > 1:
        low, high = _ratios(seen.size, report, told)
        if not low * told.std <= report.std <= high * math.hypot(told.std, step):
            return f"a deviation of {told.std:.4g}, not {report.std:.4g}"
    if abs(report.mean - told.mean) > Z * told.std / math.sqrt(seen.size) + step + ROUNDING * told.std:
        return f"a mean of {told.mean:.4g}, not {report.mean:.4g}"
    if report.low < seen.dtype.at_most(told.low) or report.high > seen.dtype.at_least(told.high):
        return f"values in [{told.low:.4g}, {told.high:.4g}], not [{report.low:.4g}, {report.high:.4g}]"
    telling = step < told.std / 16 and (seen.size >= TELLING or report.law == "other")
    return f"the law {told.distribution}, not {report.law}" if telling and report.law not in _laws(report, told) else ""


def _of_orthogonal(report: Report, seen: Scan, spread: float) -> str:
    """Its mean square follows from the shape: no chance is in it."""
    found = math.hypot(report.std, report.mean)
    if not 0.995 * spread <= found <= 1.005 * spread:
        return f"a root mean square of {spread:.4g}, not {found:.4g}"
    whole = len(seen.shape) == len(report.shape) > 1 and min(seen.shape[0], seen.size // seen.shape[0]) > 2
    if whole and not seen.sparse and seen.rows() is not None and not is_orthogonal(seen):
        return "rows or columns that are orthogonal"
    return ""


def _laws(report: Report, told: Explanation) -> set[str]:
    """What a law may be told as: a truncated gaussian that is cut far out or within its peak, as one of the others."""
    laws = {told.distribution}
    if told.distribution == "trunc_normal":
        laws.add("normal")
        if (told.std or 0) > 0.95 * (told.high - told.low) / math.sqrt(12):
            laws.add("uniform")
    elif told.distribution == "uniform" and report.kurtosis < 2:
        laws.add("trunc_normal")
    elif told.distribution == "sparse":
        laws |= {"sparse normal", "normal", "constant"}
    return laws if told.distribution in ("normal", "uniform", "trunc_normal", "sparse") else {report.law}


def _ratios(n: int, report: Report, told: Explanation) -> tuple[float, float]:
    """Between which multiples of the law's deviation a sample's lies, but by a chance of ALPHA: a variance's degrees of freedom
    follow from the kurtosis, and the law is Wilson and Hilferty's (1931)."""
    kurtosis = KURTOSIS.get(told.distribution, max(report.kurtosis, 1.1))
    degrees = 2 * (n - 1) / (kurtosis - 1)
    unit = 2 / (9 * degrees)
    low, high = (max(1 - unit + sign * Z * math.sqrt(unit), 0.0) ** 1.5 for sign in (-1, 1))
    return low * (1 - ROUNDING), high * (1 + ROUNDING)


def _depth(report: Report, rules: Sequence[RuleLike]) -> str:
    """Whether one rule's deviation was to be divided by the root of a number of layers, or twice as many, and is not."""
    if len(rules) != 1 or not report.std > 0:
        return ""
    try:
        asked = explain(rules[0].initializer, report.shape, *rules[0].args, **rules[0].options).std
    except (TypeError, ValueError):
        return ""
    square = (report.std / asked) ** 2 if asked else 0.0
    near = round(square / 2) * 2
    slack = 0.2 / max(near, 1) + 2 * Z / math.sqrt(math.prod(report.shape))
    if 4 <= near <= 2 * DEPTHS and abs(square / near - 1) < slack:
        return f": as large as without a scaling by depth, 1/sqrt(2 * {near // 2})"
    return ""
