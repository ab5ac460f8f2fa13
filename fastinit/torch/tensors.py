"""What fastinit fills of a torch tensor: its memory as NumPy sees it, on a CUDA device what stands for that, and of a DTensor
which blocks of the whole are here."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

import fastinit as fi

from ..core.calls import Initializer, Task, perform, prepare
from ..core.dtypes import DTYPES
from ..core.memory import at_address
from ..core.pages import advise
from ..core.streams import Seed, pin, seed_material
from ..models.rules import Rule

# Each dtype's name here, and what its memory is to NumPy.
STORAGE = {getattr(torch, name): (name, entry.storage) for name, entry in DTYPES.items()}


class Target(NamedTuple):
    """A tensor's memory: pieces, each with its offset in a tensor of `shape`. Those of a CUDA device, whose number is then
    given, must not be read or written from here."""

    tensor: torch.Tensor
    pieces: list[tuple[np.ndarray, tuple[int, ...]]]
    shape: tuple[int, ...]
    dtype: str
    sharded: bool
    device: int | None = None


def _refusal(tensor: Any) -> TypeError:
    found = type(tensor).__name__
    if isinstance(tensor, torch.Tensor):
        found = f"a {found} of {tensor.dtype}, {tensor.layout}, on {tensor.device}"
    return TypeError(f"tensor: expected a dense tensor of {', '.join(DTYPES)} on the CPU, or on CUDA with "
                     f"fastinit-kernels[cuda] installed, got {found}")


def _memory(tensor: Any) -> np.ndarray:
    # Subclasses, fake tensors among them, may hold anything. So may what has no sizes or no pointer: nested tensors and those
    # inside a functional transform raise RuntimeError, and FSDP empties storages.
    if type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.dtype in STORAGE and is_reached(tensor.device.type):
        writable = not tensor.is_inference() or torch.is_inference_mode_enabled()
        if tensor.layout is torch.strided and writable and not tensor.is_neg():
            try:
                if tensor.numel() == 0 or tensor.data_ptr():
                    # `Tensor.numpy` would forbid the storage to be resized ever after, which FSDP does.
                    storage = STORAGE[tensor.dtype][1]
                    strides = [n * storage.itemsize for n in tensor.stride()]
                    return at_address(tensor.data_ptr(), storage, tensor.shape, strides, tensor)
            except RuntimeError:
                pass
    raise _refusal(tensor)


@functools.cache
def _has_cuda() -> bool:
    """And not ROCm, whose tensors say that they are on "cuda" too."""
    return torch.version.hip is None and all(map(importlib.util.find_spec, ("cuda", "cuda.core", "cuda.bindings")))


def is_reached(device: str) -> bool:
    return device == "cpu" or device == "cuda" and _has_cuda()


def _device_of(tensor: torch.Tensor) -> int | None:
    return tensor.device.index if tensor.is_cuda else None


def target_of(tensor: Any) -> Target:
    """The memory of a tensor, or of a DTensor's local one; a TypeError for what torch alone can fill."""
    # Without this module, whose import is slow, there is no DTensor.
    distributed = sys.modules.get("torch.distributed.tensor")
    if distributed is None or not isinstance(tensor, distributed.DTensor):
        memory = _memory(tensor)
        return Target(tensor, [(memory, (0,) * memory.ndim)], memory.shape, STORAGE[tensor.dtype][0], False,
                      _device_of(tensor))
    if any(placement.is_partial() for placement in tensor.placements):
        raise TypeError(f"tensor: expected a DTensor that is sharded or replicated, got placements {tensor.placements}")
    with torch.no_grad():
        local = tensor.to_local()
        memory = _memory(local)
    axes = [runs(tensor, axis) for axis in range(tensor.ndim)]
    pieces: list[tuple[np.ndarray, tuple[int, ...]]] = []
    for block in itertools.product(*axes):
        here: tuple[Any, ...] = (..., *(slice(at, at + n) for at, _, n in block))  # ...: a view also where there is no axis
        pieces.append((memory[here], tuple(start for _, start, _ in block)))
    return Target(tensor, pieces, tuple(tensor.shape), STORAGE[tensor.dtype][0], True, _device_of(local))


def runs(tensor: Any, axis: int) -> list[tuple[int, int, int]]:
    """Which indices of a DTensor's axis are on this rank: runs as (position in the local tensor, first index, length). Several
    for the strided shards that FSDP makes of tensor parallelism's."""
    from torch.distributed.tensor import Replicate, distribute_tensor

    n, mesh = tensor.shape[axis], _on_cpu(tensor.device_mesh)
    placements = [placement if getattr(placement, "dim", None) == axis else Replicate() for placement in tensor.placements]
    shape = [n if a == axis else 1 for a in range(tensor.ndim)]
    # torch itself shards the numbers 0, 1, ... so that no rule of its is written here again. None: nothing is sent.
    numbers = distribute_tensor(torch.arange(n, device="cpu").reshape(shape), mesh, placements, src_data_rank=None)
    here = numbers.to_local().cpu().flatten().numpy()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(here) != 1) + 1]) if here.size else np.array([0])
    lengths = np.diff(np.append(starts, here.size))
    return [(int(at), int(here[at]) if here.size else 0, int(length)) for at, length in zip(starts, lengths)]


def _on_cpu(mesh: Any) -> Any:
    """The same ranks as a mesh of CPUs: index arithmetic should not have to wait for a device."""
    if mesh.device_type == "cpu":
        return mesh
    try:
        return type(mesh)("cpu", mesh.mesh, mesh_dim_names=mesh.mesh_dim_names, _init_backend=False)
    except TypeError:  # this torch makes none without a backend
        return mesh


def fill(target: Target, initializer: Initializer, args: tuple[Any, ...], options: Mapping[str, Any], seed: Seed,
         name: str = "") -> None:
    """Run an initializer on a target, as if the whole tensor were here; autograd is told. On a CUDA device, on torch's current
    CUDA stream. What is not elementwise and sharded is made whole, and copied."""
    run, store = _on_device(target.device) if target.device is not None else (_run, np.copyto)
    how: dict[str, Any] = {"seed": seed, "name": name, "dtype": target.dtype}
    if not target.sharded:
        run(initializer.in_place, target.pieces[0][0], args, options, **how)
    elif _is_elementwise(target, initializer, args, options):
        how["seed"] = pin(seed)
        for memory, offset in target.pieces:
            run(initializer.in_place, memory, args, options, global_shape=target.shape, offset=offset, **how)
    else:
        whole = initializer(target.shape, *args, **how, **options)
        for memory, offset in target.pieces:
            store(memory, whole[tuple(slice(first, first + n) for first, n in zip(offset, memory.shape))])
    torch.autograd.graph.increment_version(target.tensor)


def _run(function: Any, memory: np.ndarray, args: tuple[Any, ...], options: Mapping[str, Any], **how: Any) -> None:
    function(memory, *args, **how, **options)


def _on_device(device: int) -> tuple[Any, Any]:
    """What runs an initializer on memory there, and what copies values to it."""
    from ..cuda import launching

    stream = torch.cuda.current_stream(device).cuda_stream
    return functools.partial(launching.fill, device, stream), functools.partial(launching.copy, device, stream)


def _is_elementwise(target: Target, initializer: Initializer, args: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    return fi.explain(initializer, target.shape, *args, dtype=target.dtype, **options).elementwise


def fill_all(tensors: Iterable[tuple[str, Target, Rule]], seed: Seed) -> None:
    """Fill many by rules, in one pass over what is on the CPU and elementwise."""
    tasks: list[tuple[str, Task]] = []
    for name, target, rule in tensors:
        how: dict[str, Any] = {"dtype": target.dtype}
        call = rule.initializer, rule.args, rule.options
        if target.device is not None or target.sharded and not _is_elementwise(target, *call):
            fill(target, *call, seed, name)
            continue
        for memory, offset in target.pieces:
            if target.sharded:
                how |= {"global_shape": target.shape, "offset": offset}
            advise(memory.__array_interface__["data"][0], memory.nbytes if memory.flags.c_contiguous else 0)
            tasks.append((name, prepare(rule.initializer.in_place, memory, rule.args, rule.options, **how)))
        torch.autograd.graph.increment_version(target.tensor)
    perform(tasks, seed_material(seed), None)
