"""Index arithmetic, and nothing else: blocks of a global tensor as runs of its C-order index, tiles of bounded size."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["Runs", "block_of", "runs", "sizes_of", "tiles"]

Shape = tuple[int, ...]


class Runs(NamedTuple):
    """``repeat`` runs of ``length`` elements each: run j starts at global index ``start + j * stride`` and, as the runs are
    written one behind the other, at ``position + j * length`` of the block."""

    position: int
    start: int
    length: int
    stride: int
    repeat: int


def sizes_of(value: Any, name: str) -> Shape:
    """A shape or an index, given as an int or a sequence of ints, all >= 0."""
    numbers = tuple(value) if isinstance(value, Iterable) else (value,)
    for n in numbers:
        if isinstance(n, bool) or not hasattr(n, "__index__") or isinstance(n, Iterable):
            raise TypeError(f"{name}: expected ints >= 0, got {value!r}")
        if n < 0:
            raise ValueError(f"{name}: expected ints >= 0, got {value!r}")
    return tuple(operator.index(n) for n in numbers)


def block_of(shape: Shape, global_shape: Sequence[int] | None, offset: Sequence[int] | None) -> tuple[Shape, Shape]:
    """The global shape and the offset of a block, checked: the block lies within the whole.

    Examples
    --------
    >>> block_of((2, 3), (4, 6), (2, 3))
    ((4, 6), (2, 3))
    >>> block_of((2, 3), None, None)
    ((2, 3), (0, 0))
    """
    if global_shape is None:
        if offset is not None:
            raise ValueError(f"offset: {offset!r} was given without global_shape")
        return shape, (0,) * len(shape)
    whole = sizes_of(global_shape, "global_shape")
    at = (0,) * len(whole) if offset is None else sizes_of(offset, "offset")
    if not len(whole) == len(at) == len(shape):
        raise ValueError(f"global_shape, offset: expected {len(shape)} numbers each for a block of shape {shape}, "
                         f"got {whole} and {at}")
    for axis, (n, total, first) in enumerate(zip(shape, whole, at)):
        if first + n > total:
            raise ValueError(f"global_shape, offset: on axis {axis}, [{first}, {first + n}) is not within the global {total}")
    return whole, at


def runs(shape: Shape, global_shape: Shape, offset: Shape) -> Iterator[Runs]:
    """The block's elements in C order, as regular sets of runs that are as long as the block allows.

    Examples
    --------
    >>> list(runs((2, 3), (4, 6), (2, 3)))
    [Runs(position=0, start=15, length=3, stride=6, repeat=2)]
    >>> list(runs((2, 6), (4, 6), (2, 0)))
    [Runs(position=0, start=12, length=12, stride=12, repeat=1)]
    """
    if 0 in shape:
        return
    steps = [math.prod(global_shape[axis + 1:]) for axis in range(len(shape))]
    start = sum(at * step for at, step in zip(offset, steps))
    axis, length = len(shape) - 1, 1
    while axis >= 0:
        length *= shape[axis]
        if shape[axis] != global_shape[axis]:
            break
        axis -= 1
    # axis is now the one that the run ends in; the one before it repeats the run.
    outer = max(axis - 1, 0)
    count, stride = (shape[outer], steps[outer]) if axis > 0 else (1, length)
    for position, index in enumerate(itertools.product(*map(range, shape[:outer]))):
        begin = start + sum(at * step for at, step in zip(index, steps))
        yield Runs(position * count * length, begin, length, stride, count)


def tiles(shape: Shape, limit: int) -> Iterator[tuple[Shape, Shape]]:
    """(offset, shape) of blocks of at most `limit` elements that make up `shape`, in C order.

    Examples
    --------
    >>> list(tiles((3, 2, 2), 8))
    [((0, 0, 0), (2, 2, 2)), ((2, 0, 0), (1, 2, 2))]
    """
    if 0 in shape:
        return
    axis = len(shape)
    inner = 1
    while axis > 0 and inner * shape[axis - 1] <= limit:
        axis -= 1
        inner *= shape[axis]
    if axis == 0:
        yield (0,) * len(shape), shape
        return
    rest = shape[axis:]
    rows = max(1, limit // inner)
    for index in itertools.product(*map(range, shape[:axis - 1])):
        for first in range(0, shape[axis - 1], rows):
            n = min(rows, shape[axis - 1] - first)
            yield (*index, first, *(0,) * len(rest)), (*(1,) * len(index), n, *rest)
