"""Arrays larger than memory: files of filled tensors, made a piece at a time, that are whole or not there."""

from __future__ import annotations

import io
import itertools
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .core.arguments import boolean, check_name, integer, sizes
from .core.blocks import tiles
from .core.dtypes import DType, resolve
from .core.explain import explain
from .core.streams import Pinned, Seed, pin
from .formats.publish import publishing
from .models.rules import Rule

__all__ = ["create_npy"]

# Bytes that are filled while others are written: they are still in the cache when they are copied to the system's.
CHUNK = 2**20
CHUNKS = 4


def create_npy(path: str | os.PathLike[str], shape: Any, rule: Rule, *, dtype: Any = "float32", seed: Seed = None,
               name: str = "", overwrite: bool = False, num_threads: int | None = None) -> Path:
    """Write an .npy file, which may be larger than memory.

    Parameters
    ----------
    path : path
        Where. The file appears there when it is whole and on the disk. What is there may be a regular file; a folder, a device
        or a symbolic link is refused.
    shape : int or sequence of int
    rule : Rule
        What to fill it with, such as ``fastinit.Normal(std=0.02)``.
    dtype : str or dtype
        float32, float64, float16 or bfloat16; the last as uint16, since the format has no bfloat16.
    seed, name, num_threads
        As for every initializer: what `rule` stands for gives the same values with them.
    overwrite : bool
        Whether a file at `path` is replaced, by one of the same mode and, where the system allows it, owner; otherwise that is
        a FileExistsError, also if the file appears while this one is made.

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a file is made.
    OSError
        Of the file system, such as too little space for the whole, before a byte is filled; then nothing is left behind.

    Notes
    -----
    At most 4 MiB are held in memory, except for initializers that are not elementwise (`orthogonal`, `sparse` and the like),
    which need the whole tensor. Read it with ``numpy.load(path, mmap_mode="r")``. If the process is killed, a file whose name
    begins with ``.fastinit-`` is left; the next file made in that folder removes it.

    Examples
    --------
    >>> import fastinit as fi, numpy as np, tempfile
    >>> from fastinit.files import create_npy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = create_npy(f"{folder}/w.npy", (100, 50), fi.XavierUniform(), seed=0)
    ...     bool((np.load(path) == fi.xavier_uniform((100, 50), seed=0)).all())
    True
    """
    tensor = request(name, shape, dtype, rule)
    boolean(overwrite, "overwrite")
    if num_threads is not None:
        integer(num_threads, "num_threads", 1)
    seed, header = pin(seed), tensor.npy_header()
    with publishing({Path(path): len(header) + tensor.nbytes}, overwrite) as (file,):
        file.write(header)
        write_filled(file.write, [tensor], seed, num_threads)
    return Path(path)


class Request(NamedTuple):
    """What a file is to hold under a name: made by `request`."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    rule: Rule
    elementwise: bool

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def npy_header(self) -> bytes:
        """What comes before the tensor in an npy file, by NumPy's own writer."""
        text = io.BytesIO()
        np.lib.format.write_array_header_1_0(text, {"descr": np.lib.format.dtype_to_descr(self.dtype.storage),
                                                    "fortran_order": False, "shape": self.shape})
        return text.getvalue()

    def fill(self, memory: np.ndarray, seed: Pinned, num_threads: int | None,
             offset: tuple[int, ...] | None = None) -> np.ndarray:
        """Fill a block of the tensor, by default all of it."""
        block = {} if offset is None else {"global_shape": self.shape, "offset": offset}
        return self.rule.initializer.in_place(memory, *self.rule.args, seed=seed, name=self.name, num_threads=num_threads,
                                       dtype=self.dtype.name, **block, **self.rule.options)


def request(name: Any, shape: Any, dtype: Any, rule: Any) -> Request:
    """A tensor that can be filled, and that NumPy can hold."""
    check_name(name)
    if not isinstance(rule, Rule):
        raise TypeError(f"rule: expected a rule such as fastinit.Normal(std=0.02), got {rule!r}")
    shape, dtype = sizes(shape, "shape"), resolve(dtype)
    told = explain(rule.initializer, shape, *rule.args, dtype=dtype.name, **rule.options)
    return Request(name, shape, dtype, rule, told.elementwise)


def write_filled(write: Callable[[Any], Any], tensors: Iterable[Request], seed: Pinned, num_threads: int | None) -> None:
    """Fill tensors, and write them one behind the other: while a thread writes what was filled, more is filled."""
    with ThreadPoolExecutor(1) as thread:
        written: deque[Future[Any]] = deque()
        for chunk in _filled(tensors, seed, num_threads):
            written.append(thread.submit(write, chunk))
            if len(written) == CHUNKS:
                written.popleft().result()
        for future in written:
            future.result()


def _filled(tensors: Iterable[Request], seed: Pinned, num_threads: int | None) -> Iterator[np.ndarray]:
    """The tensors' bytes in C order, in chunks. A chunk's memory is filled again after `CHUNKS` more."""
    chunks = itertools.cycle([np.empty(CHUNK, np.uint8) for _ in range(CHUNKS)])
    chunk, used = next(chunks), 0
    for tensor in tensors:
        shape, dtype = tensor.shape, tensor.dtype
        whole = None  # that of the tensor before is not needed any more
        if not tensor.elementwise:
            whole = tensor.fill(np.empty(shape, dtype.storage), seed, num_threads).reshape(-1)
        for at, block in tiles(shape, CHUNK // dtype.itemsize):  # in C order, as they lie in the file
            end = used + math.prod(block) * dtype.itemsize
            if end > CHUNK:
                yield chunk[:used]
                chunk, used, end = next(chunks), 0, end - used
            memory = chunk[used:end].view(dtype.storage)
            if whole is None:
                tensor.fill(memory.reshape(block), seed, num_threads, at)
            else:
                memory[:], whole = whole[:memory.size], whole[memory.size:]
            used = end
    yield chunk[:used]
