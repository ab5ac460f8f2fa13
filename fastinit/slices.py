"""Blocks of a global tensor, from an index or a split, for those who hold one.

What Dask calls a chunk, JAX and DTensor a shard, is a block; its offset is the ``offset=`` of an initializer.

Examples
--------
>>> import numpy as np, fastinit as fi
>>> whole, made = fi.normal((5, 6), seed=0), np.empty((5, 6), "float32")
>>> for block in shards((5, 6), (2, 3)):
...     _ = fi.normal_(made[block.slices], seed=0, global_shape=(5, 6), offset=block.offset)
>>> bool((made == whole).all())
True
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from .core.arguments import integers, is_sequence, items, shown, sizes as checked
from .core.blocks import Block, block_of, from_index, tiles
from .core.public import lists_parameters

__all__ = ["Block", "block_of", "chunks", "from_index", "shards", "tiles"]

Shape = tuple[int, ...]


@lists_parameters
def chunks(shape: int | Sequence[int], sizes: Sequence[int | Sequence[int]]) -> list[Block]:
    """The blocks of a grid, in C order, from the sizes of its cells: Dask's and Zarr's chunks.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the whole.
    sizes : sequence of int or sequence of int
        For each axis: a size > 0, of which the last one on the axis keeps the rest; or all sizes, as in ``dask_array.chunks``.

    Returns
    -------
    list of Block

    Raises
    ------
    TypeError, ValueError
        Naming `shape` or `sizes`, what was expected and what came.

    Examples
    --------
    >>> [block.offset for block in chunks((5, 4), (2, 4))]
    [(0, 0), (2, 0), (4, 0)]
    >>> chunks((5,), [(1, 4)])
    [Block(offset=(0,), shape=(1,)), Block(offset=(1,), shape=(4,))]
    """
    whole = checked(shape, "shape")
    entries = items(sizes, "sizes", f"an entry for each axis of {whole}", len(whole))
    if len(entries) != len(whole):
        raise ValueError(f"sizes: expected an entry for each axis of {whole}, got {shown(sizes)}")
    return _grid([_cells(n, integers(entry, "sizes"), is_sequence(entry)) for n, entry in zip(whole, entries)])


def _cells(n: int, sizes: Shape, all_given: bool) -> Shape:
    if all_given:
        if sum(sizes) != n:
            raise ValueError(f"sizes: expected sizes that add up to {n}, got {shown(sizes)}")
        return sizes
    if not sizes[0]:
        raise ValueError("sizes: expected a size > 0, got 0")
    full, rest = divmod(n, sizes[0])
    return (sizes[0],) * full + ((rest,) if rest or not full else ())


@lists_parameters
def shards(shape: int | Sequence[int], parts: int | Sequence[int]) -> list[Block]:
    """The blocks of a grid, in C order, from the number of its cells: DTensor's, JAX's and `torch.chunk`'s shards.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the whole.
    parts : int or sequence of int
        For each axis, into how many parts of ceil(n / parts) it is cut. If that does not come out even, the last ones are
        smaller or empty, as in torch (JAX wants it even).

    Returns
    -------
    list of Block
        As many as the product of `parts`.

    Raises
    ------
    TypeError, ValueError
        Naming `shape` or `parts`, what was expected and what came.

    Examples
    --------
    >>> shards((5, 4), (2, 1))
    [Block(offset=(0, 0), shape=(3, 4)), Block(offset=(3, 0), shape=(2, 4))]
    >>> [block.shape for block in shards(5, 4)]
    [(2,), (2,), (1,), (0,)]
    """
    whole = checked(shape, "shape")
    counts = integers(parts, "parts", count=len(whole))
    if len(counts) != len(whole) or 0 in counts:
        raise ValueError(f"parts: expected an int > 0 for each axis of {whole}, got {shown(parts)}")
    steps = [-(-n // count) for n, count in zip(whole, counts)]
    return _grid([tuple(min(step, max(n - step * i, 0)) for i in range(count))
                  for n, step, count in zip(whole, steps, counts)])


def _grid(sizes: Sequence[Shape]) -> list[Block]:
    firsts = [itertools.accumulate(axis, initial=0) for axis in sizes]
    cells = itertools.product(*(zip(*axis) for axis in zip(firsts, sizes)))
    return [Block(tuple(first for first, _ in cell), tuple(n for _, n in cell)) for cell in cells]
