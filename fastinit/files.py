"""Arrays larger than memory: tensors filled in files, a window at a time, and files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from .core.arguments import check_name, integers
from .core.blocks import tiles
from .core.dtypes import DType, resolve
from .core.explain import Explanation, explain
from .core.streams import Pinned, Seed, pin
from .models.rules import Rule

__all__ = ["create_npy"]

# Bytes of a file that are mapped, and so count as the process's memory, at a time.
WINDOW = 2**24


def create_npy(path: str | os.PathLike[str], shape: Any, rule: Rule, *, dtype: Any = "float32", seed: Seed = None,
               name: str = "", overwrite: bool = False, num_threads: int | None = None) -> Path:
    """Write an .npy file, which may be larger than memory.

    Parameters
    ----------
    path : path
        Where. The file appears there when it is whole and on the disk.
    shape : int or sequence of int
    rule : Rule
        What to fill it with, such as ``fastinit.Normal(std=0.02)``.
    dtype : str or dtype
        float32, float64, float16 or bfloat16; the last as uint16, since the format has no bfloat16.
    seed, name, num_threads
        As for every initializer: what `rule` stands for gives the same values with them.
    overwrite : bool
        Whether a file at `path` is replaced; otherwise that is a FileExistsError.

    Returns
    -------
    Path

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a file is made.
    OSError
        Of the file system, such as too little space for the whole; then nothing is left behind.

    Notes
    -----
    At most 16 MiB of the file are mapped at a time, except for initializers that are not elementwise (`orthogonal`, `sparse`
    and the like), which need the whole tensor. Read it with ``numpy.load(path, mmap_mode="r")``.

    Examples
    --------
    >>> import fastinit as fi, numpy as np, tempfile
    >>> from fastinit.files import create_npy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = create_npy(f"{folder}/w.npy", (100, 50), fi.XavierUniform(), seed=0)
    ...     bool((np.load(path) == fi.xavier_uniform((100, 50), seed=0)).all())
    True
    """
    check_name(name)
    if not isinstance(rule, Rule):
        raise TypeError(f"rule: expected a rule such as fastinit.Normal(std=0.02), got {rule!r}")
    tensor = Request(name, integers(shape, "shape"), resolve(dtype), rule)
    tensor.explain()
    seed = pin(seed)
    header = {"descr": np.lib.format.dtype_to_descr(tensor.dtype.storage), "fortran_order": False, "shape": tensor.shape}
    with replacing(Path(path), overwrite) as part, open(part, "x+b") as file:
        np.lib.format.write_array_header_1_0(file, header)
        fill_tensors(file, [tensor], seed, num_threads)
    return Path(path)


class Request(NamedTuple):
    """What a file is to hold under a name."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    rule: Rule

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def explain(self) -> Explanation:
        """Refuses what the rule cannot fill."""
        return explain(self.rule.initializer, self.shape, *self.rule.args, dtype=self.dtype.name, **self.rule.options)


def refuse_existing(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(errno.EEXIST, "the file exists, and overwrite=True was not said", str(path))


@contextlib.contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """A name beside `path` for a file that will be renamed to it when it is whole and on the disk, or removed."""
    refuse_existing(path, overwrite)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, path)
        if os.name == "posix":  # the new name, too
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        part.unlink(missing_ok=True)


def to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def fill_tensors(file: IO[bytes], tensors: Sequence[Request], seed: Pinned, num_threads: int | None) -> None:
    """Add the tensors to a file, one behind the other, and bring it to the disk."""
    file.flush()
    position = file.tell()
    size = position + sum(tensor.nbytes for tensor in tensors)
    if hasattr(os, "posix_fallocate"):  # where a hole meets a full disk, a write to mapped memory kills the process
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        file.truncate(size)
    for tensor in tensors:
        name, shape, dtype, rule = tensor
        limit = (WINDOW if tensor.explain().elementwise else tensor.nbytes) // dtype.itemsize
        for at, block in tiles(shape, limit):  # in C order, as they lie in the file
            window = np.memmap(file, dtype.storage, "r+", position, block)
            rule.initializer.in_place(window, *rule.args, seed=seed, name=name, num_threads=num_threads, dtype=dtype.name,
                                      global_shape=shape, offset=at, **rule.options)
            position += window.nbytes
            del window  # unmapped, so that its pages are no longer this process's
    to_disk(file)
