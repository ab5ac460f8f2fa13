"""Weight files, read a tensor at a time: safetensors, npy, npz, and torch's state files through torch.

Files come from anywhere. What one holds may be wrong in any way; each is read or refused in a sentence that names it, and what
it makes of memory and time is bounded by its own size: see `_within_limits`.
"""

from __future__ import annotations

import io
import math
import os
import stat
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..core.arguments import integers
from ..core.dtypes import BY_NUMPY, DTYPES, DType
from ..core.public import public_in
from . import safetensors_header
from .strict_json import check_once

__all__ = ["TORCH", "Stored", "Tensor", "Unreadable", "of_array", "opened", "read"]

TORCH = (".pt", ".pth", ".bin", ".ckpt")
# Bytes that the tensors of a file may take for one of its own, compressed or sharing memory as they may be (weights shrink to
# 1/2, never to 1/100); those that any file may have; and those that a tensor counts for at least, as it takes time.
EXPANSION, ALWAYS, LEAST = 100, 2**27, 2**14
NAMES = 2**24  # characters of all names of a file, and 64 more for each: mappings within mappings multiply them
NPY_HEAD = 2**14  # bytes; NumPy reads headers of 10,000
NPZ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy.savez and savez_compressed


@public_in("fastinit.weights")
class Unreadable(ValueError):
    """A file, or a tensor of it, that is not what its name and header say."""


@dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    storage : numpy.dtype
    offset : int
        Of its first byte; in the member, if there is one.
    order : {"C", "F"}
    member : str
        Of a zip file, by its name; "" for a file that is none.
    archive : ZipFile or None
        The zip file, as long as it is open: to read its directory for each of many members takes the square of their time.
    """

    path: Path
    shape: tuple[int, ...]
    storage: np.dtype
    offset: int
    order: Any = "C"
    member: str = ""
    archive: zipfile.ZipFile | None = field(default=None, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.storage.itemsize

    def blocks(self, elements: int) -> Iterator[np.ndarray]:
        """All elements as they follow one another in the file, at most so many at a time, each block in memory of its own."""
        where = f"{self.path}: " + f"tensor {self.member.removesuffix('.npy')!r}: " * bool(self.member)
        with _refusing(where), self._open() as file:
            left = math.prod(self.shape)
            while left:
                block = np.empty(min(elements, left), self.storage)
                _read_all(file, block.view(np.uint8).data)
                yield block
                left -= block.size
            while self.member and file.read(2**16):  # zipfile compares the checksum where the member ends
                pass

    def part(self, start: int, elements: int) -> np.ndarray:
        """So many elements from `start` on, of a file that is no zip file."""
        with _refusing(f"{self.path}: "), opened(self.path) as file:
            file.seek(self.offset + start * self.storage.itemsize)
            block = np.empty(elements, self.storage)
            _read_all(file, block.view(np.uint8).data)
            return block

    def mapped(self, start: int, elements: int) -> np.ndarray:
        """As `part`, mapped."""
        return np.memmap(self.path, self.storage, "r", self.offset + start * self.storage.itemsize, (elements,))

    def load(self) -> np.ndarray:
        """All of it, in memory."""
        parts = list(self.blocks(max(1, math.prod(self.shape))))
        return (parts[0] if parts else np.empty(0, self.storage)).reshape(self.shape, order=self.order)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Mapped, where the file allows it."""
        if self.member or not self.nbytes:
            return self.load()
        return np.memmap(self.path, self.storage, "r", self.offset, self.shape, self.order)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with opened(self.path) as file:
            if not self.member:
                file.seek(self.offset)
                yield file
                return
            known = self.archive if self.archive and self.archive.fp and not self.archive.fp.closed else None
            with (known or zipfile.ZipFile(file)).open(self.member) as member:
                _read_all(member, memoryview(bytearray(self.offset)))
                yield member


@public_in("fastinit.weights")
@dataclass(frozen=True)
class Tensor:
    """One tensor of a file.

    Attributes
    ----------
    name : str
    source : ndarray or other
        As stored; bfloat16 as uint16. Of shape () for a dtype that is not looked into. What is not an ndarray becomes one by
        ``numpy.asarray``; `memory` does that.
    dtype : DType or None
        None for what is not one of the four float types: integers, float8.
    stored : str
        What the file calls the dtype.
    place : int or None
        Equal for tensors that share memory.
    """

    name: str
    source: np.ndarray | Stored
    dtype: DType | None
    stored: str
    place: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape

    @property
    def nbytes(self) -> int:
        return self.source.nbytes

    @property
    def memory(self) -> np.ndarray:
        """The elements: mapped from safetensors and npy files, loaded from npz files."""
        return np.asarray(self.source)


@public_in("fastinit.weights")
def read(path: Path, dtype: str | None = None) -> Iterator[Tensor]:
    """The tensors of a file, in its order.

    Parameters
    ----------
    path : Path
        Ends in .safetensors, .npy, .npz, or, for a file of `torch.save`, .pt, .pth, .bin or .ckpt. Such a file is loaded with
        ``weights_only=True``: nothing in it is run.
    dtype : str, optional
        "bfloat16" if uint16 arrays of an npy or npz file hold that.

    Raises
    ------
    Unreadable
        A ValueError that names the file: for another ending; for a file that is not what its ending says, here or once
        a tensor's memory is asked for; for one whose tensors would take more than 128 MiB and 100 times its own size.
    OSError
        When it cannot be opened.
    """
    readers = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz} | dict.fromkeys(TORCH, _torch)
    if path.suffix not in readers:
        raise Unreadable(f"{path}: expected a name that ends in {', '.join(readers)}")
    with opened(path) as file:
        for tensor in _within_limits(path, os.fstat(file.fileno()).st_size, readers[path.suffix](path, file)):
            if dtype is not None and tensor.dtype is None and tensor.stored == "uint16" and isinstance(tensor.source, Stored):
                tensor = replace(tensor, dtype=DTYPES[dtype], stored=dtype)
            yield tensor


@public_in("fastinit.weights")
def of_array(name: str, array: np.ndarray, place: int | None = None) -> Tensor:
    """A tensor of a NumPy array; ml_dtypes' bfloat16, which npy files call V2, too."""
    storage, dtype, stored = _known(array.dtype)
    return Tensor(name, array if storage is array.dtype else array.view(storage), dtype, stored, place)


def opened(path: Path) -> IO[bytes]:
    """The file, for reading, if it is one: a pipe has no end, and what reads from a device is up to the device."""
    # Without O_NONBLOCK the open itself would wait for a pipe's other end.
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Unreadable(f"{path}: expected a regular file, got a pipe, a device or a socket")
    return file


@contextmanager
def _refusing(where: str) -> Iterator[None]:
    """Whatever a decoder makes of bytes that it was not made for, as one sentence. Libraries raise anything there: for a cut
    or changed npy header alone NumPy ValueError, SyntaxError, TypeError, OverflowError, MemoryError and tokenize's."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        lines = str(error).splitlines() or ["not enough memory" if isinstance(error, MemoryError) else type(error).__name__]
        raise Unreadable(f"{where}{lines[0][:300]}") from None


def _read_all(file: IO[bytes], out: memoryview) -> None:
    done = 0
    while done < len(out):
        got = file.readinto(out[done:])  # type: ignore[attr-defined]
        if not got:
            raise Unreadable(f"ends {len(out) - done} bytes too early")
        done += got


def _within_limits(path: Path, size: int, tensors: Iterable[Tensor]) -> Iterator[Tensor]:
    """The tensors, as long as what they take together is in proportion to the file: a zip member may be a thousand times as
    large as its bytes, a torch tensor of strides 0 a billion times, and any number of tensors may share memory."""
    total = 0
    for tensor in tensors:
        total += max(math.prod(tensor.shape) * tensor.dtype.itemsize if tensor.dtype else 0, LEAST)
        if total > max(ALWAYS, EXPANSION * size):
            raise Unreadable(f"{path}: tensor {tensor.name!r}: expected at most {EXPANSION} times the file's {size} bytes in "
                             f"all tensors, got {total} up to this one")
        yield tensor


def _known(found: np.dtype) -> tuple[np.dtype, DType | None, str]:
    """What an array's memory is, as a dtype of the registry where it is one, and the name that it is told by."""
    if found.name == "bfloat16" or found == np.dtype("V2"):
        return DTYPES["bfloat16"].storage, DTYPES["bfloat16"], "bfloat16"
    return found, BY_NUMPY.get(found), found.name if found.isnative else found.str


def _possible(shape: tuple[int, ...], storage: np.dtype) -> tuple[int, ...]:
    """The shape, if NumPy has arrays of it."""
    np.ndarray(shape, storage, np.empty(1, storage), strides=(0,) * len(shape))
    return shape


def _safetensors(path: Path, file: IO[bytes]) -> Iterator[Tensor]:
    with _refusing(f"{path}: "):
        entries, first = safetensors_header.decode(file, os.fstat(file.fileno()).st_size)
        safetensors_header.check(path)
        for name, code, dtype, shape, start, _ in entries:
            if dtype is None:
                yield Tensor(name, np.empty((), np.uint8), None, code)
            else:
                with _refusing(f"{path}: tensor {name!r}: "):
                    stored = Stored(path, _possible(shape, dtype.storage), dtype.storage, first + start)
                yield Tensor(name, stored, dtype, dtype.name)


def _npy(path: Path, file: IO[bytes]) -> Iterator[Tensor]:
    with _refusing(f"{path}: expected an npy file: "):
        tensor = _npy_tensor(path, path.stem, "", file, os.fstat(file.fileno()).st_size)
    yield tensor


def _npy_tensor(path: Path, name: str, member: str, file: IO[bytes], size: int,
                archive: zipfile.ZipFile | None = None) -> Tensor:
    """By the header, of a file or member of so many bytes."""
    head = io.BytesIO(file.read(NPY_HEAD))
    with warnings.catch_warnings():  # of Python 2's integers, and of odd literals
        warnings.simplefilter("ignore")
        version = np.lib.format.read_magic(head)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"got version {version[0]}.{version[1]} of the format")
        # 3.0 has fields whose names are no Latin-1; where the header ends and what the array takes is as in 2.0.
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, found = header(head)
    if found.hasobject:
        raise ValueError("got Python objects, which are not loaded")
    storage, dtype, stored = _known(found)
    source = Stored(path, _possible(integers(shape, "shape"), storage), storage, head.tell(), "F" if fortran else "C", member,
                    archive)
    if source.nbytes > size - source.offset:
        raise ValueError(f"got {size - source.offset} bytes for an array of {source.nbytes}")
    return Tensor(name, source, dtype, stored)


def _npz(path: Path, file: IO[bytes]) -> Iterator[Tensor]:
    with _refusing(f"{path}: expected an npz file: "):
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
        check_once((member.filename.removesuffix(".npy") for member in members), "tensor")
    for member in members:
        name = member.filename.removesuffix(".npy")
        with _refusing(f"{path}: tensor {name!r}: expected an npy array: "):
            if member.compress_type not in NPZ_METHODS:
                raise ValueError(f"got one that is compressed by method {member.compress_type}")
            with archive.open(member) as inner:
                tensor = _npy_tensor(path, name, member.filename, inner, member.file_size, archive)
        yield tensor


def _torch(path: Path, file: IO[bytes]) -> Iterator[Tensor]:
    try:
        import torch
    except ImportError:
        raise Unreadable(f"{path}: torch is needed to read it: pip install torch") from None
    with _refusing(f"{path}: expected torch's file of weights only: "):
        zipped = zipfile.is_zipfile(file)
        file.seek(0)
        if zipped:
            _check_torch_zip(file)
        elif file.read(1) != b"\x80":  # of a pickle; torch would try a tar file too
            raise ValueError("got neither a zip file nor a pickle")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
        for name, tensor in _flat(loaded):
            if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and not tensor.is_quantized:
                with _refusing(f"{path}: tensor {name!r}: "):
                    yield _torch_tensor(name, tensor)


def _check_torch_zip(file: IO[bytes]) -> None:
    """torch inflates compressed records whole, before their size is known to be right; `torch.save` writes none."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        check_once((member.filename for member in members), "record")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ValueError(f"got the compressed record {member.filename!r}")


def _torch_tensor(name: str, tensor: Any) -> Tensor:
    import torch

    stored = str(tensor.dtype).removeprefix("torch.")
    dtype = DTYPES.get(stored)
    if dtype is None or tensor.device.type != "cpu":
        return Tensor(name, np.empty((), np.uint8), None, stored)
    raw = tensor.detach().resolve_neg()
    memory = (raw.view(torch.uint16) if stored == "bfloat16" else raw).numpy()
    return Tensor(name, memory, dtype, stored, tensor.data_ptr() or None)


def _flat(loaded: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, such as {"model": state, "step": 3}, by dotted names. A pickle can hold a mapping within
    itself, or a few that each hold the next ten times: that ends by the length of the names."""
    levels, length = [iter([("", loaded)])], 0
    while levels:
        for name, value in levels[-1]:
            length += len(name) + 64
            if length > NAMES:
                raise ValueError(f"got names of more than {NAMES} characters in all, or mappings within themselves")
            if isinstance(value, Mapping):
                levels.append(_named(f"{name}." * bool(name), value))
                break
            yield name, value
        else:
            levels.pop()


def _named(prefix: str, mapping: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():  # a tuple of tuples may take years to print
        yield prefix + (str(key) if isinstance(key, (str, int, float)) else f"<{type(key).__name__}>"), value
