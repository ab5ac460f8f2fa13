"""Weight files, read a tensor at a time: safetensors and npy are memory-mapped, npz is read member by member, torch's state
files through torch, mapped as well."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core.dtypes import BY_NUMPY, DTYPES, DType
from ..core.public import public_in
from . import safetensors_header

__all__ = ["TORCH", "Tensor", "of_array", "read"]

TORCH = (".pt", ".pth", ".bin", ".ckpt")


@public_in("fastinit.weights")
class Tensor(NamedTuple):
    """One tensor of a file.

    Attributes
    ----------
    name : str
    memory : ndarray
        As stored; bfloat16 as uint16. Of shape () for a dtype that is not looked into.
    dtype : DType or None
        None for what is not one of the four float types: integers, float8.
    stored : str
        What the file calls the dtype.
    place : int or None
        Equal for tensors that share memory.
    """

    name: str
    memory: np.ndarray
    dtype: DType | None
    stored: str
    place: int | None = None


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
    ValueError
        For another ending, and for a file that is not what its ending says.
    OSError
        When it cannot be read.
    """
    readers = {".safetensors": _safetensors, ".npy": _npy, ".npz": _npz} | dict.fromkeys(TORCH, _torch)
    if path.suffix not in readers:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(readers)}")
    for tensor in readers[path.suffix](path):
        if dtype is not None and tensor.dtype is None and tensor.memory.dtype == np.uint16:
            tensor = tensor._replace(dtype=DTYPES[dtype], stored=dtype)
        yield tensor


@public_in("fastinit.weights")
def of_array(name: str, array: np.ndarray, place: int | None = None) -> Tensor:
    """A tensor of a NumPy array; ml_dtypes' bfloat16, which npy files call V2, too."""
    if array.dtype.name == "bfloat16" or array.dtype == np.dtype("V2"):
        return Tensor(name, array.view(np.uint16), DTYPES["bfloat16"], "bfloat16", place)
    return Tensor(name, array, BY_NUMPY.get(array.dtype), array.dtype.name, place)


def _safetensors(path: Path) -> Iterator[Tensor]:
    try:
        with open(path, "rb") as file:
            entries, first = safetensors_header.decode(file, path.stat().st_size)
        for name, code, dtype, shape, start, end in entries:
            if dtype is None:
                yield Tensor(name, np.empty((), np.uint8), None, code)
            elif start == end:
                yield Tensor(name, np.empty(shape, dtype.storage), dtype, dtype.name)
            else:  # a map for each tensor: what was read before does not stay in memory
                yield Tensor(name, np.memmap(path, dtype.storage, "r", first + start, shape), dtype, dtype.name)
    except ValueError as error:  # of the header, or of a shape that NumPy cannot hold
        raise ValueError(f"{path}: {error}") from None


def _npy(path: Path) -> Iterator[Tensor]:
    try:
        yield of_array(path.stem, np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError as error:
        raise ValueError(f"{path}: expected an npy file: {error}") from None


def _npz(path: Path) -> Iterator[Tensor]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                yield of_array(name, arrays[name])
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected an npz file: {error}") from None


def _torch(path: Path) -> Iterator[Tensor]:
    try:
        import torch
    except ImportError:
        raise ValueError(f"{path}: torch is needed to read it: pip install torch") from None
    import pickle
    import struct

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, struct.error) as error:
        raise ValueError(f"{path}: expected torch's file of weights only: {str(error).splitlines()[0]}") from None
    for name, tensor in _flat("", loaded):
        if isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and not tensor.is_quantized:
            stored = str(tensor.dtype).removeprefix("torch.")
            dtype = DTYPES.get(stored)
            raw = tensor.detach()
            memory = (raw.view(torch.uint16) if stored == "bfloat16" else raw).numpy() if dtype else np.empty((), np.uint8)
            yield Tensor(name, memory, dtype, stored, tensor.data_ptr() or None)


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, such as {"model": state, "step": 3}, by dotted names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    else:
        yield prefix, value
