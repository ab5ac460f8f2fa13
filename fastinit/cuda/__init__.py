"""fastinit on NVIDIA devices: arrays in a device's memory are filled where they are, with the CPU's values to the bit.

`fastinit.cuda` has the functions of `fastinit` that end in an underscore, for whatever exports `__cuda_array_interface__` or
DLPack: CuPy's arrays, Numba's, PyTorch's tensors. (`fastinit.torch` takes tensors on a device by itself.) Beside what those
take there is ``stream``, a CUDA stream: an int, an object with ``__cuda_stream__``, or None for the default one. Values are
written in its order; nothing waits for it, and it may be being captured.

Needs ``fastinit-kernels[cuda]``: cuda.core, which compiles the kernels for the device at hand on first use (some seconds, kept
on disk). What has no formula of its own for every element (`orthogonal_`, `sparse_`, `dirac_` and the like) is made on the CPU
and copied, which a stream that is being captured refuses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from cuda.core.utils import StridedMemoryView

from ..core.arguments import shown
from ..core.calls import INITIALIZERS, Initializer
from ..core.dtypes import DTYPES, resolve
from ..core.memory import at_address
from ..core.public import public_in
from .launching import fill

__all__ = [f"{name}_" for name in INITIALIZERS]  # noqa: PLE0605


def _stream_of(stream: Any) -> int:
    """The number that CUDA has for a stream; 0 is the default one."""
    if stream is None:
        return 0
    if hasattr(stream, "__cuda_stream__"):
        return int(stream.__cuda_stream__()[1])
    if isinstance(stream, int) and not isinstance(stream, bool) and stream >= 0:
        return stream
    raise TypeError(f"stream: expected an int, an object with __cuda_stream__ or None, got {shown(stream)}")


def _memory_of(array: Any, dtype: Any, stream: int) -> tuple[int, np.ndarray, Any]:
    """Device, memory and dtype of an array; refuses what is not on a device, or cannot be written."""
    try:
        view = StridedMemoryView.from_any_interface(array, stream_ptr=stream or 1)
    except (BufferError, TypeError, AttributeError, RuntimeError):
        raise TypeError("tensor: expected an array on a CUDA device, with __cuda_array_interface__ or DLPack, got "
                        f"{type(array).__name__}") from None
    if not view.is_device_accessible or view.device_id < 0:
        raise TypeError(f"tensor: expected an array on a CUDA device, got a {type(array).__name__} on the CPU")
    if view.readonly:
        raise ValueError("tensor: expected writable memory, got a read-only array")
    own = np.dtype(view.dtype) if view.dtype is not None else np.dtype(np.void)
    if own.name == "bfloat16" or own.itemsize == 2 and own.kind in "uV" and dtype in ("bfloat16", DTYPES["bfloat16"]):
        own, dtype = np.dtype(np.uint16), "bfloat16"
    resolve(dtype, own)
    strides = view.strides  # in elements
    if strides is None:
        strides = [int(np.prod(view.shape[axis + 1:])) for axis in range(len(view.shape))]
    return view.device_id, at_address(view.ptr, own, view.shape, [n * own.itemsize for n in strides]), dtype


def _on_devices(ours: Initializer) -> Callable[..., Any]:
    def function(tensor: Any, *args: Any, seed: Any = None, name: str = "", dtype: Any = None, global_shape: Any = None,
                 offset: Any = None, index: Any = None, stream: Any = None, **options: Any) -> Any:
        number = _stream_of(stream)
        device, memory, dtype = _memory_of(tensor, dtype, number)
        fill(device, number, ours.in_place, memory, args, options, seed=seed, name=name, dtype=dtype,
             global_shape=global_shape, offset=offset, index=index)
        return tensor

    public_in("fastinit.cuda")(function)
    function.__name__ = function.__qualname__ = f"{ours.__name__}_"
    theirs = inspect.signature(ours.in_place)
    parameters = [p.replace(annotation="_Array") if p.name == "tensor" else p for p in theirs.parameters.values()
                  if p.name != "num_threads"]
    stream = inspect.Parameter("stream", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="Any")
    function.__signature__ = theirs.replace(  # type: ignore[attr-defined]
        parameters=[*parameters, stream], return_annotation="_Array")
    function.__doc__ = f"""`fastinit.{ours.__name__}_` for an array on a CUDA device.

Parameters
----------
tensor : object with ``__cuda_array_interface__`` or DLPack
    float32, float64, float16 or bfloat16, of any strides.
stream : int, object with ``__cuda_stream__`` or None
    The values are written in its order; None is the default stream.
**options
    As for `fastinit.{ours.__name__}_`; there are no threads to number.

Returns
-------
The argument, whose values are there once the stream has come so far.

Raises
------
TypeError, ValueError
    Naming the argument, what was expected and what came, before anything is written.
RuntimeError
    CUDA's own errors.
"""
    return function


for _name, _ours in INITIALIZERS.items():
    globals()[f"{_name}_"] = _on_devices(_ours)
