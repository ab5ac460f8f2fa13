"""Are these weights healthy? Looks at the tensors that `fastinit.weights` reads. Imports core and formats."""

from .checks import ALPHA, audit
from .intent import Intent
from .report import Finding, Report

__all__ = ["ALPHA", "Finding", "Intent", "Report", "audit"]
