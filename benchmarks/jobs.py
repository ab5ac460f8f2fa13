"""What is measured: the jobs, and the memory they are done in.

Memory is *touched*: one buffer that all libraries fill in turn, at an address 16 bytes past a cache line, as `numpy.empty`
gives it to large arrays. Or it is *fresh*: the array is made within the timed call, as each library makes its own, and from
128 KiB on its pages are new ones.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastinit.core.dtypes import DTYPES

DISTRIBUTIONS = ("constant", "uniform", "normal", "trunc_normal", "kaiming_normal", "xavier_uniform")
MEMORY = ("touched", "fresh")
SIZES = ("1", "64", "4Ki", "256Ki", "16Mi", "64Mi")
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}

ADDRESS = 16  # bytes past a cache line
OWN_PAGES = 2**17  # bytes from which malloc asks the system for a block's pages, unless it has some left

Run = Callable[[], Any]


def elements(text: str) -> int:
    """A number of elements as written on the command line.

    >>> elements("64Mi"), elements("1000")
    (67108864, 1000)
    """
    count = int(text[:-2]) * UNITS[text[-2:]] if text[-2:] in UNITS else int(text)
    if count < 1:
        raise ValueError(f"expected at least one element, got {text}")
    return count


def short(count: int) -> str:
    """The inverse of `elements`.

    >>> short(67108864), short(1000)
    ('64Mi', '1000')
    """
    unit = next((unit for unit in reversed(UNITS) if count % UNITS[unit] == 0), None)
    return f"{count // UNITS[unit]}{unit}" if unit else str(count)


class Job(NamedTuple):
    """What is to be done, by whatever library."""

    distribution: str
    dtype: str
    elements: int
    memory: str = "touched"
    num_threads: int = 1

    @property
    def nbytes(self) -> int:
        return self.elements * DTYPES[self.dtype].itemsize

    @property
    def shape(self) -> tuple[int, int]:
        """A matrix about as high as wide, for the sake of the fans."""
        rows = math.gcd(self.elements, 1 << (self.elements.bit_length() // 2))
        return rows, self.elements // rows

    @property
    def gaussian(self) -> bool:
        return self.distribution.endswith("normal")

    @property
    def numbers(self) -> tuple[float, float]:
        """Mean and standard deviation of a gaussian, bounds of a uniform distribution, for libraries that know no fans."""
        rows, columns = self.shape
        bound = math.sqrt(6 / (rows + columns))
        return {"kaiming_normal": (0.0, math.sqrt(2 / columns)), "xavier_uniform": (-bound, bound)}.get(
            self.distribution, (0.0, 1.0))

    def empty(self) -> np.ndarray:
        return np.empty(self.shape, DTYPES[self.dtype].storage)


def jobs(sizes: Sequence[int], memory: Sequence[str], num_threads: Sequence[int], distributions: Sequence[str] = DISTRIBUTIONS,
         dtypes: Sequence[str] = tuple(DTYPES)) -> Iterator[list[Job]]:
    """Groups of jobs that make a table: one size, state of memory and number of threads."""
    for count in sizes:
        for state in memory:
            for n in num_threads:
                yield [Job(name, dtype, count, state, n) for name in distributions for dtype in dtypes]


_arena = np.empty(0, np.uint8)


def touched(job: Job) -> np.ndarray:
    """The job's array in the one buffer that all libraries fill."""
    global _arena
    if _arena.size < job.nbytes + 64:
        _arena = np.empty(job.nbytes + 64, np.uint8)
        _arena.fill(0xFF)
    start = (ADDRESS - _arena.ctypes.data) % 64
    return _arena[start : start + job.nbytes].view(DTYPES[job.dtype].storage).reshape(job.shape)


def give_back(job: Job) -> None:
    """Freed memory to the system, before a large fresh array: malloc would take that first, touched as it is."""
    if job.nbytes >= OWN_PAGES and _malloc_trim is not None:
        _malloc_trim(0)


try:
    _malloc_trim = ctypes.CDLL(None).malloc_trim  # glibc's; elsewhere fresh memory is what the allocator makes of it
except (AttributeError, OSError, TypeError):
    _malloc_trim = None
