"""Dask arrays of fastinit's values, the same for any chunks and any scheduler.

Every initializer that allocates is here, with its arguments: ``fastinit.dask.normal(shape, mean, std, chunks=...)`` has the
values of ``fastinit.normal(shape, mean, std)``. Each chunk is made by itself, in the process that wants it.

Examples
--------
>>> import fastinit as fi, fastinit.dask
>>> x = fi.dask.kaiming_normal((300, 200), chunks=(128, 100), seed=0, name="fc.weight")
>>> bool((x.compute(scheduler="synchronous") == fi.kaiming_normal((300, 200), seed=0, name="fc.weight")).all())
True
"""

# Written by tests/stubs.py.

from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike, NDArray
import dask.array as da

from ..core.fans import Axes
from ..core.streams import Seed


__all__ = [
    "bilinear", "constant", "delta_orthogonal", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "lecun_normal",
    "lecun_uniform", "normal", "ones", "orthogonal", "sparse", "trunc_normal", "uniform", "variance_scaling", "xavier_normal",
    "xavier_uniform", "zeros",
]

def constant(
    shape: int | Sequence[int], val: float, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.constant` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.constant`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def zeros(
    shape: int | Sequence[int], *, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.zeros` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.zeros`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def ones(
    shape: int | Sequence[int], *, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.ones` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.ones`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def uniform(
    shape: int | Sequence[int], a: float = 0.0, b: float = 1.0, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.uniform` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.uniform`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def normal(
    shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, *, chunks: Any = 'auto', seed: Seed = None,
    name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.normal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.normal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def trunc_normal(
    shape: int | Sequence[int], mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *,
    bounds: str = 'absolute', std_is: str = 'parent', chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.trunc_normal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.trunc_normal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def variance_scaling(
    shape: int | Sequence[int], scale: float = 1.0, mode: str = 'fan_in', distribution: str = 'truncated_normal', *,
    chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32', layout: str = 'OI',
    groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.variance_scaling` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.variance_scaling`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def xavier_uniform(
    shape: int | Sequence[int], gain: float = 1.0, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32', layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.xavier_uniform` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.xavier_uniform`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def xavier_normal(
    shape: int | Sequence[int], gain: float = 1.0, *, truncated: bool = False, chunks: Any = 'auto', seed: Seed = None,
    name: str = '', dtype: DTypeLike = 'float32', layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.xavier_normal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.xavier_normal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def kaiming_uniform(
    shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *, chunks: Any = 'auto',
    seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32', layout: str = 'OI', groups: int = 1,
    transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None,
    batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.kaiming_uniform` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.kaiming_uniform`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def kaiming_normal(
    shape: int | Sequence[int], a: float = 0, mode: str = 'fan_in', nonlinearity: str = 'leaky_relu', *,
    truncated: bool = False, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
    layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
    out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.kaiming_normal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.kaiming_normal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def lecun_uniform(
    shape: int | Sequence[int], *, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
    layout: str = 'OI', groups: int = 1, transposed: bool = False, fused: int | tuple[int, int] = 1, in_axis: Axes = None,
    out_axis: Axes = None, batch_axis: Axes = None, fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.lecun_uniform` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.lecun_uniform`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def lecun_normal(
    shape: int | Sequence[int], *, truncated: bool = True, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32', layout: str = 'OI', groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> da.Array:
    """`fastinit.lecun_normal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.lecun_normal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def eye(
    shape: int | Sequence[int], *, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.eye` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.eye`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def dirac(
    shape: int | Sequence[int], groups: int = 1, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.dirac` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.dirac`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def bilinear(
    shape: int | Sequence[int], *, chunks: Any = 'auto', seed: Seed = None, name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.bilinear` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.bilinear`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def orthogonal(
    shape: int | Sequence[int], gain: float = 1, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.orthogonal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.orthogonal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def delta_orthogonal(
    shape: int | Sequence[int], gain: float = 1, *, chunks: Any = 'auto', seed: Seed = None, name: str = '',
    dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.delta_orthogonal` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.delta_orthogonal`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """

def sparse(
    shape: int | Sequence[int], sparsity: float, std: float = 0.01, *, chunks: Any = 'auto', seed: Seed = None,
    name: str = '', dtype: DTypeLike = 'float32',
) -> da.Array:
    """`fastinit.sparse` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.sparse`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """
