"""fastinit on NVIDIA devices: arrays in a device's memory are filled where they are, with the CPU's values to the bit.

`fastinit.cuda` has the functions of `fastinit` that end in an underscore, for whatever exports `__cuda_array_interface__` or
DLPack: CuPy's arrays, Numba's, PyTorch's tensors. (`fastinit.torch` takes tensors on a device by itself.) Beside what those
take there is ``stream``, a CUDA stream: an int, an object with ``__cuda_stream__``, or None for the default one. Values are
written in its order; nothing waits for it, and it may be being captured.

Needs ``fastinit-kernels[cuda]``: cuda.core, which compiles the kernels for the device at hand on first use (some seconds, kept
on disk). What has no formula of its own for every element (`orthogonal_`, `sparse_`, `dirac_` and the like) is made on the CPU
and copied, which a stream that is being captured refuses.
"""

# Written by tests/stubs.py.

from collections.abc import Sequence
from typing import Any, TypeVar

from numpy.typing import DTypeLike, NDArray

from ..core.fans import Axes
from ..core.streams import Seed

_Array = TypeVar("_Array")


__all__ = [
    "constant_", "zeros_", "ones_", "uniform_", "normal_", "trunc_normal_", "variance_scaling_", "xavier_uniform_",
    "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "lecun_uniform_", "lecun_normal_", "eye_", "dirac_", "bilinear_",
    "orthogonal_", "delta_orthogonal_", "sparse_",
]

def constant_(
    tensor: _Array, val: float, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.constant_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.constant_`; there are no threads to number.

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

def zeros_(
    tensor: _Array, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.zeros_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.zeros_`; there are no threads to number.

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

def ones_(
    tensor: _Array, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.ones_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.ones_`; there are no threads to number.

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

def uniform_(
    tensor: _Array, a: float = 0.0, b: float = 1.0, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.uniform_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.uniform_`; there are no threads to number.

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

def normal_(
    tensor: _Array, mean: float = 0.0, std: float = 1.0, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.normal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.normal_`; there are no threads to number.

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

def trunc_normal_(
    tensor: _Array, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, bounds: str = 'absolute',
    std_is: str = 'parent', seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.trunc_normal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.trunc_normal_`; there are no threads to number.

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

def variance_scaling_(
    tensor: _Array, scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *, seed: Seed = None,
    name: str = '', dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.variance_scaling_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.variance_scaling_`; there are no threads to number.

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

def xavier_uniform_(
    tensor: _Array, gain: float = 1.0, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.xavier_uniform_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.xavier_uniform_`; there are no threads to number.

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

def xavier_normal_(
    tensor: _Array, gain: float = 1.0, *, truncated: bool = False, seed: Seed = None, name: str = '',
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.xavier_normal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.xavier_normal_`; there are no threads to number.

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

def kaiming_uniform_(
    tensor: _Array, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, seed: Seed = None,
    name: str = '', dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.kaiming_uniform_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.kaiming_uniform_`; there are no threads to number.

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

def kaiming_normal_(
    tensor: _Array, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, truncated: bool = False,
    seed: Seed = None, name: str = '', dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.kaiming_normal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.kaiming_normal_`; there are no threads to number.

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

def lecun_uniform_(
    tensor: _Array, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.lecun_uniform_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.lecun_uniform_`; there are no threads to number.

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

def lecun_normal_(
    tensor: _Array, *, truncated: bool = True, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.lecun_normal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.lecun_normal_`; there are no threads to number.

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

def eye_(
    tensor: _Array, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.eye_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.eye_`; there are no threads to number.

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

def dirac_(
    tensor: _Array, groups: int = 1, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.dirac_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.dirac_`; there are no threads to number.

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

def bilinear_(
    tensor: _Array, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.bilinear_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.bilinear_`; there are no threads to number.

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

def orthogonal_(
    tensor: _Array, gain: float = 1, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.orthogonal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.orthogonal_`; there are no threads to number.

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

def delta_orthogonal_(
    tensor: _Array, gain: float = 1, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.delta_orthogonal_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.delta_orthogonal_`; there are no threads to number.

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

def sparse_(
    tensor: _Array, sparsity: float, std: float = 0.01, *, seed: Seed = None, name: str = '', dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, stream: Any = None,
) -> _Array:
    """`fastinit.sparse_` for an array on a CUDA device.

    Parameters
    ----------
    tensor : object with ``__cuda_array_interface__`` or DLPack
        float32, float64, float16 or bfloat16, of any strides.
    stream : int, object with ``__cuda_stream__`` or None
        The values are written in its order; None is the default stream.
    **options
        As for `fastinit.sparse_`; there are no threads to number.

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
