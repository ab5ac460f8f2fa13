"""The raw words of a stream into a pipe, for test batteries such as PractRand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from ..core.calls import words

__all__ = ["MOST_SHARDS", "ORBIT", "interleaved", "write"]

ORBIT = 2**40  # words that are cut into shards: the low bits of more, at equal steps, are plainly related
BLOCK = 2**22  # words in a block, over all shards: what passes through the cache at once
MOST_SHARDS = 2**16  # of which a block has 1024 words each
TOGETHER = 64  # shards that are interleaved while their words are in the cache


def interleaved(seed: int, name: str, shards: int, count: int) -> Iterator[np.ndarray]:
    """Blocks of the first `count` words of an interleave: word 0 of each shard, word 1 of each, and so on.

    Parameters
    ----------
    seed, name
        As for `fastinit.words`.
    shards : int in [1, 2^16]
        Shard s begins at word s * floor(2^40 / shards) of the stream.
    count : int
        At most shards * floor(2^40 / shards).

    Yields
    ------
    ndarray of uint32

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> block, = interleaved(0, "w", 2, 6)
    >>> first, second = fi.words(3, seed=0, name="w"), fi.words(3, seed=0, name="w", offset=2**39)
    >>> bool((block == np.column_stack([first, second]).ravel()).all())
    True
    """
    rounds, height = -(-count // shards), max(2**10, BLOCK // shards)
    for first in range(0, rounds, height):
        rows = min(height, rounds - first)
        block = np.empty((rows, shards), np.uint32)
        for low in range(0, shards, TOGETHER):
            several = range(low, min(low + TOGETHER, shards))
            block[:, low : low + TOGETHER] = np.stack([
                words(rows, seed=seed, name=name, offset=shard * (ORBIT // shards) + first) for shard in several], axis=1)
        yield block.reshape(-1)[: count - first * shards]


def write(out: IO[bytes], blocks: Iterable[np.ndarray]) -> None:
    """The words as little-endian bytes."""
    try:
        import fcntl

        fcntl.fcntl(out.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)
    except (ImportError, AttributeError, OSError):  # not Linux, or not a pipe
        pass
    for block in blocks:
        out.write(block.astype("<u4", copy=False).data)
    out.flush()
