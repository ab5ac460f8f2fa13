"""The elementwise initializers: constants, plain distributions, and those scaled by fans.

Each definition is written once and becomes ``name(shape, ...)``, which allocates, and ``name_(tensor, ...)``, which fills;
names, positional arguments and defaults are those of `torch.nn.init`, everything else is keyword-only.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from . import plan
from .arguments import boolean, choice, finite, number, text
from .calls import InPlace, Recipe, initializer
from .dtypes import DType
from .fans import calculate_fans, calculate_gain, fan_for_mode

Shape = tuple[int, ...]


def _truncated(*args: Any) -> plan.Plan:
    from .truncation import trunc_normal  # with decimal, 2 ms to import

    return trunc_normal(*args)


@initializer
def constant(shape: Shape, dtype: DType, val: float) -> Recipe:
    """Every element equal to `val`.

    Parameters
    ----------
    val : float
        Rounded to float32, or float64 for that, then to the dtype; NaN, infinities and -0.0 are kept. A finite
        value beyond the dtype's range is refused.

    Notes
    -----
    `torch.nn.init.constant_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.constant(2, 0.5)
    array([0.5, 0.5], dtype=float32)
    """
    return Recipe(plan.constant(number(val, "val", nan=True), dtype))


constant_: InPlace = constant.in_place


@initializer
def zeros(shape: Shape, dtype: DType) -> Recipe:
    """Every element 0.

    Notes
    -----
    `torch.nn.init.zeros_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.zeros(2)
    array([0., 0.], dtype=float32)
    """
    return Recipe(plan.constant(0.0, dtype))


zeros_: InPlace = zeros.in_place


@initializer
def ones(shape: Shape, dtype: DType) -> Recipe:
    """Every element 1.

    Notes
    -----
    `torch.nn.init.ones_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.ones(2)
    array([1., 1.], dtype=float32)
    """
    return Recipe(plan.constant(1.0, dtype))


ones_: InPlace = ones.in_place


@initializer
def uniform(shape: Shape, dtype: DType, a: float = 0.0, b: float = 1.0) -> Recipe:
    """Uniform on [a, b).

    Parameters
    ----------
    a, b : float
        Finite, a <= b; a is included, b is not, in the dtype written. Equal bounds give that value everywhere.

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
    return Recipe(plan.uniform(finite(a, "a"), finite(b, "b"), dtype))


uniform_: InPlace = uniform.in_place


@initializer
def normal(shape: Shape, dtype: DType, mean: float = 0.0, std: float = 1.0) -> Recipe:
    """Gaussian of the given mean and standard deviation.

    Parameters
    ----------
    mean : float
        Finite.
    std : float
        Finite, >= 0.

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
    return Recipe(plan.normal(finite(mean, "mean"), finite(std, "std", 0), dtype))


normal_: InPlace = normal.in_place


@initializer
def trunc_normal(shape: Shape, dtype: DType, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *,
                 bounds: str = "absolute", std_is: str = "parent") -> Recipe:
    """Gaussian restricted to [a, b]: what lies outside is drawn again.

    Parameters
    ----------
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
    return Recipe(_truncated(
        finite(mean, "mean"), finite(std, "std", 0), number(a, "a"), number(b, "b"), dtype,
        choice(bounds, "bounds", "absolute", "std"), choice(std_is, "std_is", "parent", "result")))


trunc_normal_: InPlace = trunc_normal.in_place


def _scaled(shape: Shape, dtype: DType, asked: str, gain: float, mode: str, distribution: str,
            fan_options: dict[str, Any]) -> Recipe:
    """As `_make_scaled`, remembered where only hashable arguments are given."""
    text(mode, "mode")
    choice(distribution, "distribution", "uniform", "normal", "truncated_normal")
    if fan_options:
        return _make_scaled(shape, dtype, asked, gain, mode, distribution, **fan_options)
    return _remembered(shape, dtype, asked, gain, mode, distribution)


def _make_scaled(shape: Shape, dtype: DType, asked: str, gain: float, mode: str, distribution: str,
                 **fan_options: Any) -> Recipe:
    """Standard deviation gain / sqrt(n), n the fan that `mode` names; every initializer below ends here. `asked` is the
    argument that the gain came from, for errors."""
    fans = calculate_fans(shape, **fan_options)
    n = fan_for_mode(fans, mode)
    std = gain / math.sqrt(n) if n else 0.0  # n is 0 for tensors without elements only
    try:
        if distribution == "uniform":
            bound = math.sqrt(3) * std
            made = plan.uniform(-bound, bound, dtype)
        elif distribution == "normal":
            made = plan.normal(0.0, std, dtype)
        else:
            made = _truncated(0.0, std, -2.0, 2.0, dtype, "std", "result")
    except ValueError:
        given = ", ".join(filter(None, [asked, f"{mode}={n:g}"]))
        raise ValueError(f"{given}: expected values that {dtype.name} holds, got a standard deviation of {std:g}") from None
    return Recipe(made, {"fan_in": fans.fan_in, "fan_out": fans.fan_out, "gain": gain})


_remembered = lru_cache(maxsize=plan.KEPT)(_make_scaled)


def _normal(truncated: Any) -> str:
    return "truncated_normal" if boolean(truncated, "truncated") else "normal"


@initializer
def variance_scaling(shape: Shape, dtype: DType, scale: float = 1.0, mode: str = "fan_in",
                     distribution: str = "truncated_normal", **fan_options: Any) -> Recipe:
    """Variance scale / n, with n a fan of the tensor: the general case of the initializers below.

    Parameters
    ----------
    scale : float
        >= 0.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        n: a fan, their mean, or their geometric mean.
    distribution : {"truncated_normal", "normal", "uniform"}
        The first is cut at two standard deviations of its parent, which is widened so that the result has the variance asked
        for. Keras calls that one "normal" too; here "normal" is the plain gaussian, as in JAX.

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
    scale = finite(scale, "scale", 0)
    return _scaled(shape, dtype, f"scale={scale:g}", math.sqrt(scale), mode, distribution, fan_options)


variance_scaling_: InPlace = variance_scaling.in_place


@initializer
def xavier_uniform(shape: Shape, dtype: DType, gain: float = 1.0, **fan_options: Any) -> Recipe:
    """Uniform on ±gain sqrt(6 / (fan_in + fan_out)).

    Parameters
    ----------
    gain : float
        >= 0; see `calculate_gain`.

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
    gain = finite(gain, "gain", 0)
    return _scaled(shape, dtype, f"gain={gain:g}", gain, "fan_avg", "uniform", fan_options)


xavier_uniform_: InPlace = xavier_uniform.in_place


@initializer
def xavier_normal(shape: Shape, dtype: DType, gain: float = 1.0, *, truncated: bool = False, **fan_options: Any) -> Recipe:
    """Gaussian of standard deviation gain sqrt(2 / (fan_in + fan_out)).

    Parameters
    ----------
    gain : float
        >= 0; see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call glorot_normal.

    Notes
    -----
    Glorot and Bengio, AISTATS 2010. `torch.nn.init.xavier_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("xavier_normal", (30, 20)).std, 6)
    0.2
    """
    gain = finite(gain, "gain", 0)
    return _scaled(shape, dtype, f"gain={gain:g}", gain, "fan_avg", _normal(truncated), fan_options)


xavier_normal_: InPlace = xavier_normal.in_place


@initializer
def kaiming_uniform(shape: Shape, dtype: DType, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    **fan_options: Any) -> Recipe:
    """Uniform on ±gain sqrt(3 / n), n the fan that `mode` names.

    Parameters
    ----------
    a : float
        Negative slope of the leaky ReLU that follows; sqrt(5) makes the bound 1 / sqrt(fan_in), torch's default for its layers.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.

    Notes
    -----
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015. `torch.nn.init.kaiming_uniform_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("kaiming_uniform", (64, 600)).high, 6)
    0.1
    """
    a = finite(a, "a")
    return _scaled(shape, dtype, f"a={a:g}", calculate_gain(nonlinearity, a), mode, "uniform", fan_options)


kaiming_uniform_: InPlace = kaiming_uniform.in_place


@initializer
def kaiming_normal(shape: Shape, dtype: DType, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *,
                   truncated: bool = False, **fan_options: Any) -> Recipe:
    """Gaussian of standard deviation gain / sqrt(n), n the fan that `mode` names; variance 2 / n for ReLU.

    Parameters
    ----------
    a : float
        Negative slope of the leaky ReLU that follows.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        fan_in keeps the variance forward, fan_out backward.
    nonlinearity : str
        Sets the gain: see `calculate_gain`.
    truncated : bool, keyword-only
        Cut at two standard deviations of the parent, same variance: what Keras and JAX call he_normal.

    Notes
    -----
    He, Zhang, Ren and Sun, ICCV 2015. `torch.nn.init.kaiming_normal_`.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.explain("kaiming_normal", (64, 200)).std == (2 / 200) ** 0.5
    True
    """
    a = finite(a, "a")
    return _scaled(shape, dtype, f"a={a:g}", calculate_gain(nonlinearity, a), mode, _normal(truncated), fan_options)


kaiming_normal_: InPlace = kaiming_normal.in_place


@initializer
def lecun_uniform(shape: Shape, dtype: DType, **fan_options: Any) -> Recipe:
    """Uniform on ±sqrt(3 / fan_in).

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
    return _scaled(shape, dtype, "", 1.0, "fan_in", "uniform", fan_options)


lecun_uniform_: InPlace = lecun_uniform.in_place


@initializer
def lecun_normal(shape: Shape, dtype: DType, *, truncated: bool = True, **fan_options: Any) -> Recipe:
    """Gaussian of variance 1 / fan_in, cut at two standard deviations of its parent.

    Parameters
    ----------
    truncated : bool, keyword-only
        True, as in Keras, JAX and timm; False for the plain gaussian of the same variance.

    Notes
    -----
    LeCun et al. 1998; Klambauer et al., "Self-normalizing neural networks", 2017. `jax.nn.initializers.lecun_normal`.

    Examples
    --------
    >>> import fastinit as fi
    >>> round(fi.explain("lecun_normal", (64, 100)).std, 6)
    0.1
    """
    return _scaled(shape, dtype, "", 1.0, "fan_in", _normal(truncated), fan_options)


lecun_normal_: InPlace = lecun_normal.in_place
