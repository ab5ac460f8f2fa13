"""What an audit tells of a tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..core.public import public_in

__all__ = ["Finding", "Report"]


@public_in("fastinit.audit")
@dataclass(frozen=True)
class Finding:
    """A fault of a tensor, or a note.

    Attributes
    ----------
    kind : str
        "nan", "inf", "unwritten", "outliers", "stuck", "constant", "dead rows", "equal rows", "repeats", "experts",
        "swapped fans", "skipped", "unreadable"; and, if something was meant, "law", "shape", "missing", "unasked".
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
        What the deviation agrees with, within chance: round numbers, Xavier, rules over fan_in, over fan_out, and those of each
        matrix of three axes, in this order; before them "orthogonal" where it is that.
    findings : list of Finding
    meant : str
        The rule that was meant, if the tensor has its law; "" if not, or if nothing was meant.
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
    meant: str = ""

    @property
    def faults(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.fault]

    @property
    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.findings]

    def add(self, kind: str, text: str, fault: bool = True) -> None:
        self.findings.append(Finding(kind, text, fault))
