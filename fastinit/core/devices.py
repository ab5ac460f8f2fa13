"""What a kernel is told of a block of a tensor: numbers that need neither a device nor its library.

The struct is `fi_device_block` of ``src_c/cuda.cu``.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import _kernels, blocks
from .plan import Plan

__all__ = ["ARGUMENT", "Launch", "launches", "threads_for"]

BLOCK = 256  # threads
_MASK = 2**64 - 1
_AXES = 8
_PLAN = ("dist", "dtype", "scale", "shift", "rest", "low", "high", "least", "most", "origin", "curve", "slope", "bits")
ARGUMENT = struct.Struct("<2i10dQ" "4Q" "Q" "3Qq" "2Q" + _AXES * "QQq" + 14 * "Q")


class Launch(NamedTuple):
    """A kernel's name, its argument's bytes, and how many threads it has, a multiple of `BLOCK` on a device."""

    kernel: str
    argument: bytes
    threads: int


def threads_for(quarters: int, most: int) -> int:
    """For so many quarters of groups: whole blocks, `most` at the most."""
    return min(-(-quarters // BLOCK) * BLOCK, most)


def launches(plan: Plan, key: bytes, memory: np.ndarray, global_shape: tuple[int, ...], offset: tuple[int, ...],
             most: int) -> Iterator[Launch]:
    """What fills the block; of an array whose axes are more than a kernel takes, several.

    `memory` stands for the device's: its address, shape and strides are read, its elements never are. `most` is how many
    threads the device runs at once.
    """
    start, axes = blocks.placed(memory.shape, memory.strides, global_shape, offset)
    length, stride, spacing = axes.pop() if axes and axes[-1][1] == 1 else (1, 1, memory.itemsize)
    outer, inner = axes[:-_AXES], axes[-_AXES:]
    address = memory.__array_interface__["data"][0]
    for index in itertools.product(*(range(n) for n, *_ in outer)):
        first = start + sum(i * axis[1] for i, axis in zip(index, outer))
        to = address + sum(i * axis[2] for i, axis in zip(index, outer))
        yield _launch(plan, key, first, to, (length, spacing), inner, most)


def _launch(plan: Plan, key: bytes, start: int, to: int, run: tuple[int, int], axes: list[tuple[int, ...]],
            most: int) -> Launch:
    length, spacing = run
    runs = 1
    for n, *_ in axes:
        runs *= n
    fields: Any = plan.kernel.fields()
    dist, dtype = _kernels.DISTS[fields["dist"]], _kernels.DTYPES[fields["dtype"]]
    unit = 16 // plan.dtype.real.itemsize  # elements that a thread makes of a quarter
    half = 4 * unit
    group = half if dist in ("trunc_narrow", "trunc_tail") else 2 * half  # elements
    quarters = 4 * ((start + length - 1) // group - start // group + 1 if runs == 1 else (length - 2 + group) // group + 1)
    threads = threads_for(runs * quarters, most)
    across = min(quarters, max(BLOCK, threads // runs // BLOCK * BLOCK), threads)
    state, inc, redraw_state, redraw_inc = struct.unpack("<4Q", key)
    inc, redraw_inc = inc | 1, redraw_inc | 1
    turn = across // 4
    steps = [(_kernels.GROUP // 2, inc), (turn * _kernels.GROUP, inc)]
    steps += [(elements * _kernels.REDRAW_STRIDE, redraw_inc) for elements in (1, 2, half, turn * group, 2 * turn * group)]
    maps = itertools.chain.from_iterable((power, series * by & _MASK) for (power, series), by in
                                         ((_kernels.jump(n), by) for n, by in steps))
    padded = [*axes, *[(1, 0, 0)] * (_AXES - len(axes))]
    argument = ARGUMENT.pack(*(fields[name] for name in _PLAN), state, inc, redraw_state, redraw_inc, to, start, length, runs,
                            spacing, across, len(axes), *itertools.chain.from_iterable(padded), *maps)
    return Launch(f"fill_{dist}_{dtype}", argument, threads)
