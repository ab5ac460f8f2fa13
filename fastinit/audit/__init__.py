"""Are these weights healthy? Looks at the tensors that `fastinit.weights` reads. Imports core and formats."""

from .checks import ALPHA, Finding, Report, audit

__all__ = ["ALPHA", "Finding", "Report", "audit"]
