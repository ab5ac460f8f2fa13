"""Memory on a device, and kernels that fill it: on the caller's stream, without waiting for it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from cuda.bindings import driver
from cuda.core import Device

from ..core import blocks
from ..core.arguments import check_name
from ..core.calls import perform, prepare
from ..core.devices import BLOCK, Launch, launches
from ..core.streams import Seed, seed_material, stream_key
from .compiling import code_for

__all__ = ["copy", "fill"]


def fill(device: int, stream: int, function: Any, memory: np.ndarray, args: Sequence[Any], options: Mapping[str, Any], *,
         seed: Seed, name: str = "", dtype: Any = None, global_shape: Any = None, offset: Any = None,
         index: Any = None) -> None:
    """Run an initializer on the device's memory, given by its address, in the order of the stream.

    What has one formula an element is made there; other initializers are made on the CPU and copied."""
    check_name(name)
    recipe, memory, entry, whole, at = prepare(function, memory, args, options, dtype, global_shape, offset, index)
    material = seed_material(seed)
    if not memory.size:
        return
    if recipe.write is not None:
        made = np.empty(memory.shape, entry.storage)
        perform([(name, (recipe, made, entry, whole, at))], material, None)
        copy(device, stream, memory, made)
        return
    if recipe.plan is not None:
        key = stream_key(material, name)
        _run(device, stream, launches(recipe.plan, key, memory, whole, at, _most_threads(device)))


@contextlib.contextmanager
def _current(device: int) -> Iterator[None]:
    """The device's context is this thread's; what was comes back."""
    _checked(driver.cuCtxPushCurrent(_context(device)))
    try:
        yield
    finally:
        _checked(driver.cuCtxPopCurrent())


def _checked(outcome: tuple[Any, ...]) -> Any:
    error, *values = outcome
    if error != driver.CUresult.CUDA_SUCCESS:
        raise RuntimeError(f"CUDA: {driver.cuGetErrorName(error)[1].decode()}")
    return values[0] if values else None


@functools.cache
def _context(device: int) -> Any:
    """The device's primary context, which PyTorch, CuPy and JAX use too, and which is never given back."""
    _checked(driver.cuInit(0))
    return _checked(driver.cuDevicePrimaryCtxRetain(_checked(driver.cuDeviceGet(device))))


@functools.cache
def _kernel(device: int, name: str) -> Any:
    return code_for(f"sm_{Device(device).arch}").get_kernel(name)


@functools.cache
def _most_threads(device: int) -> int:
    """As many as the device runs at once of the largest kernel: a thread's registers are at most 56."""
    properties = Device(device).properties
    return properties.multiprocessor_count * (65536 // 56 // BLOCK * BLOCK)


def _run(device: int, stream: int, work: Iterable[Launch]) -> None:
    with _current(device):
        for kernel, argument, threads in work:
            value = ctypes.create_string_buffer(argument, len(argument))
            pointers = (ctypes.c_void_p * 1)(ctypes.addressof(value))
            _checked(driver.cuLaunchKernel(int(_kernel(device, kernel).handle), threads // BLOCK, 1, 1, BLOCK, 1, 1, 0, stream,
                                           ctypes.addressof(pointers), 0))


def copy(device: int, stream: int, memory: np.ndarray, values: np.ndarray) -> None:
    """Values to as much memory, run by run. They are in pageable memory: the driver has read it when a call returns. But a
    graph would read it when it is replayed, and it is gone by then."""
    if not memory.size:
        return
    axes = blocks.merged(memory.shape, values.strides, memory.strides)
    length = axes.pop()[0] if axes and axes[-1][1:] == (values.itemsize, values.itemsize) else 1
    source, target = values.__array_interface__["data"][0], memory.__array_interface__["data"][0]
    with _current(device):
        if _checked(driver.cuStreamIsCapturing(stream)) != driver.CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_NONE:
            raise RuntimeError("stream: expected one that is not being captured, as values made on the CPU are copied")
        for index in np.ndindex(*(n for n, *_ in axes)):
            at, to = (sum(i * axis[k] for i, axis in zip(index, axes)) for k in (1, 2))
            _checked(driver.cuMemcpyHtoDAsync(target + to, source + at, length * values.itemsize, stream))
