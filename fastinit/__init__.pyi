"""Random weights at the speed of memory, the same to the bit everywhere.

A NumPy buffer goes in; constant, uniform, gaussian, truncated-gaussian, Xavier or Kaiming values come out in place. Element
i of tensor `name` under a seed is one fixed bit pattern, whatever the CPU, instruction set, number of threads, strides or
shard.
"""

# Written by tests/stubs.py.

from collections.abc import Sequence
from typing import Any, TypeVar

from numpy.typing import DTypeLike, NDArray
from typing_extensions import Buffer

from . import presets as presets
from . import slices as slices
from .core._bit_generator import BitGenerator as BitGenerator
from .core._kernels import STREAM_VERSION as STREAM_VERSION
from .core.calls import INITIALIZERS as INITIALIZERS
from .core.calls import words as words
from .core.config import show_config as show_config
from .core.explain import Explanation as Explanation
from .core.explain import explain as explain
from .core.fans import Axes
from .core.fans import Fans as Fans
from .core.fans import calculate_fans as calculate_fans
from .core.fans import calculate_gain as calculate_gain
from .core.streams import Rng as Rng
from .core.streams import Seed as Seed
from .core.streams import default_rng as default_rng
from .core.streams import manual_seed as manual_seed
from .models.presets import PRESETS as PRESETS
from .models.rules import Rule as Rule
from .models.rules import fill as fill

_Buffer = TypeVar("_Buffer", bound=NDArray[Any] | Buffer)


__all__ = [
    "Bilinear", "BitGenerator", "Constant", "DeltaOrthogonal", "Dirac", "Explanation", "Eye", "Fans", "INITIALIZERS",
    "KaimingNormal", "KaimingUniform", "LecunNormal", "LecunUniform", "Normal", "Ones", "Orthogonal", "PRESETS", "Rng",
    "Rule", "STREAM_VERSION", "Seed", "Sparse", "TruncNormal", "Uniform", "VarianceScaling", "XavierNormal", "XavierUniform",
    "Zeros", "bilinear", "bilinear_", "calculate_fans", "calculate_gain", "constant", "constant_", "default_rng",
    "delta_orthogonal", "delta_orthogonal_", "dirac", "dirac_", "explain", "eye", "eye_", "fill", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "lecun_normal", "lecun_normal_", "lecun_uniform",
    "lecun_uniform_", "manual_seed", "normal", "normal_", "ones", "ones_", "orthogonal", "orthogonal_", "show_config",
    "sparse", "sparse_", "trunc_normal", "trunc_normal_", "uniform", "uniform_", "variance_scaling", "variance_scaling_",
    "words", "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros", "zeros_",
]

__version__: str

def constant(
    shape: int | Sequence[int], val: float, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Every element equal to `val`.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    val : float
        Rounded to float32, or float64 for that, then to the dtype; NaN, infinities and -0.0 are kept. A finite
        value beyond the dtype's range is refused.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    `torch.nn.init.constant_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.constant(2, 0.5)
    array([0.5, 0.5], dtype=float32)
    """

def constant_(
    tensor: _Buffer, val: float, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Every element equal to `val`.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    val : float
        Rounded to float32, or float64 for that, then to the dtype; NaN, infinities and -0.0 are kept. A finite
        value beyond the dtype's range is refused.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    `torch.nn.init.constant_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.constant(2, 0.5)
    array([0.5, 0.5], dtype=float32)
    """

def Constant(val: float) -> Rule:
    """Rule for `fill`: what `constant` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `constant`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `constant` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Constant(0.5)
    Constant(0.5)
    """

def zeros(
    shape: int | Sequence[int], *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Every element 0.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    `torch.nn.init.zeros_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.zeros(2)
    array([0., 0.], dtype=float32)
    """

def zeros_(
    tensor: _Buffer, *, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Every element 0.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    `torch.nn.init.zeros_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.zeros(2)
    array([0., 0.], dtype=float32)
    """

def Zeros() -> Rule:
    """Rule for `fill`: what `zeros` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `zeros`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `zeros` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Zeros()
    Zeros()
    """

def ones(
    shape: int | Sequence[int], *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Every element 1.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    `torch.nn.init.ones_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.ones(2)
    array([1., 1.], dtype=float32)
    """

def ones_(
    tensor: _Buffer, *, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Every element 1.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    `torch.nn.init.ones_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.ones(2)
    array([1., 1.], dtype=float32)
    """

def Ones() -> Rule:
    """Rule for `fill`: what `ones` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `ones`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `ones` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Ones()
    Ones()
    """

def uniform(
    shape: int | Sequence[int], a: float = 0.0, b: float = 1.0, *, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Uniform on [a, b).

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    a, b : float
        Finite, a <= b; a is included, b is not, in the dtype written. Equal bounds give that value everywhere.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    x = (a + b) / 2 + (k + 1/2) (b - a) 2^-24 for k uniform on the 2^24 integers [-2^23, 2^23) (float64: 2^53), kept inside
    the bounds: symmetric about the middle, where low + (high - low) u in float32 reaches `b` for some u.
    `torch.nn.init.uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> w = fi.uniform(1000, -0.1, 0.1, seed=0)
    >>> bool(-0.1 <= w.min() and w.max() < 0.1)
    True
    """

def uniform_(
    tensor: _Buffer, a: float = 0.0, b: float = 1.0, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Uniform on [a, b).

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    a, b : float
        Finite, a <= b; a is included, b is not, in the dtype written. Equal bounds give that value everywhere.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    x = (a + b) / 2 + (k + 1/2) (b - a) 2^-24 for k uniform on the 2^24 integers [-2^23, 2^23) (float64: 2^53), kept inside
    the bounds: symmetric about the middle, where low + (high - low) u in float32 reaches `b` for some u.
    `torch.nn.init.uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> w = fi.uniform(1000, -0.1, 0.1, seed=0)
    >>> bool(-0.1 <= w.min() and w.max() < 0.1)
    True
    """

def Uniform(a: float = 0.0, b: float = 1.0) -> Rule:
    """Rule for `fill`: what `uniform` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `uniform`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `uniform` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Uniform()
    Uniform()
    """

def normal(
    shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, *, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Gaussian of the given mean and standard deviation.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    mean : float
        Finite.
    std : float
        Finite, >= 0.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    By Box and Muller (1958), ``|x - mean|`` up to 6.66 std (float64: 8.65). ``normal(mean, std)`` is
    ``fma(normal(), std, mean)`` bit for bit. `torch.nn.init.normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> w = fi.normal((256, 256), 0.0, 0.02, seed=0, name="wte")
    >>> round(float(w.std()), 3)
    0.02
    """

def normal_(
    tensor: _Buffer, mean: float = 0.0, std: float = 1.0, *, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Gaussian of the given mean and standard deviation.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    mean : float
        Finite.
    std : float
        Finite, >= 0.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    By Box and Muller (1958), ``|x - mean|`` up to 6.66 std (float64: 8.65). ``normal(mean, std)`` is
    ``fma(normal(), std, mean)`` bit for bit. `torch.nn.init.normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> w = fi.normal((256, 256), 0.0, 0.02, seed=0, name="wte")
    >>> round(float(w.std()), 3)
    0.02
    """

def Normal(mean: float = 0.0, std: float = 1.0) -> Rule:
    """Rule for `fill`: what `normal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `normal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `normal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Normal()
    Normal()
    """

def trunc_normal(
    shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *,
    bounds: str = 'absolute', std_is: str = 'parent', seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Gaussian restricted to [a, b]: what lies outside is drawn again.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    mean, std : float
        Of the gaussian before it is cut (the parent); finite, std >= 0.
    a, b : float
        Bounds, both included, a <= b; any, infinite ones too, that hold a value of the dtype.
    bounds : {"absolute", "std"}, keyword-only
        Whether `a` and `b` are values, as in torch and timm, or standard deviations from the mean, as in TensorFlow, Keras and
        JAX: with std=0.02 and absolute bounds of 2 nothing is ever cut.
    std_is : {"parent", "result"}, keyword-only
        Whether `std` is the parent's or that of the values written; at two standard deviations the latter is 0.8796 of the
        former. On [a, b] as values it is less than (b - a) / sqrt(12), the uniform distribution's.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    By rejection of gaussian, uniform or exponential candidates (Robert 1995, Statistics and Computing 5, 121-125), whichever
    [a, b] keeps most of: more than 0.6 always. `explain` tells which, and how many an element takes. Each element has
    words of its own to be drawn again from, so no rejection moves a neighbour.
    A ValueError: a > b; bounds that hold no value of the dtype or could give one beyond its range; std = 0 and a mean outside;
    a `std` of the result that no parent gives.
    `torch.nn.init.trunc_normal_`; `tf.random.truncated_normal`.

    Examples
    --------
    >>> import math
    >>> import fastinit as fi
    >>> w = fi.trunc_normal(10000, std=0.02, bounds="std", seed=0)
    >>> bool(abs(w).max() <= 0.04), round(float(w.std()), 3)
    (True, 0.018)
    >>> tail = fi.explain("trunc_normal", 10000, a=5.0, b=math.inf)
    >>> tail.regime, round(tail.draws, 3), round(tail.mean, 4)
    ('tail', 1.018, 5.1865)
    """

def trunc_normal_(
    tensor: _Buffer, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, bounds: str = 'absolute',
    std_is: str = 'parent', seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Gaussian restricted to [a, b]: what lies outside is drawn again.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    mean, std : float
        Of the gaussian before it is cut (the parent); finite, std >= 0.
    a, b : float
        Bounds, both included, a <= b; any, infinite ones too, that hold a value of the dtype.
    bounds : {"absolute", "std"}, keyword-only
        Whether `a` and `b` are values, as in torch and timm, or standard deviations from the mean, as in TensorFlow, Keras and
        JAX: with std=0.02 and absolute bounds of 2 nothing is ever cut.
    std_is : {"parent", "result"}, keyword-only
        Whether `std` is the parent's or that of the values written; at two standard deviations the latter is 0.8796 of the
        former. On [a, b] as values it is less than (b - a) / sqrt(12), the uniform distribution's.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    By rejection of gaussian, uniform or exponential candidates (Robert 1995, Statistics and Computing 5, 121-125), whichever
    [a, b] keeps most of: more than 0.6 always. `explain` tells which, and how many an element takes. Each element has
    words of its own to be drawn again from, so no rejection moves a neighbour.
    A ValueError: a > b; bounds that hold no value of the dtype or could give one beyond its range; std = 0 and a mean outside;
    a `std` of the result that no parent gives.
    `torch.nn.init.trunc_normal_`; `tf.random.truncated_normal`.

    Examples
    --------
    >>> import math
    >>> import fastinit as fi
    >>> w = fi.trunc_normal(10000, std=0.02, bounds="std", seed=0)
    >>> bool(abs(w).max() <= 0.04), round(float(w.std()), 3)
    (True, 0.018)
    >>> tail = fi.explain("trunc_normal", 10000, a=5.0, b=math.inf)
    >>> tail.regime, round(tail.draws, 3), round(tail.mean, 4)
    ('tail', 1.018, 5.1865)
    """

def TruncNormal(
    mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, bounds: str = 'absolute', std_is: str = 'parent',
) -> Rule:
    """Rule for `fill`: what `trunc_normal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `trunc_normal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `trunc_normal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.TruncNormal()
    TruncNormal()
    """

def variance_scaling(
    shape: int | Sequence[int], scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *,
    seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Variance scale / n, with n a fan of the tensor: the general case of the initializers below.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    scale : float
        >= 0.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        n: a fan, their mean, or their geometric mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        The first is cut at two standard deviations of its parent, which is widened so that the result has the variance asked
        for. Keras calls that one "normal" too; here "normal" is the plain gaussian, as in JAX.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    std = sqrt(scale / n); uniform on ±sqrt(3 scale / n). `jax.nn.initializers.variance_scaling`,
    `keras.initializers.VarianceScaling`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("variance_scaling", (100, 50), 3.0, "fan_avg", "normal").std, 6)
    0.2
    """

def variance_scaling_(
    tensor: _Buffer, scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *, seed: Seed = None,
    name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Variance scale / n, with n a fan of the tensor: the general case of the initializers below.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    scale : float
        >= 0.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        n: a fan, their mean, or their geometric mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        The first is cut at two standard deviations of its parent, which is widened so that the result has the variance asked
        for. Keras calls that one "normal" too; here "normal" is the plain gaussian, as in JAX.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    std = sqrt(scale / n); uniform on ±sqrt(3 scale / n). `jax.nn.initializers.variance_scaling`,
    `keras.initializers.VarianceScaling`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("variance_scaling", (100, 50), 3.0, "fan_avg", "normal").std, 6)
    0.2
    """

def VarianceScaling(
    scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `variance_scaling` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `variance_scaling`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `variance_scaling` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.VarianceScaling()
    VarianceScaling()
    """

def xavier_uniform(
    shape: int | Sequence[int], gain: float = 1.0, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Uniform on ±gain sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    gain : float
        >= 0; see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    `torch.nn.init.xavier_uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.explain("xavier_uniform", (30, 20)).high == (6 / 50) ** 0.5
    True
    """

def xavier_uniform_(
    tensor: _Buffer, gain: float = 1.0, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Uniform on ±gain sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    gain : float
        >= 0; see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    `torch.nn.init.xavier_uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.explain("xavier_uniform", (30, 20)).high == (6 / 50) ** 0.5
    True
    """

def XavierUniform(
    gain: float = 1.0, *, layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1,
    in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None,
    fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `xavier_uniform` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `xavier_uniform`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `xavier_uniform` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.XavierUniform()
    XavierUniform()
    """

def xavier_normal(
    shape: int | Sequence[int], gain: float = 1.0, *, truncated: bool = False, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Gaussian of standard deviation gain sqrt(2 / (fan_in + fan_out)).

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    gain : float
        >= 0; see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call glorot_normal.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Glorot and Bengio, AISTATS 2010. `torch.nn.init.xavier_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("xavier_normal", (30, 20)).std, 6)
    0.2
    """

def xavier_normal_(
    tensor: _Buffer, gain: float = 1.0, *, truncated: bool = False, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Gaussian of standard deviation gain sqrt(2 / (fan_in + fan_out)).

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    gain : float
        >= 0; see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call glorot_normal.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Glorot and Bengio, AISTATS 2010. `torch.nn.init.xavier_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("xavier_normal", (30, 20)).std, 6)
    0.2
    """

def XavierNormal(
    gain: float = 1.0, *, truncated: bool = False, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `xavier_normal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `xavier_normal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `xavier_normal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.XavierNormal()
    XavierNormal()
    """

def kaiming_uniform(
    shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, seed: Seed = None,
    name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Uniform on ±gain sqrt(3 / n), n the fan that `mode` names.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    a : float
        Negative slope of the leaky ReLU that follows; sqrt(5) makes the bound 1 / sqrt(fan_in), torch's default for its layers.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015. `torch.nn.init.kaiming_uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("kaiming_uniform", (64, 600)).high, 6)
    0.1
    """

def kaiming_uniform_(
    tensor: _Buffer, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, seed: Seed = None,
    name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Uniform on ±gain sqrt(3 / n), n the fan that `mode` names.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    a : float
        Negative slope of the leaky ReLU that follows; sqrt(5) makes the bound 1 / sqrt(fan_in), torch's default for its layers.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015. `torch.nn.init.kaiming_uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("kaiming_uniform", (64, 600)).high, 6)
    0.1
    """

def KaimingUniform(
    a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `kaiming_uniform` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `kaiming_uniform`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `kaiming_uniform` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.KaimingUniform()
    KaimingUniform()
    """

def kaiming_normal(
    shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *,
    truncated: bool = False, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Gaussian of standard deviation gain / sqrt(n), n the fan that `mode` names; variance 2 / n for ReLU.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    a : float
        Negative slope of the leaky ReLU that follows.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call he_normal.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    He, Zhang, Ren and Sun, ICCV 2015. `torch.nn.init.kaiming_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.explain("kaiming_normal", (64, 200)).std == (2 / 200) ** 0.5
    True
    """

def kaiming_normal_(
    tensor: _Buffer, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, truncated: bool = False,
    seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Gaussian of standard deviation gain / sqrt(n), n the fan that `mode` names; variance 2 / n for ReLU.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    a : float
        Negative slope of the leaky ReLU that follows.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call he_normal.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    He, Zhang, Ren and Sun, ICCV 2015. `torch.nn.init.kaiming_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.explain("kaiming_normal", (64, 200)).std == (2 / 200) ** 0.5
    True
    """

def KaimingNormal(
    a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, truncated: bool = False, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `kaiming_normal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `kaiming_normal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `kaiming_normal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.KaimingNormal()
    KaimingNormal()
    """

def lecun_uniform(
    shape: int | Sequence[int], *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Uniform on ±sqrt(3 / fan_in).

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998. `keras.initializers.LecunUniform`,
    `jax.nn.initializers.lecun_uniform`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("lecun_uniform", (64, 300)).high, 6)
    0.1
    """

def lecun_uniform_(
    tensor: _Buffer, *, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Uniform on ±sqrt(3 / fan_in).

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998. `keras.initializers.LecunUniform`,
    `jax.nn.initializers.lecun_uniform`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("lecun_uniform", (64, 300)).high, 6)
    0.1
    """

def LecunUniform(
    *, layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
    out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `lecun_uniform` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `lecun_uniform`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `lecun_uniform` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.LecunUniform()
    LecunUniform()
    """

def lecun_normal(
    shape: int | Sequence[int], *, truncated: bool = True, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> NDArray[Any]:
    """Gaussian of variance 1 / fan_in, cut at two standard deviations of its parent.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    truncated : bool, keyword-only
        True, as in Keras, JAX and timm; False for the plain gaussian of the same variance.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    LeCun et al. 1998; Klambauer et al., "Self-normalizing neural networks", 2017. `jax.nn.initializers.lecun_normal`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("lecun_normal", (64, 100)).std, 6)
    0.1
    """

def lecun_normal_(
    tensor: _Buffer, *, truncated: bool = True, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> _Buffer:
    """Gaussian of variance 1 / fan_in, cut at two standard deviations of its parent.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    truncated : bool, keyword-only
        True, as in Keras, JAX and timm; False for the plain gaussian of the same variance.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.
    layout : str, keyword-only
        Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
        is ``(O, *k, I)``.
    groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
        See `calculate_fans`.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    LeCun et al. 1998; Klambauer et al., "Self-normalizing neural networks", 2017. `jax.nn.initializers.lecun_normal`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("lecun_normal", (64, 100)).std, 6)
    0.1
    """

def LecunNormal(
    *, truncated: bool = True, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> Rule:
    """Rule for `fill`: what `lecun_normal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `lecun_normal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `lecun_normal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.LecunNormal()
    LecunNormal()
    """

def eye(
    shape: int | Sequence[int], *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    `torch.nn.init.eye_`; the matrix need not be square.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.eye((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """

def eye_(
    tensor: _Buffer, *, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    `torch.nn.init.eye_`; the matrix need not be square.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.eye((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """

def Eye() -> Rule:
    """Rule for `fill`: what `eye` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `eye`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `eye` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Eye()
    Eye()
    """

def dirac(
    shape: int | Sequence[int], groups: int = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """A convolution kernel ``(O, I, *k)`` that passes its input channels on.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    groups : int >= 1
        Each group of O / groups output channels gets an identity of its own. O must be divisible by it.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    w[g O/groups + d, d, k // 2, ...] = 1 for d < min(O / groups, I). `torch.nn.init.dirac_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.dirac((1, 1, 3))
    array([[[0., 1., 0.]]], dtype=float32)
    """

def dirac_(
    tensor: _Buffer, groups: int = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """A convolution kernel ``(O, I, *k)`` that passes its input channels on.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    groups : int >= 1
        Each group of O / groups output channels gets an identity of its own. O must be divisible by it.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    w[g O/groups + d, d, k // 2, ...] = 1 for d < min(O / groups, I). `torch.nn.init.dirac_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.dirac((1, 1, 3))
    array([[[0., 1., 0.]]], dtype=float32)
    """

def Dirac(groups: int = 1) -> Rule:
    """Rule for `fill`: what `dirac` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `dirac`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `dirac` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Dirac()
    Dirac()
    """

def bilinear(
    shape: int | Sequence[int], *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """A transposed convolution's kernel (I, O, height, width) that upsamples by linear interpolation.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Every (height, width) plane is the outer product of tents: ``1 - |i / f - c|`` with f = ceil(k / 2) and
    c = (2 f - 1 - f mod 2) / (2 f). Caffe's `bilinear` filler (Long, Shelhamer and Darrell, CVPR 2015).

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.bilinear((1, 1, 2, 4))[0, 0, 0]
    array([0.25, 0.75, 0.75, 0.25], dtype=float32)
    """

def bilinear_(
    tensor: _Buffer, *, seed: Seed = None, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
    global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """A transposed convolution's kernel (I, O, height, width) that upsamples by linear interpolation.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Every (height, width) plane is the outer product of tents: ``1 - |i / f - c|`` with f = ceil(k / 2) and
    c = (2 f - 1 - f mod 2) / (2 f). Caffe's `bilinear` filler (Long, Shelhamer and Darrell, CVPR 2015).

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.bilinear((1, 1, 2, 4))[0, 0, 0]
    array([0.25, 0.75, 0.75, 0.25], dtype=float32)
    """

def Bilinear() -> Rule:
    """Rule for `fill`: what `bilinear` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `bilinear`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `bilinear` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Bilinear()
    Bilinear()
    """

def orthogonal(
    shape: int | Sequence[int], gain: float = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """A matrix with orthonormal rows or columns, times `gain`; axes after the first are taken as one.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    gain : float
        Finite; see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Q of the QR decomposition of a gaussian matrix, with the signs that make it uniform: Saxe, McClelland and Ganguli,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014; Mezzadri 2007.
    In float64 with sums in a fixed order: the same bits everywhere, rounded to float32 once and from there to float16 and
    bfloat16. Takes a copy in float64 and more beyond the tensor. `torch.nn.init.orthogonal_`.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> w = fi.orthogonal((3, 5), seed=0)
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-5))
    True
    """

def orthogonal_(
    tensor: _Buffer, gain: float = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """A matrix with orthonormal rows or columns, times `gain`; axes after the first are taken as one.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    gain : float
        Finite; see `calculate_gain`.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Q of the QR decomposition of a gaussian matrix, with the signs that make it uniform: Saxe, McClelland and Ganguli,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014; Mezzadri 2007.
    In float64 with sums in a fixed order: the same bits everywhere, rounded to float32 once and from there to float16 and
    bfloat16. Takes a copy in float64 and more beyond the tensor. `torch.nn.init.orthogonal_`.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> w = fi.orthogonal((3, 5), seed=0)
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-5))
    True
    """

def Orthogonal(gain: float = 1) -> Rule:
    """Rule for `fill`: what `orthogonal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `orthogonal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `orthogonal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Orthogonal()
    Orthogonal()
    """

def delta_orthogonal(
    shape: int | Sequence[int], gain: float = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
    index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """A convolution kernel ``(O, I, *k)`` that is an orthogonal matrix at its centre and zero elsewhere.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    gain : float
        Finite.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Needs O >= I, so that norms are kept. The centre is (k - 1) // 2, as in `jax.nn.initializers.delta_orthogonal`. Xiao et al.,
    "Dynamical isometry and a mean field theory of CNNs", ICML 2018.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> w = fi.delta_orthogonal((4, 3, 3, 3), seed=0)
    >>> bool(np.allclose(w[:, :, 1, 1].T @ w[:, :, 1, 1], np.eye(3), atol=1e-5)), int(np.count_nonzero(w))
    (True, 12)
    """

def delta_orthogonal_(
    tensor: _Buffer, gain: float = 1, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """A convolution kernel ``(O, I, *k)`` that is an orthogonal matrix at its centre and zero elsewhere.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    gain : float
        Finite.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Needs O >= I, so that norms are kept. The centre is (k - 1) // 2, as in `jax.nn.initializers.delta_orthogonal`. Xiao et al.,
    "Dynamical isometry and a mean field theory of CNNs", ICML 2018.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> w = fi.delta_orthogonal((4, 3, 3, 3), seed=0)
    >>> bool(np.allclose(w[:, :, 1, 1].T @ w[:, :, 1, 1], np.eye(3), atol=1e-5)), int(np.count_nonzero(w))
    (True, 12)
    """

def DeltaOrthogonal(gain: float = 1) -> Rule:
    """Rule for `fill`: what `delta_orthogonal` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `delta_orthogonal`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `delta_orthogonal` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.DeltaOrthogonal()
    DeltaOrthogonal()
    """

def sparse(
    shape: int | Sequence[int], sparsity: float, std: float = 0.01, *, seed: Seed = None, name: str = '',
    num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> NDArray[Any]:
    """A gaussian matrix with the same number of zeros, at random places, in each column.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of the new array.
    sparsity : float
        In [0, 1]: ceil(sparsity rows) elements of each column are zero.
    std : float
        Of the others; >= 0.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or dtype, keyword-only
        float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).

    Returns
    -------
    ndarray
        A new C-contiguous array.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Zeroed in a column are the rows with the smallest words of a stream of their own (purpose "sparse", word
    column * rows + row). Martens, "Deep learning via Hessian-free optimization", ICML 2010. `torch.nn.init.sparse_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> (fi.sparse((10, 4), 0.25, seed=0) == 0).sum(axis=0).tolist()
    [3, 3, 3, 3]
    """

def sparse_(
    tensor: _Buffer, sparsity: float, std: float = 0.01, *, seed: Seed = None, name: str = '', num_threads: int | None = None,
    dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
    offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
) -> _Buffer:
    """A gaussian matrix with the same number of zeros, at random places, in each column.

    Parameters
    ----------
    tensor : ndarray or writable buffer
        Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
        with ``dtype="bfloat16"``).
    sparsity : float
        In [0, 1]: ceil(sparsity rows) elements of each column are zero.
    std : float
        Of the others; >= 0.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
        Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
    name : str, keyword-only
        Which stream of the seed: tensors of different names are unrelated.
    num_threads : int >= 1 or None, keyword-only
        Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
        this process may use, which are never exceeded.
    global_shape, offset : sequence of int or None, keyword-only
        The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
    index : tuple of slice or int, or None, keyword-only
        Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`.
    dtype : str or None, keyword-only
        "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.

    Returns
    -------
    tensor
        The argument.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came; then nothing was written.

    Notes
    -----
    Zeroed in a column are the rows with the smallest words of a stream of their own (purpose "sparse", word
    column * rows + row). Martens, "Deep learning via Hessian-free optimization", ICML 2010. `torch.nn.init.sparse_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> (fi.sparse((10, 4), 0.25, seed=0) == 0).sum(axis=0).tolist()
    [3, 3, 3, 3]
    """

def Sparse(sparsity: float, std: float = 0.01) -> Rule:
    """Rule for `fill`: what `sparse` writes, without the tensor.

    Parameters
    ----------
    *args, **options
        As for `sparse`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
        ``offset`` and ``index`` are none of a rule's.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        For parameters that `sparse` does not have. Their values are judged by `fill`, which knows the tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Sparse(0.5)
    Sparse(0.5)
    """
