"""The functions of `torch.nn.init`, filled by fastinit where it can."""

# Written by tests/stubs.py.

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import DTypeLike, NDArray
import torch

from ..core.fans import Axes
from ..core.streams import Seed


DROP_INS: tuple[Any, ...]

def uniform_(
    tensor: torch.Tensor, a: float = 0.0, b: float = 1.0, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.uniform_`, filled by `fastinit.uniform_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.uniform_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.uniform_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def normal_(
    tensor: torch.Tensor, mean: float = 0.0, std: float = 1.0, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.normal_`, filled by `fastinit.normal_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.normal_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.normal_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def trunc_normal_(
    tensor: torch.Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: torch.Generator | None = None, *, bounds: str = 'absolute', std_is: str = 'parent', seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.trunc_normal_`, filled by `fastinit.trunc_normal_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.trunc_normal_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.trunc_normal_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def xavier_uniform_(
    tensor: torch.Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.xavier_uniform_`, filled by `fastinit.xavier_uniform_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.xavier_uniform_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.xavier_uniform_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def xavier_normal_(
    tensor: torch.Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, truncated: bool = False,
    layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
    out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.xavier_normal_`, filled by `fastinit.xavier_normal_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.xavier_normal_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.xavier_normal_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def kaiming_uniform_(
    tensor: torch.Tensor, a: float = 0, mode: Literal['fan_in', 'fan_out'] = 'fan_in',
    nonlinearity: Literal['linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu'] = 'leaky_relu',
    generator: torch.Generator | None = None, *, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.kaiming_uniform_`, filled by `fastinit.kaiming_uniform_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.kaiming_uniform_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.kaiming_uniform_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def kaiming_normal_(
    tensor: torch.Tensor, a: float = 0, mode: Literal['fan_in', 'fan_out'] = 'fan_in',
    nonlinearity: Literal['linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu'] = 'leaky_relu',
    generator: torch.Generator | None = None, *, truncated: bool = False, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.kaiming_normal_`, filled by `fastinit.kaiming_normal_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.kaiming_normal_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.kaiming_normal_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def orthogonal_(
    tensor: torch.Tensor, gain: float = 1, generator: torch.Generator | None = None, *, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.orthogonal_`, filled by `fastinit.orthogonal_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.orthogonal_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.orthogonal_(torch.empty(3, 5), seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def sparse_(
    tensor: torch.Tensor, sparsity: float, std: float = 0.01, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """`torch.nn.init.sparse_`, filled by `fastinit.sparse_`.

    Parameters
    ----------
    tensor : Tensor
        A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
        a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
        filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
        the whole on each). Others, subclasses of Tensor among them, go to torch's function.
    generator : torch.Generator or None
        128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
        one on a CUDA device torch draws.
    seed, name : keyword-only
        Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
    **options
        The other parameters are torch's, and those that `fastinit.sparse_` has beside them: where one of these is given, nothing
        goes to torch.

    Returns
    -------
    Tensor
        The argument.

    Raises
    ------
    As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

    Notes
    -----
    Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
    outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
    with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
    `orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
    the values are right. `sparse_` draws the places of its zeros from the generator too.

    Examples
    --------
    >>> import torch, fastinit.torch as init
    >>> w = init.sparse_(torch.empty(3, 5), 0.5, seed=0)
    >>> w.shape
    torch.Size([3, 5])
    """

def uniform(
    tensor: torch.Tensor, a: float = 0.0, b: float = 1.0, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `uniform_`."""

def normal(
    tensor: torch.Tensor, mean: float = 0.0, std: float = 1.0, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `normal_`."""

def xavier_uniform(
    tensor: torch.Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `xavier_uniform_`."""

def xavier_normal(
    tensor: torch.Tensor, gain: float = 1.0, generator: torch.Generator | None = None, *, truncated: bool = False,
    layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
    out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `xavier_normal_`."""

def kaiming_uniform(
    tensor: torch.Tensor, a: float = 0, mode: Literal['fan_in', 'fan_out'] = 'fan_in',
    nonlinearity: Literal['linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu'] = 'leaky_relu',
    generator: torch.Generator | None = None, *, layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `kaiming_uniform_`."""

def kaiming_normal(
    tensor: torch.Tensor, a: float = 0, mode: Literal['fan_in', 'fan_out'] = 'fan_in',
    nonlinearity: Literal['linear', 'conv1d', 'conv2d', 'conv3d', 'conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d', 'sigmoid', 'tanh', 'relu', 'leaky_relu', 'selu'] = 'leaky_relu',
    generator: torch.Generator | None = None, *, truncated: bool = False, layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `kaiming_normal_`."""

def orthogonal(
    tensor: torch.Tensor, gain: float = 1, generator: torch.Generator | None = None, *, seed: Seed = None, name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `orthogonal_`."""

def sparse(
    tensor: torch.Tensor, sparsity: float, std: float = 0.01, generator: torch.Generator | None = None, *, seed: Seed = None,
    name: str = '',
) -> torch.Tensor:
    """Deprecated, as in torch: `sparse_`."""
