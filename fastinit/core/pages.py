"""Advice to the system: huge pages for memory that is about to be written for the first time."""

from __future__ import annotations

import ctypes
import functools
import mmap
from collections.abc import Callable
from pathlib import Path

__all__ = ["advise"]

LEAST_BYTES = 2**20
_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@functools.cache
def _madvise() -> Callable[[int, int], None] | None:
    """The system's call; None where it gives no huge pages, or gives them unasked."""
    try:
        if "[madvise]" not in _SETTING.read_text(encoding="ascii"):
            return None
        function = ctypes.CDLL(None).madvise
        function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int), ctypes.c_int
        number = mmap.MADV_HUGEPAGE
    except (OSError, AttributeError):
        return None
    return lambda address, size: function(address, size, number)


def advise(address: int, size: int) -> None:
    """Ask for huge pages for the whole pages in this memory. Whatever the answer, its contents stay as they are."""
    call = _madvise() if size >= LEAST_BYTES else None
    if call is not None:
        first = -(-address // mmap.PAGESIZE) * mmap.PAGESIZE
        call(first, (address + size) // mmap.PAGESIZE * mmap.PAGESIZE - first)
