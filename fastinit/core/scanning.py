"""The audit's pass over a tensor, as C has it."""

from ._scan import BINS, FACTORS, ScanPlan, Sums

__all__ = ["BINS", "FACTORS", "ScanPlan", "Sums"]
