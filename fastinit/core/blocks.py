"""Index arithmetic, and nothing else: the block of a global tensor that a call fills, where it lies, tiles of bounded size."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .arguments import integer, integers, items, shown, sizes
from .public import public_in

__all__ = ["Block", "block_of", "from_index", "merged", "placed", "tiles"]

Shape = tuple[int, ...]


@public_in("fastinit.slices")
class Block(NamedTuple):
    """Where a block lies in a global tensor.

    Attributes
    ----------
    offset, shape : tuple of int
        Its first element, and its size on every axis.

    Examples
    --------
    >>> Block((2, 0), (3, 4)).slices
    (slice(2, 5, None), slice(0, 4, None))
    """

    offset: Shape
    shape: Shape

    @property
    def slices(self) -> tuple[slice, ...]:
        """The block as an index: ``whole[block.slices]``."""
        return tuple(slice(first, first + n) for first, n in zip(*self))


@public_in("fastinit.slices")
def from_index(index: Sequence[slice | int], global_shape: int | Sequence[int]) -> Block:
    """The block that an index selects, as JAX hands it to a callback.

    Parameters
    ----------
    index : sequence of slice or int
        One entry for each axis, read as NumPy does: negative numbers count from the end, slices are cut to the axis. The step
        of a slice is 1 or None.
    global_shape : int or sequence of int
        Shape of the whole.

    Returns
    -------
    Block
        An axis that is indexed by an int has size 1.

    Raises
    ------
    TypeError, ValueError
        Naming `index` or `global_shape`, what was expected and what came.

    Examples
    --------
    >>> from_index((slice(2, 4), slice(None)), (4, 6))
    Block(offset=(2, 0), shape=(2, 6))
    >>> from_index((-1, slice(3, None)), (4, 6))
    Block(offset=(3, 3), shape=(1, 3))
    """
    whole = sizes(global_shape, "global_shape")
    return _selected(_entries(index, whole), whole)


def _entries(index: Any, whole: Shape) -> tuple[Any, ...]:
    expected = f"a slice or an int for each axis of {whole}"
    entries = items(index, "index", expected, len(whole))
    if len(entries) != len(whole):
        raise ValueError(f"index: expected {expected}, got {shown(index)}")
    return entries


def _selected(entries: tuple[Any, ...], whole: Shape) -> Block:
    bounds = [_bounds(entry, n, axis) for axis, (entry, n) in enumerate(zip(entries, whole))]
    return Block(tuple(first for first, _ in bounds), tuple(n for _, n in bounds))


def _bounds(entry: Any, n: int, axis: int) -> tuple[int, int]:
    """First element and size that one entry of an index selects on an axis of n."""
    if isinstance(entry, slice):
        wanted = f"index: expected slices of ints with step 1, got {shown(entry)} on axis {axis}"
        try:
            first, end, step = entry.indices(n)
        except ValueError:  # a step of 0
            step = 0
        except Exception as error:  # bounds that are no integers
            raise TypeError(wanted) from error
        if step != 1:
            raise ValueError(wanted)
        return first, max(end - first, 0)
    return integer(entry, f"index[{axis}]", -n, n - 1) % n, 1


@public_in("fastinit.slices")
def block_of(shape: Shape, global_shape: Sequence[int] | None, offset: Sequence[int] | None = None,
             index: Sequence[slice | int] | None = None) -> tuple[Shape, Shape, Shape]:
    """Which block of which whole a tensor of `shape` is: the global shape, the block's offset and its shape, which has an axis
    of size 1 for each int in `index`. Checked: the block lies within the whole, and has the tensor's shape.

    Examples
    --------
    >>> block_of((2, 3), (4, 6), (2, 3))
    ((4, 6), (2, 3), (2, 3))
    >>> block_of((2, 3), None)
    ((2, 3), (0, 0), (2, 3))
    >>> block_of((3,), (4, 6), index=(1, slice(3, 6)))
    ((4, 6), (1, 3), (1, 3))
    """
    if global_shape is None:
        if offset is not None or index is not None:
            name, value = ("offset", offset) if index is None else ("index", index)
            raise ValueError(f"{name}: {shown(value)} was given without global_shape")
        return shape, (0,) * len(shape), shape
    whole = sizes(global_shape, "global_shape")
    if index is not None:
        if offset is not None:
            raise ValueError(f"offset, index: expected one of the two, got {shown(offset)} and {shown(index)}")
        entries = _entries(index, whole)
        block = _selected(entries, whole)
        kept = tuple(n for entry, n in zip(entries, block.shape) if isinstance(entry, slice))
        if kept != shape:
            raise ValueError(f"index: expected one that selects the tensor's shape {shape}, got {shown(index)} of {whole}, "
                             f"which selects {kept}")
        return whole, *block
    at = (0,) * len(whole) if offset is None else integers(offset, "offset", 0, 2**60, len(whole))
    if not len(whole) == len(at) == len(shape):
        raise ValueError(f"global_shape, offset: expected {len(shape)} numbers each for a block of shape {shape}, "
                         f"got {whole} and {at}")
    for axis, (n, total, first) in enumerate(zip(shape, whole, at)):
        if first + n > total:
            raise ValueError(f"global_shape, offset: on axis {axis}, [{first}, {first + n}) is not within the global {total}")
    return whole, at, shape


def placed(shape: Shape, strides: Sequence[int], global_shape: Shape, offset: Shape) -> tuple[int, list[tuple[int, ...]]]:
    """Where a block's elements are: the first one's index in the stream and, for each axis, its size and what one index on it
    makes in the stream and in bytes of memory; neighbouring axes that can be gone along as one are one.

    Examples
    --------
    >>> placed((2, 3), (12, 4), (4, 6), (2, 3))
    (15, [(2, 6, 12), (3, 1, 4)])
    >>> placed((2, 6), (24, 4), (4, 6), (2, 0))
    (12, [(12, 1, 4)])
    """
    steps = [math.prod(global_shape[axis + 1:]) for axis in range(len(shape))]
    return sum([at * step for at, step in zip(offset, steps)]), merged(shape, steps, strides)


def merged(shape: Shape, *strides: Sequence[int]) -> list[tuple[int, ...]]:
    """(n, its stride of each kind) of every axis, without those of size 1, and with neighbours made one where every kind of
    stride allows it.

    Examples
    --------
    >>> merged((2, 3, 1, 4), (12, 4, 4, 1))
    [(24, 1)]
    """
    axes: list[tuple[int, ...]] = []
    for n, *own in zip(shape, *strides):
        if n == 1:
            continue
        if axes and list(axes[-1][1:]) == [n * stride for stride in own]:
            n *= axes.pop()[0]
        axes.append((n, *own))
    return axes


@public_in("fastinit.slices")
def tiles(shape: int | Sequence[int], limit: int) -> Iterator[tuple[Shape, Shape]]:
    """(offset, shape) of blocks of at most `limit` elements, but of one, that make up `shape`, in C order.

    Examples
    --------
    >>> list(tiles((3, 2, 2), 8))
    [((0, 0, 0), (2, 2, 2)), ((2, 0, 0), (1, 2, 2))]
    """
    return _tiles(sizes(shape, "shape"), integer(limit, "limit"))


def _tiles(shape: Shape, limit: int) -> Iterator[tuple[Shape, Shape]]:
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
