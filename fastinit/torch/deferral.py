"""Fills that wait: recorded with their keys, written when something reads the memory, or all together when the block ends.

A value depends on its key and not on when it is written, so what is written is what would have been written at once. What need
not be written is not: what another fill of the same memory replaces, and what is gone before anything has read it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

import fastinit as fi

from ..core import memory
from ..core.calls import Initializer, is_plain, remembered
from ..core.pages import advise
from ..core.streams import call_key
from .tensors import STORAGE

__all__ = ["HARMLESS", "pending"]

_GETTERS = ("data", "device", "dtype", "grad", "grad_fn", "is_cpu", "is_cuda", "is_leaf", "is_meta", "is_nested",
            "is_quantized", "is_sparse", "itemsize", "layout", "name", "names", "nbytes", "ndim", "output_nr", "requires_grad",
            "shape", "_version")
# What reads no element, and gives none but through a tensor of the same storage.
HARMLESS = {getattr(Tensor, name).__get__ for name in _GETTERS if hasattr(Tensor, name)}
HARMLESS |= {getattr(Tensor, name).__set__ for name in ("data", "grad", "requires_grad")}
HARMLESS |= {Tensor.__hash__, Tensor.__len__, Tensor.detach, Tensor.dim, Tensor.element_size, Tensor.is_complex,
              Tensor.is_contiguous, Tensor.is_floating_point, Tensor.is_inference, Tensor.is_neg, Tensor.nelement,
              Tensor.new_empty, Tensor.numel, Tensor.requires_grad_, Tensor.size, Tensor.storage_offset, Tensor.stride,
              Tensor.view, Tensor.view_as, torch.empty, torch.empty_like, torch.is_complex, torch.is_floating_point,
              torch.numel, torch.ones_like, torch.zeros_like}


class _Fill(NamedTuple):
    """One that waits: what is to be written to all of a storage, which may be gone by then."""

    storage: StorageWeakRef
    kernel: Any
    ns_per_byte: float
    key: bytes
    dtype: np.dtype


class _Pending(threading.local):
    """This thread's, by storage. All its blocks share them, so that the last fill of a memory wins whichever block has it."""

    def __init__(self) -> None:
        self._fills: dict[int, _Fill] = {}

    def record(self, tensor: Tensor, ours: Initializer, args: Sequence[Any], options: Mapping[str, Any], rng: fi.Rng) -> bool:
        """Put off a fill of a tensor that is all of its storage; False, and nothing has changed, where that cannot be."""
        if not tensor.nbytes or not _is_whole(tensor) or not is_plain(ours.in_place, args, options):
            return False
        name, memory_type = STORAGE.get(tensor.dtype, ("", np.dtype(np.void)))
        if not name or tensor.is_neg() or tensor.is_inference() and not torch.is_inference_mode_enabled():
            return False
        try:
            plan = remembered(ours.in_place, memory_type, name, tuple(tensor.shape), *args, **options)
        except (TypeError, ValueError):  # which is told where it is not put off
            return False
        if plan is None:
            return False
        kernel, ns_per_byte, _ = plan
        self._put(tensor, _Fill(StorageWeakRef(tensor.untyped_storage()), kernel, ns_per_byte, call_key(rng, ""), memory_type))
        torch.autograd.graph.increment_version(tensor)
        return True

    def _put(self, tensor: Tensor, fill: _Fill) -> None:
        self._fills[tensor.untyped_storage()._cdata] = fill

    @contextlib.contextmanager
    def replaced(self, tensor: Any) -> Iterator[None]:
        """Torch writes other values to a tensor: what waits for all of it need not be written, unless torch refuses."""
        fill, place = None, _storage_of(tensor) if self._fills else 0
        if place in self._fills:
            if _is_whole(tensor):
                fill = self._fills.pop(place)
            else:
                self.write([place])
        try:
            yield
        except BaseException:
            if fill is not None:
                self._fills[place] = fill
            raise

    def clone(self, tensor: Any, options: Mapping[str, Any]) -> Tensor | None:
        """A copy that waits as the tensor does; None where none can."""
        fill = self._fills.get(_storage_of(tensor)) if self._fills else None
        if fill is None or options.keys() - {"memory_format"} or not _is_whole(tensor):
            return None
        if options.get("memory_format", torch.preserve_format) not in (torch.preserve_format, torch.contiguous_format):
            return None
        if tensor.requires_grad and torch.is_grad_enabled():
            return None
        copy = torch.empty_like(tensor)
        self._put(copy, fill._replace(storage=StorageWeakRef(copy.untyped_storage())))
        return copy

    def seen(self, function: Any, args: Iterable[Any], options: Mapping[str, Any]) -> None:
        """Torch is about to run a function: what that may read is written first."""
        if not self._fills:
            return
        places = set()
        for thing in _leaves((*args, *options.values())):
            if isinstance(thing, Tensor):
                places.add(_storage_of(thing))
            elif callable(thing) and not isinstance(thing, type | torch.dtype | torch.device):
                return self.write()  # which may read any
        self.write(place for place in places if place in self._fills)

    def write(self, places: Iterable[int] | None = None) -> None:
        """Write those of some storages, by default all, and forget them."""
        fills = [self._fills.pop(place) for place in list(self._fills if places is None else places)]
        alive = [torch.UntypedStorage._new_with_weak_ptr(fill.storage.cdata) for fill in fills]
        wholes = []
        for fill, storage in zip(fills, alive):
            if storage is not None:
                advise(storage.data_ptr(), storage.nbytes())
                # By its address: a mode of torch's may be active that makes no memory.
                size = storage.nbytes() // fill.dtype.itemsize
                array = memory.at_address(storage.data_ptr(), fill.dtype, (size,), owner=storage)
                wholes.append((fill.kernel, fill.ns_per_byte, fill.key, array))
        if wholes:
            memory.execute([], None, wholes)


def _storage_of(tensor: Any) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except (RuntimeError, NotImplementedError, AttributeError):  # which has none, or shows none
        return 0


def _is_whole(tensor: Any) -> bool:
    """Whether a plain tensor is all of its storage, which no one is known to have by address: NumPy's cannot be resized."""
    if type(tensor) not in (Tensor, torch.nn.Parameter) or tensor.layout is not torch.strided or tensor.device.type != "cpu":
        return False
    storage = tensor.untyped_storage()
    return tensor.is_contiguous() and storage.nbytes() == tensor.numel() * tensor.element_size() and storage.resizable()


def _leaves(things: Iterable[Any]) -> Iterator[Any]:
    for thing in things:
        if isinstance(thing, list | tuple):
            yield from _leaves(thing)
        elif isinstance(thing, dict):
            yield from _leaves(thing.values())
        else:
            yield thing


pending: _Pending = _Pending()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: pending.write())  # a child has the memory, and no block
