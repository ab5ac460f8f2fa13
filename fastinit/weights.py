"""The tensors of weight files, and of arrays, for `fastinit.audit`."""

from .formats.read import Tensor, Unreadable, of_array, read

__all__ = ["Tensor", "Unreadable", "of_array", "read"]
