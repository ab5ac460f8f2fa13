"""The initializers whose elements depend on one another or on their position: matrices and kernels with a structure."""

from __future__ import annotations

import math

import numpy as np

from . import plan
from .arguments import finite, integer, shown
from .calls import Canvas, InPlace, Recipe, initializer
from .dtypes import DTYPES, DType
from .householder import orthogonalize

Shape = tuple[int, ...]


def _rank(shape: Shape, name: str, *ranks: int) -> None:
    if len(shape) not in ranks:
        raise ValueError(f"tensor: {name} expects {' or '.join(map(str, ranks))} dimensions, got shape {shape}")


@initializer
def eye(shape: Shape, dtype: DType) -> Recipe:
    """Ones on the diagonal of a matrix, zeros elsewhere.

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
    _rank(shape, "eye", 2)
    k = min(shape)

    def write(canvas: Canvas) -> None:
        canvas.run(plan.constant(0.0, dtype))
        np.einsum("ii->i", canvas.memory[:k, :k])[...] = dtype.encode(1.0)  # a view of the diagonal

    return Recipe(None, {}, write)


eye_: InPlace = eye.in_place


@initializer
def dirac(shape: Shape, dtype: DType, groups: int = 1) -> Recipe:
    """A convolution kernel ``(O, I, *k)`` that passes its input channels on.

    Parameters
    ----------
    groups : int >= 1
        Each group of O / groups output channels gets an identity of its own. O must be divisible by it.

    Notes
    -----
    w[g O/groups + d, d, k // 2, ...] = 1 for d < min(O / groups, I). `torch.nn.init.dirac_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.dirac((1, 1, 3))
    array([[[0., 1., 0.]]], dtype=float32)
    """
    _rank(shape, "dirac", 3, 4, 5)
    groups = integer(groups, "groups", 1)
    if shape[0] % groups:
        raise ValueError(f"groups: expected a divisor of the {shape[0]} output channels, got {shown(groups)}")
    per_group = shape[0] // groups
    centre = tuple(k // 2 for k in shape[2:])

    def write(canvas: Canvas) -> None:
        canvas.run(plan.constant(0.0, dtype))
        channel = np.arange(min(per_group, shape[1]))
        for g in range(groups):
            canvas.write((g * per_group + channel, channel, *centre), 1.0)

    return Recipe(None, {}, write)


dirac_: InPlace = dirac.in_place


@initializer
def bilinear(shape: Shape, dtype: DType) -> Recipe:
    """A transposed convolution's kernel (I, O, height, width) that upsamples by linear interpolation.

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
    _rank(shape, "bilinear", 4)

    def tent(k: int) -> np.ndarray:
        f = math.ceil(k / 2)
        return 1 - np.abs(np.arange(k) / f - (2 * f - 1 - f % 2) / (2 * f)) if k else np.empty(0)

    def write(canvas: Canvas) -> None:
        rows, columns = tent(shape[2]), tent(shape[3])
        for i, height in enumerate(rows):
            canvas.write((..., i, slice(None)), height * columns)

    return Recipe(None, {}, write)


bilinear_: InPlace = bilinear.in_place


def _orthogonal_matrix(canvas: Canvas, rows: int, columns: int, gain: float) -> np.ndarray:
    """Q of the QR decomposition of a gaussian matrix, signs fixed: uniform by Haar's measure (Mezzadri 2007)."""
    real = DTYPES[canvas.dtype.real.name]
    tall = canvas.made(plan.normal(0.0, 1.0, real), (max(rows, columns), min(rows, columns)))
    orthogonalize(tall, gain, canvas.num_threads)
    return tall if rows >= columns else tall.T


def _amplitude(gain: float, dtype: DType) -> float:
    """No element of an orthogonal matrix exceeds 1, but for rounding in float64, for which there is room in other types."""
    gain, most = finite(gain, "gain"), dtype.max * (1 - 2.0**-40 if dtype.real == np.float64 else 1)
    if abs(gain) > most:
        raise ValueError(f"gain: expected a number within {dtype.name}'s range (up to {most:g}), got {gain:g}")
    return gain


@initializer
def orthogonal(shape: Shape, dtype: DType, gain: float = 1) -> Recipe:
    """A matrix with orthonormal rows or columns, times `gain`; axes after the first are taken as one.

    Parameters
    ----------
    gain : float
        Finite; see `calculate_gain`.

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
    if len(shape) < 2:
        raise ValueError(f"tensor: orthogonal expects at least 2 dimensions, got shape {shape}")
    gain = _amplitude(gain, dtype)
    rows, columns = shape[0], math.prod(shape[1:])

    def write(canvas: Canvas) -> None:
        canvas.write_rows(_orthogonal_matrix(canvas, rows, columns, gain).reshape(shape))

    return Recipe(None, {"gain": gain, "mean": 0.0, "std": abs(gain) / math.sqrt(max(rows, columns, 1)),
                         "draws": rows * columns}, write)


orthogonal_: InPlace = orthogonal.in_place


@initializer
def delta_orthogonal(shape: Shape, dtype: DType, gain: float = 1) -> Recipe:
    """A convolution kernel ``(O, I, *k)`` that is an orthogonal matrix at its centre and zero elsewhere.

    Parameters
    ----------
    gain : float
        Finite.

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
    _rank(shape, "delta_orthogonal", 3, 4, 5)
    if shape[0] < shape[1]:
        raise ValueError(f"tensor: delta_orthogonal expects no more input than output channels, got shape {shape}")
    gain = _amplitude(gain, dtype)
    centre = tuple((k - 1) // 2 for k in shape[2:])

    def write(canvas: Canvas) -> None:
        matrix = _orthogonal_matrix(canvas, shape[0], shape[1], gain)  # first: it may fail for want of memory
        canvas.run(plan.constant(0.0, dtype))
        canvas.write_rows(matrix, slice(None), *centre)

    return Recipe(None, {"gain": gain, "draws": shape[0] * shape[1]}, write)


delta_orthogonal_: InPlace = delta_orthogonal.in_place

# Words that `sparse` holds at a time.
_SPARSE_WORDS = 2**16


@initializer
def sparse(shape: Shape, dtype: DType, sparsity: float, std: float = 0.01) -> Recipe:
    """A gaussian matrix with the same number of zeros, at random places, in each column.

    Parameters
    ----------
    sparsity : float
        In [0, 1]: ceil(sparsity rows) elements of each column are zero.
    std : float
        Of the others; >= 0.

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
    _rank(shape, "sparse", 2)
    sparsity = finite(sparsity, "sparsity", 0)
    if sparsity > 1:
        raise ValueError(f"sparsity: expected a number in [0, 1], got {sparsity}")
    values = plan.normal(0.0, finite(std, "std", 0), dtype)
    rows, columns = shape
    zeroed = math.ceil(sparsity * rows)

    def write(canvas: Canvas) -> None:
        canvas.run(values)
        step = max(1, _SPARSE_WORDS // rows)
        for first in range(0, columns if zeroed else 0, step):
            n = min(step, columns - first)
            drawn = canvas.words("sparse", first * rows, n * rows).reshape(n, rows)
            chosen = np.argsort(drawn, axis=1, kind="stable")[:, :zeroed]  # stable: equal words by row
            canvas.write((chosen, np.arange(first, first + n)[:, None]), 0.0)

    spread_of_all = values.std * math.sqrt(1 - zeroed / rows) if rows else None
    return Recipe(None, {"mean": 0.0, "std": spread_of_all, "draws": rows * columns}, write)


sparse_: InPlace = sparse.in_place
