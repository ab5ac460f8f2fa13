"""`jax.nn.initializers` on fastinit's stream: same names, arguments, defaults and laws; the same values for any sharding.

An initializer is called as JAX's are, ``init(key, shape, dtype=None, out_sharding=None)``, and gives what fastinit gives for
that law with the key's data as the seed: ``normal(0.02)(key, shape)`` has the values of
``fastinit.normal(shape, 0, 0.02, seed=jax.random.key_data(key).tolist())``. Each device's shard is made by itself. Instead of a
key, what fastinit takes as a seed will do.

Values are made outside `jax.jit`. Inside, where a compiled program would have to make them, lowering raises a TypeError that
says so; shapes can be traced (`jax.eval_shape`, and so Flax's ``apply``).

Examples
--------
>>> import fastinit.jax, jax
>>> w = fastinit.jax.glorot_normal()(jax.random.key(0), (64, 32), "bfloat16")
>>> w.shape, w.dtype.name
((64, 32), 'bfloat16')
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.nn.initializers import constant, ones, zeros

import fastinit as fi

from .core.arguments import integers
from .core.calls import INITIALIZERS, Initializer
from .core.public import lists_parameters
from .core.streams import pin

__all__ = [
    "constant", "delta_orthogonal", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "kaiming_normal",
    "kaiming_uniform", "lecun_normal", "lecun_uniform", "normal", "ones", "orthogonal", "truncated_normal", "uniform",
    "variance_scaling", "xavier_normal", "xavier_uniform", "zeros",
]

Axes = int | Sequence[int]
Shape = tuple[int, ...]


class Init(Protocol):
    """An initializer as JAX calls it."""

    def __call__(self, key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None) -> jax.Array: ...


class MakeInit(Protocol):
    """What gives an initializer that is scaled by fans."""

    def __call__(self, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Init: ...



class _Request(NamedTuple):
    """What fastinit is asked for; `shape` and `arrange` where the array comes of one of another shape, made whole."""

    of: Initializer
    args: tuple[Any, ...]
    options: dict[str, Any] = {}
    shape: Shape | None = None
    arrange: Callable[[np.ndarray], np.ndarray] | None = None


def _refuse(*args: Any, **options: Any) -> Any:
    raise TypeError("key: expected a concrete key outside of transformations, but this is traced. fastinit makes values on the "
                    "host, so its initializers cannot run inside jax.jit or jax.vmap: call them outside, with out_sharding= "
                    "for an array over many devices")


# Stands for the values in a trace: they have a shape there, and no program.
_values = Primitive("fastinit")
_values.def_abstract_eval(lambda *traced, shape, dtype: jax.core.ShapedArray(shape, dtype))
mlir.register_lowering(_values, _refuse)
batching.primitive_batchers[_values] = _refuse


def _initializer(request: Callable[[Shape], _Request], default: Any) -> Init:
    def init(key: Any, shape: Sequence[int], dtype: Any = default, out_sharding: Any = None) -> jax.Array:
        shape = integers(shape, "shape")
        of, args, options, own_shape, arrange = request(shape)
        like = jax.numpy.zeros((), dtype)  # JAX's default dtype and device
        fi.explain(of, shape if own_shape is None else own_shape, *args, dtype=like.dtype, **options)
        data = jax.random.key_data(key) if isinstance(key, jax.Array) else key
        if traced := [x for x in (like, data) if isinstance(x, jax.core.Tracer)]:
            return _values.bind(*traced, shape=shape, dtype=like.dtype)
        if isinstance(key, jax.Array) and data.ndim != 1:
            raise ValueError(f"key: expected a single key, got an array of shape {key.shape}")
        seed = pin(np.asarray(data).tolist() if isinstance(key, jax.Array) else key)
        whole = None if arrange is None else arrange(of(own_shape, *args, dtype=like.dtype, seed=seed, **options))

        def shard(index: Any) -> np.ndarray:
            if whole is not None:
                return whole[index]
            block = [range(n)[part] for part, n in zip(index, shape)]
            memory = np.empty([len(part) for part in block], like.dtype)
            return of.in_place(memory, *args, seed=seed, global_shape=shape, offset=[part.start for part in block], **options)

        if isinstance(out_sharding, jax.sharding.PartitionSpec):
            out_sharding = jax.sharding.NamedSharding(jax.sharding.get_mesh(), out_sharding)
        return jax.make_array_from_callback(shape, out_sharding or like.sharding, shard)

    return init


@lists_parameters
def uniform(scale: float = 1e-2, dtype: Any = None) -> Init:
    """`jax.nn.initializers.uniform`: on [0, scale), by `fastinit.uniform`.

    Examples
    --------
    >>> import fastinit.jax, jax
    >>> w = fastinit.jax.uniform(0.1)(jax.random.key(0), (100, 50))
    >>> bool(0 <= w.min() < w.max() < 0.1)
    True
    """
    return _initializer(lambda shape: _Request(INITIALIZERS["uniform"], (0.0, scale)), dtype)


@lists_parameters
def normal(stddev: float = 1e-2, dtype: Any = None) -> Init:
    """`jax.nn.initializers.normal`: gaussian of mean 0, by `fastinit.normal`.

    Examples
    --------
    >>> import fastinit as fi, fastinit.jax, jax
    >>> w = fi.jax.normal(0.02)(jax.random.key(7), (100, 50))
    >>> bool((w == fi.normal((100, 50), std=0.02, seed=[0, 7])).all())
    True
    """
    return _initializer(lambda shape: _Request(INITIALIZERS["normal"], (0.0, stddev)), dtype)


@lists_parameters
def truncated_normal(stddev: float = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0) -> Init:
    """`jax.nn.initializers.truncated_normal`: `lower` and `upper` count standard deviations, `stddev` is that of the gaussian
    before it is cut; by `fastinit.trunc_normal`.

    Examples
    --------
    >>> import fastinit.jax, jax
    >>> float(abs(fastinit.jax.truncated_normal(0.5)(jax.random.key(0), (100, 50))).max()) <= 1
    True
    """
    args = 0.0, stddev, lower, upper
    return _initializer(lambda shape: _Request(INITIALIZERS["trunc_normal"], args, {"bounds": "std"}), dtype)


@lists_parameters
def variance_scaling(scale: float, mode: str, distribution: str, in_axis: Axes = -2, out_axis: Axes = -1,
                     batch_axis: Axes = (), dtype: Any = None) -> Init:
    """`jax.nn.initializers.variance_scaling`: variance scale / n, n the fan that `mode` names, by `fastinit.variance_scaling`.

    Parameters
    ----------
    scale : float
        >= 0.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
    distribution : {"truncated_normal", "normal", "uniform"}
        The first is cut at two standard deviations and widened to the variance asked for.
    in_axis, out_axis, batch_axis : int or sequence of int
        All other axes are the receptive field. One axis may be input and output at once, as in Flax's embeddings.
    dtype : dtype, optional
        Of calls that name none.

    Examples
    --------
    >>> import fastinit.jax, jax
    >>> embed = fastinit.jax.variance_scaling(1.0, "fan_in", "normal", out_axis=0)(jax.random.key(0), (1000, 64))
    >>> round(float(embed.std()), 2)  # 1 / sqrt(64)
    0.13
    """
    def request(shape: Shape) -> _Request:
        fan_in, fan_out = (_fan(shape, axes, batch_axis) for axes in (out_axis, in_axis))
        return _Request(INITIALIZERS["variance_scaling"], (scale, mode, distribution), {"fan_in": fan_in, "fan_out": fan_out})

    return _initializer(request, dtype)


def _fan(shape: Shape, *others: Axes) -> float:
    """The product of all sizes over that of the other end's axes and the batch's."""
    try:
        apart = math.prod(shape[axis] for axes in others for axis in np.atleast_1d(np.asarray(axes, int)))
    except IndexError:
        raise ValueError(f"in_axis, out_axis, batch_axis: expected axes of the shape {shape}, got {others}") from None
    return math.prod(shape) / apart if 0 not in shape else 1.0  # without elements, any fan will do


def _scaled(name: str, scale: float, mode: str, distribution: str) -> MakeInit:
    def make(in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: Any = None) -> Init:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__doc__ = f"``variance_scaling({scale}, {mode!r}, {distribution!r}, in_axis, out_axis, batch_axis, dtype)``."
    make.__name__ = make.__qualname__ = name
    return lists_parameters(make)


glorot_uniform: MakeInit = _scaled("glorot_uniform", 1.0, "fan_avg", "uniform")
glorot_normal: MakeInit = _scaled("glorot_normal", 1.0, "fan_avg", "truncated_normal")
lecun_uniform: MakeInit = _scaled("lecun_uniform", 1.0, "fan_in", "uniform")
lecun_normal: MakeInit = _scaled("lecun_normal", 1.0, "fan_in", "truncated_normal")
he_uniform: MakeInit = _scaled("he_uniform", 2.0, "fan_in", "uniform")
he_normal: MakeInit = _scaled("he_normal", 2.0, "fan_in", "truncated_normal")
xavier_uniform: MakeInit = glorot_uniform
xavier_normal: MakeInit = glorot_normal
kaiming_uniform: MakeInit = he_uniform
kaiming_normal: MakeInit = he_normal


@lists_parameters
def orthogonal(scale: float = 1.0, column_axis: int = -1, dtype: Any = None) -> Init:
    """`jax.nn.initializers.orthogonal`: orthonormal columns along `column_axis`, or rows where there are fewer of those, times
    `scale`; by `fastinit.orthogonal`, which makes the array whole.

    Examples
    --------
    >>> import fastinit.jax, jax, numpy as np
    >>> w = np.asarray(fastinit.jax.orthogonal()(jax.random.key(0), (5, 3)))
    >>> bool(np.allclose(w.T @ w, np.eye(3), atol=1e-5))
    True
    """
    def request(shape: Shape) -> _Request:
        if len(shape) < 2:
            return _Request(INITIALIZERS["orthogonal"], (scale,), {}, shape)  # which will be refused
        n = shape[column_axis]
        rest = np.delete(shape, column_axis).tolist()
        return _Request(INITIALIZERS["orthogonal"], (scale,), {}, (math.prod(rest), n),
                    lambda matrix: np.moveaxis(matrix.reshape(*rest, n), -1, column_axis))

    return _initializer(request, dtype)


@lists_parameters
def delta_orthogonal(scale: float = 1.0, column_axis: int = -1, dtype: Any = None) -> Init:
    """`jax.nn.initializers.delta_orthogonal`: a convolution kernel ``(*k, I, O)``, orthogonal at its centre, zero elsewhere; by
    `fastinit.delta_orthogonal`. As I <= O, it is the rows that are orthonormal, whatever `column_axis`.

    Examples
    --------
    >>> import fastinit.jax, jax, numpy as np
    >>> w = np.asarray(fastinit.jax.delta_orthogonal()(jax.random.key(0), (3, 3, 4, 6)))
    >>> bool(np.allclose(w[1, 1] @ w[1, 1].T, np.eye(4), atol=1e-5)), int(np.count_nonzero(w))
    (True, 24)
    """
    return _initializer(lambda shape: _Request(INITIALIZERS["delta_orthogonal"], (scale,), {}, (*shape[:-3:-1], *shape[:-2]),
                                           lambda kernel: np.moveaxis(kernel, (0, 1), (-1, -2))), dtype)
