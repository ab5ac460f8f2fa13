"""Orthogonal matrices: Q of gaussian ones, by the C core's decomposition, whose bits are the same everywhere."""

from __future__ import annotations

import numpy as np

from . import _kernels, memory

# ns that a multiplication with an addition takes, roughly: measured on an Intel Xeon with AMX, NEON guessed.
MULTIPLY_NS = {"avx512vbmi2": 0.05, "avx512": 0.05, "avx2": 0.08, "neon": 0.2, "scalar": 3.0}
# Rows of a panel that are copied at a time: between those Python looks for interrupts.
_ROWS = 2**14


def orthogonalize(matrix: np.ndarray, gain: float, num_threads: int | None) -> None:
    """Replaces a matrix with at least as many rows as columns by `gain` times Q of its decomposition QR, the one in which R's
    diagonal is positive; each element is rounded to the matrix's type once. In float64: takes 8 bytes an element, rows being
    filled up to a multiple of 8, and of each column 512 bytes for every 1,024 rows begun, and once more."""
    rows, columns = matrix.shape
    if not columns:
        return
    panels, work = (aligned(n) for n in _kernels.orthogonal_sizes(rows, columns))
    parts = [slice(first, min(first + _kernels.PANEL, columns)) for first in range(0, columns, _kernels.PANEL)]
    padded = panels.size // rows
    views = [panels[rows * part.start : rows * min(part.start + _kernels.PANEL, padded)].reshape(rows, -1) for part in parts]
    blocks = [slice(first, first + _ROWS) for first in range(0, rows, _ROWS)]
    for part, view in zip(parts, views):
        n = part.stop - part.start
        for block in blocks:
            view[block, :n], view[block, n:] = matrix[block, part], 0
    negative = np.empty(columns, np.uint8)
    threads, ns = memory.resolve_threads(num_threads), MULTIPLY_NS[_kernels.ISAS[memory.isa]]
    _kernels.orthogonal(rows, columns, panels, work, negative, memory.isa, threads, ns)
    factors = np.where(negative, -gain, gain)
    for part, view in zip(parts, views):
        for block in blocks:
            np.multiply(view[block, : part.stop - part.start], factors[part], out=matrix[block, part], casting="same_kind")


def aligned(n: int) -> np.ndarray:
    """New float64 memory at a multiple of 64 bytes."""
    more = np.empty(n + 7)
    first = -more.ctypes.data % 64 // 8
    return more[first : first + n]
