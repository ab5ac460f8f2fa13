"""The initializers as methods of `Rng`."""

# Written by tests/stubs.py.

from collections.abc import Sequence
from typing import Any, TypeVar

from numpy.typing import DTypeLike, NDArray
from typing_extensions import Buffer

from .fans import Axes

_Buffer = TypeVar("_Buffer", bound=NDArray[Any] | Buffer)


__all__ = ["RngMethods"]

class RngMethods:
    """``rng.normal_(w)`` is ``fastinit.normal_(w, seed=rng)``, and so for every initializer."""

    def constant(
        self, shape: int | Sequence[int], val: float, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.constant`, with fresh values at every call."""

    def constant_(
        self, tensor: _Buffer, val: float, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.constant_`, with fresh values at every call."""

    def zeros(
        self, shape: int | Sequence[int], *, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.zeros`, with fresh values at every call."""

    def zeros_(
        self, tensor: _Buffer, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.zeros_`, with fresh values at every call."""

    def ones(
        self, shape: int | Sequence[int], *, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.ones`, with fresh values at every call."""

    def ones_(
        self, tensor: _Buffer, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.ones_`, with fresh values at every call."""

    def uniform(
        self, shape: int | Sequence[int], a: float = 0.0, b: float = 1.0, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.uniform`, with fresh values at every call."""

    def uniform_(
        self, tensor: _Buffer, a: float = 0.0, b: float = 1.0, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.uniform_`, with fresh values at every call."""

    def normal(
        self, shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, *, name: str = '',
        num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.normal`, with fresh values at every call."""

    def normal_(
        self, tensor: _Buffer, mean: float = 0.0, std: float = 1.0, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.normal_`, with fresh values at every call."""

    def trunc_normal(
        self, shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *,
        bounds: str = 'absolute', std_is: str = 'parent', name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.trunc_normal`, with fresh values at every call."""

    def trunc_normal_(
        self, tensor: _Buffer, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *,
        bounds: str = 'absolute', std_is: str = 'parent', name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.trunc_normal_`, with fresh values at every call."""

    def variance_scaling(
        self, shape: int | Sequence[int], scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *,
        name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.variance_scaling`, with fresh values at every call."""

    def variance_scaling_(
        self, tensor: _Buffer, scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *,
        name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.variance_scaling_`, with fresh values at every call."""

    def xavier_uniform(
        self, shape: int | Sequence[int], gain: float = 1.0, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.xavier_uniform`, with fresh values at every call."""

    def xavier_uniform_(
        self, tensor: _Buffer, gain: float = 1.0, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.xavier_uniform_`, with fresh values at every call."""

    def xavier_normal(
        self, shape: int | Sequence[int], gain: float = 1.0, *, truncated: bool = False, name: str = '',
        num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.xavier_normal`, with fresh values at every call."""

    def xavier_normal_(
        self, tensor: _Buffer, gain: float = 1.0, *, truncated: bool = False, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.xavier_normal_`, with fresh values at every call."""

    def kaiming_uniform(
        self, shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *,
        name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.kaiming_uniform`, with fresh values at every call."""

    def kaiming_uniform_(
        self, tensor: _Buffer, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, name: str = '',
        num_threads: int | None = None, dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.kaiming_uniform_`, with fresh values at every call."""

    def kaiming_normal(
        self, shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *,
        truncated: bool = False, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.kaiming_normal`, with fresh values at every call."""

    def kaiming_normal_(
        self, tensor: _Buffer, a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *,
        truncated: bool = False, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.kaiming_normal_`, with fresh values at every call."""

    def lecun_uniform(
        self, shape: int | Sequence[int], *, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.lecun_uniform`, with fresh values at every call."""

    def lecun_uniform_(
        self, tensor: _Buffer, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None, layout: str = 'OI', groups: int = 1, transposed: bool = False,
        fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
        fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.lecun_uniform_`, with fresh values at every call."""

    def lecun_normal(
        self, shape: int | Sequence[int], *, truncated: bool = True, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.lecun_normal`, with fresh values at every call."""

    def lecun_normal_(
        self, tensor: _Buffer, *, truncated: bool = True, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None, layout: str = 'OI',
        groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
        out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
    ) -> _Buffer:
        """As `fastinit.lecun_normal_`, with fresh values at every call."""

    def eye(
        self, shape: int | Sequence[int], *, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.eye`, with fresh values at every call."""

    def eye_(
        self, tensor: _Buffer, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.eye_`, with fresh values at every call."""

    def dirac(
        self, shape: int | Sequence[int], groups: int = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.dirac`, with fresh values at every call."""

    def dirac_(
        self, tensor: _Buffer, groups: int = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.dirac_`, with fresh values at every call."""

    def bilinear(
        self, shape: int | Sequence[int], *, name: str = '', num_threads: int | None = None, dtype: DTypeLike = 'float32',
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.bilinear`, with fresh values at every call."""

    def bilinear_(
        self, tensor: _Buffer, *, name: str = '', num_threads: int | None = None, dtype: DTypeLike | None = None,
        global_shape: int | Sequence[int] | None = None, offset: int | Sequence[int] | None = None,
        index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.bilinear_`, with fresh values at every call."""

    def orthogonal(
        self, shape: int | Sequence[int], gain: float = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.orthogonal`, with fresh values at every call."""

    def orthogonal_(
        self, tensor: _Buffer, gain: float = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.orthogonal_`, with fresh values at every call."""

    def delta_orthogonal(
        self, shape: int | Sequence[int], gain: float = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.delta_orthogonal`, with fresh values at every call."""

    def delta_orthogonal_(
        self, tensor: _Buffer, gain: float = 1, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.delta_orthogonal_`, with fresh values at every call."""

    def sparse(
        self, shape: int | Sequence[int], sparsity: float, std: float = 0.01, *, name: str = '',
        num_threads: int | None = None, dtype: DTypeLike = 'float32', global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> NDArray[Any]:
        """As `fastinit.sparse`, with fresh values at every call."""

    def sparse_(
        self, tensor: _Buffer, sparsity: float, std: float = 0.01, *, name: str = '', num_threads: int | None = None,
        dtype: DTypeLike | None = None, global_shape: int | Sequence[int] | None = None,
        offset: int | Sequence[int] | None = None, index: Sequence[slice | int] | None = None,
    ) -> _Buffer:
        """As `fastinit.sparse_`, with fresh values at every call."""
