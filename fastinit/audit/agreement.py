"""Which rule over fans a deviation agrees with, and whether that rule can be meant."""

from __future__ import annotations

import math
from collections import Counter
from statistics import NormalDist

from ..core.explain import explain
from .report import Report
from .scan import ALPHA

__all__ = ["experts", "rules_of", "swapped"]

ROUND = (0.01, 0.02, 0.05, 0.1, 1.0)  # deviations often set by hand, whatever the fans
FEW = 4  # matrices of a file, of which each tells much
LAWS = ("uniform", "normal", "trunc_normal")
FAN_RULES = {"kaiming": 2.0, "lecun": 1.0, "torch": 1 / 3}  # variance times fan; the last is that of torch's own layers


def rules_of(shape: tuple[int, ...], std: float, kurtosis: float, count: float, layout: str) -> list[str]:
    """What the deviation agrees with, within chance and the rounding of the values.

    A sample's deviation has a relative standard deviation of sqrt((kurtosis - 1) / (4 count)), by the delta method.
    """
    known = {f"{x:g}": x for x in ROUND}
    try:
        known["xavier"] = _rule_std(shape, 1.0, "fan_avg", layout)
        for mode in ("fan_in", "fan_out"):
            known |= {f"{name} {mode}": _rule_std(shape, scale, mode, layout) for name, scale in FAN_RULES.items()}
        if len(shape) == 3:
            for order in (layout, layout[::-1]) if layout in ("OI", "IO") else ():
                known |= {f"{name} fan_in of each {order}": _rule_std(shape[1:], scale, "fan_in", order)
                          for name, scale in FAN_RULES.items()}
            known["xavier of each"] = _rule_std(shape[1:], 1.0, "fan_avg", "OI")
    except ValueError:  # not a shape of this layout
        pass
    slack = -NormalDist().inv_cdf(ALPHA / 2) * math.sqrt(max(kurtosis - 1, 0.1) / 4 / count) + 2e-4
    return [name for name, asked in known.items() if abs(std / asked - 1) < slack]


def _rule_std(shape: tuple[int, ...], scale: float, mode: str, layout: str) -> float:
    return explain("variance_scaling", shape, scale, mode, "normal", layout=layout).std or math.nan


def experts(report: Report) -> None:
    """Blame matrices (E, ...) whose deviation is that of a convolution's kernel of these axes, and of no matrix alone."""
    shape, rules = report.shape, report.rules
    usual = {"orthogonal", *map("{:g}".format, ROUND)}
    if len(shape) != 3 or not rules or rules[0] in usual or " of each" in " ".join(rules):
        return
    count, *sides = shape
    if count > 1 and min(sides) >= (2 if "expert" in report.name.lower() else 2 * max(count, 8)):
        report.add("experts", f"the deviation {report.std:.4g} is that of {rules[0]} of a convolution: {count} matrices of "
                              f"{sides[0]} x {sides[1]} have fans of their own")


def swapped(reports: list[Report]) -> None:
    """Blame what agrees with a rule over fan_out alone where others of its law have it over fan_in, or where nearly all of the
    file's matrices do.

    A judgement, not a test: a deviation set by hand may happen to agree. LeCun's rule is that of JAX and Keras, whose layout is
    "IO", and there an embedding's, 1/sqrt(fan_out); recurrent layers of torch know the size of their state alone.
    """
    drawn = [report for report in reports if not report.meant and len(report.shape) > 1 and report.law in LAWS]
    inward = Counter((rule, *like) for report in drawn for like in {_like(report), (report.law,)} for rule in FAN_RULES
                     if f"{rule} fan_in" in report.rules and f"{rule} fan_out" not in report.rules)
    outward = Counter((_fan_out_rule(report), *like) for report in drawn for like in {_like(report), (report.law,)})
    matrices = sum(len(set(report.shape)) > 1 for report in drawn)
    for report in drawn:
        if rule := _fan_out_rule(report):
            like = (rule, *_like(report))
            _blame(report, rule, inward[like], outward[like], matrices)


def _like(report: Report) -> tuple[str | int, ...]:
    """Which others a tensor is compared with: all of its law, or kernels of its size. Grouped ones, most often of 3 x 3, are
    scaled by fans that their shapes alone do not tell."""
    return report.law, *report.shape[2:]


def _blame(report: Report, rule: str, inward: int, outward: int, matrices: int) -> None:
    """A tensor that agrees with a rule over fan_out; so many like it agree with it over either fan, of so many matrices."""
    matrix = len(report.shape) == 2  # kernels are often meant so, as in torchvision
    among = inward >= outward and (inward > 1 or matrices <= FEW)  # one alone may agree by chance
    if not among and (inward or not matrix):
        return
    alone = outward > 0.8 * matrices and rule != "lecun"
    others = f", as {inward} others have" if inward else ""
    report.add("swapped fans", f"the deviation {report.std:.4g} is that of {rule} over fan_out, not fan_in{others}: "
                               "axes swapped (layout), unless mode='fan_out' was meant",
               (among or alone) and "weight_ih" not in report.name)


def _fan_out_rule(report: Report) -> str:
    """The rule over fan_out that the deviation agrees with, if it agrees with nothing likelier."""
    rule, _, mode = report.rules[0].partition(" ") if report.rules else ("", "", "")
    return rule if mode == "fan_out" else ""
