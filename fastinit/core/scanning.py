"""The audit's pass over a tensor, as C has it."""

from . import _scan

__all__ = ["BINS", "FACTORS", "ScanPlan", "Sums"]

BINS = _scan.BINS
FACTORS = _scan.FACTORS
ScanPlan = _scan.ScanPlan
Sums = _scan.Sums
