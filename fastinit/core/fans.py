"""How many numbers feed an output and leave an input: shape -> fans, and the gains. Pure Python, exact integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .arguments import boolean, choice, finite, integer, integers, shown, sizes, text
from .public import lists_parameters, public

__all__ = ["Fans", "calculate_fans", "calculate_gain", "fan_for_mode"]

Axes = int | Sequence[int] | None


@public
class Fans(NamedTuple):
    """The two fans of a weight, as `calculate_fans` gives them.

    Attributes
    ----------
    fan_in, fan_out : int, float or None
        How many numbers feed one output, and how many outputs one input feeds: >= 0, Python ints whenever integral, None
        where neither shape nor caller gives one.

    Examples
    --------
    >>> fan_in, fan_out = calculate_fans((10, 400))
    >>> fan_in, fan_out
    (400, 10)
    """

    fan_in: int | float | None
    fan_out: int | float | None


@public
@lists_parameters
def calculate_fans(
    shape: Sequence[int], *, layout: str = "OI", groups: int = 1, transposed: bool = False,
    fused: int | tuple[int, int] = 1, in_axis: Axes = None, out_axis: Axes = None, batch_axis: Axes = None,
    fan_in: float | None = None, fan_out: float | None = None,
) -> Fans:
    """Fans of a weight, from its shape and what its axes mean.

    Parameters
    ----------
    shape : sequence of int
        Shape as stored; of a shard, the global one. A size of 0 is no error: the fans may then be 0.
    layout : str
        One O, one I, and either one ``*`` (any number of spatial axes, zero too) or spatial letters of D, H, W, L, as
        many letters as axes: "OIHW", "HWIO", ``"O*I"`` (MLX). "OI" means ``"OI*"`` (torch), "IO" means
        ``"*IO"`` (Keras, JAX).
    groups : int
        Groups of a convolution. The axis that holds them all (O; if transposed, I) must be a multiple of it.
    transposed : bool
        Whether this is a transposed convolution, where frameworks swap the channel axes: what `layout` calls O is then
        the input. So torch's ``[I, O/groups, *k]`` has the layout "OI", and Keras' ``[*k, O, I]`` has "IO".
    fused : int or (int, int)
        n or (n, axis): n independent matrices lie side by side on an axis, by default the output's (QKV as [3E, E]).
    in_axis, out_axis, batch_axis : int or sequence of int, optional
        The axes by number, negative ones from the end; ``()`` is a product of 1. The first two replace a layout and come
        together. `batch_axis` goes with a layout too, which then describes the other axes.
    fan_in, fan_out : positive number, optional
        Taken instead of the computed fan. With both, nothing but the shape is read. With one, a layout and a shape of fewer
        than two axes, the other is None.

    Returns
    -------
    Fans
        A pair of exact ints, or what was given.

    Raises
    ------
    TypeError, ValueError
        Whatever is not as said here: naming the argument, what was expected and what came.

    Notes
    -----
    With O and I the channels of the whole layer, and the receptive field k the product of the axes that are neither
    input, output nor batch, ``fan_in = I / groups * k`` and ``fan_out = O / groups * k``; one of the two is stored
    divided. With ``groups=1`` this is torch's ``_calculate_fan_in_and_fan_out``, Keras' ``compute_fans`` ("IO") and JAX's
    ``_compute_fans`` (axes; JAX lets one be input and output at once, and its float products are inexact above 2**53).

    Examples
    --------
    >>> calculate_fans((64, 32, 3, 3))
    Fans(fan_in=288, fan_out=576)
    >>> calculate_fans((64, 32, 3, 3), groups=4)
    Fans(fan_in=288, fan_out=144)
    >>> calculate_fans((3, 3, 32, 64), layout="IO")
    Fans(fan_in=288, fan_out=576)
    >>> calculate_fans((2304, 768), fused=3)  # a QKV projection
    Fans(fan_in=768, fan_out=768)
    >>> calculate_fans((3, 3, 32, 2), in_axis=(), out_axis=3, batch_axis=2)  # Keras' depthwise kernel
    Fans(fan_in=9, fan_out=18)
    """
    shape = sizes(shape, "shape", 2**1000)  # so that fans are numbers of float64, though the shape may be no array's
    given = Fans(_given(fan_in, "fan_in"), _given(fan_out, "fan_out"))
    if None not in given:
        return given
    layout, groups, transposed = text(layout, "layout"), integer(groups, "groups", 1), boolean(transposed, "transposed")
    batch = () if batch_axis is None else _axes("batch_axis", batch_axis, shape)
    if in_axis is None and out_axis is None:
        roles = _by_layout(layout, shape, batch, groups, transposed)
    else:
        if (layout, groups, transposed) != ("OI", 1, False):
            raise ValueError("in_axis, out_axis: expected layout, groups and transposed at their defaults beside them, "
                             f"got {shown(layout)}, {shown(groups)}, {transposed}")
        roles = _by_axes(in_axis, out_axis, shape)
    if roles is None:
        if given == (None, None):
            raise ValueError(f"shape: expected at least 2 dimensions, or fan_in= and fan_out=, got {shape}, batch_axis {batch}")
        return given
    inputs, outputs, stored = roles
    named = (*inputs, *outputs, *batch)
    if len(set(named)) < len(named):
        raise ValueError(f"in_axis, out_axis, batch_axis: expected distinct axes of {shape}, got {inputs}, {outputs}, "
                         f"{batch}")
    stored = _one_of_fused(fused, outputs, stored)
    field = math.prod([size for axis, size in enumerate(stored) if axis not in named])
    return Fans(*[fan or field * math.prod([stored[axis] for axis in axes]) for fan, axes in zip(given, (inputs, outputs))])


# The axes of input channels, those of output channels, and the sizes of one group.
_Roles = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _by_layout(layout: str, shape: tuple[int, ...], batch: tuple[int, ...], groups: int, transposed: bool) -> _Roles | None:
    """None where there are fewer than two axes to be channels."""
    free = [axis for axis in range(len(shape)) if axis not in batch]
    letters = _spell(layout, len(free))
    if len(free) < 2:
        return None
    if len(letters) != len(free):
        raise ValueError(f"layout: {shown(layout)} expects {len(letters)} axes, got {len(free)} of shape {shape}")
    o, i = (free[letters.index(letter)] for letter in "OI")
    sizes = _divide("groups", shape, o, groups)  # the other channel axis is stored per group
    return ((o,), (i,), sizes) if transposed else ((i,), (o,), sizes)


def _by_axes(in_axis: Axes, out_axis: Axes, shape: tuple[int, ...]) -> _Roles:
    if in_axis is None or out_axis is None:
        raise ValueError(f"in_axis, out_axis: expected both, got {shown(in_axis)} and {shown(out_axis)}")
    return (_axes("in_axis", in_axis, shape), _axes("out_axis", out_axis, shape), shape)


def _one_of_fused(fused: Any, outputs: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of one of the matrices that lie side by side."""
    n, axis = fused if isinstance(fused, (tuple, list)) and len(fused) == 2 else (fused, None)
    n = integer(n, "fused", 1)
    if n == 1 and axis is None:
        return sizes
    axes = outputs if axis is None else _axes("fused", axis, sizes)
    if len(axes) != 1:
        raise ValueError(f"fused: expected (n, axis) with one axis, got {shown(fused)} for the axes {axes}")
    return _divide("fused", sizes, axes[0], n)


def fan_for_mode(fans: Fans, mode: str) -> float:
    """The fan that a variance is divided by: fan_in, fan_out, fan_avg or fan_geo_avg, in any case as in torch.

    ``fan_avg = (fan_in + fan_out) / 2`` is Glorot & Bengio's (2010), ``fan_geo_avg = sqrt(fan_in * fan_out)`` JAX's. Sum
    and product are exact before they are rounded. Another mode, or a fan that is needed and None, is a ValueError.

    Examples
    --------
    >>> [fan_for_mode(Fans(9, 25), mode) for mode in ("fan_in", "fan_out", "fan_avg", "FAN_GEO_AVG")]
    [9.0, 25.0, 17.0, 15.0]
    """
    needed: dict[str, Sequence[float | None]] = {"fan_in": fans[:1], "fan_out": fans[1:], "fan_avg": fans, "fan_geo_avg": fans}
    key = text(mode, "mode").lower()
    if key not in needed:
        raise ValueError(f"mode: expected one of {', '.join(needed)}, got {shown(mode)}")
    known = [fan for fan in needed[key] if fan is not None]
    if len(known) < len(needed[key]):
        raise ValueError(f"fan_in, fan_out: expected the numbers that mode={mode!r} needs, got {fans[0]} and {fans[1]}")
    try:
        return math.sqrt(math.prod(known)) if key == "fan_geo_avg" else sum(known) / len(known)
    except OverflowError:
        raise ValueError(f"fan_in, fan_out: expected numbers whose {key} float64 holds, got {fans[0]:g}, "
                         f"{fans[1]:g}") from None


def _leaky_relu(slope: float) -> float:
    # Not slope ** 2: pow() comes from the C library, and its last bit may differ between platforms.
    return math.sqrt(2.0 / (1.0 + slope * slope))


_ONES = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid")
_GAINS = {**dict.fromkeys(_ONES, 1.0), "tanh": 5.0 / 3.0, "relu": _leaky_relu(0.0), "leaky_relu": _leaky_relu(0.01),
          "selu": 3.0 / 4.0}


@public
@lists_parameters
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Recommended gain of a nonlinearity, as in ``torch.nn.init``.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", or torch's "conv1d" to "conv3d" and "conv_transpose1d" to
        "conv_transpose3d".
    param : finite number or None
        The negative slope of leaky_relu, 0.01 when None; the others make no use of it.

    Returns
    -------
    float
        What the standard deviation is multiplied by.

    Raises
    ------
    TypeError, ValueError
        An unknown name, or a `param` that is no finite number.

    Notes
    -----
    1 for linear, sigmoid and the convolutions, tanh 5/3, selu 3/4, relu sqrt(2), leaky_relu sqrt(2 / (1 + param**2)) (He
    et al. 2015).

    Examples
    --------
    >>> calculate_gain("tanh"), calculate_gain("leaky_relu", 0.2)
    (1.6666666666666667, 1.3867504905630728)
    """
    gain = _GAINS[choice(nonlinearity, "nonlinearity", *_GAINS)]
    slope = None if param is None else finite(param, "param")
    return gain if slope is None or nonlinearity != "leaky_relu" else _leaky_relu(slope)


def _spell(layout: str, ndim: int) -> str:
    # Two letters alone stand for the frameworks that say so: torch puts the spatial axes last, Keras and JAX first.
    letters = {"OI": "OI*", "IO": "*IO"}.get(layout, layout)
    spatial = letters.replace("O", "", 1).replace("I", "", 1)
    known = spatial == "*" or (set(spatial) <= set("DHWL") and len(set(spatial)) == len(spatial))
    if len(letters) != len(spatial) + 2 or not known:
        raise ValueError("layout: expected one O, one I and either one * or distinct spatial letters of D, H, W, L, such as "
                         f"'OI', 'IO', 'OI*', '*IO', 'O*I', 'OIHW', 'HWIO' or 'OHWI', got {shown(layout)}")
    return letters.replace("*", "*" * (ndim - 2))


def _axes(name: str, axes: int | Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([axis % len(shape) for axis in integers(axes, name, -len(shape), len(shape) - 1, len(shape))])


def _divide(name: str, sizes: tuple[int, ...], axis: int, n: int) -> tuple[int, ...]:
    if sizes[axis] % n:
        raise ValueError(f"{name}: expected a divisor of {sizes[axis]} (axis {axis} of {sizes}), got {shown(n)}")
    return (*sizes[:axis], sizes[axis] // n, *sizes[axis + 1 :])


def _given(value: Any, name: str) -> int | float | None:
    """A fan > 0 as Python's own number, an exact int if integral."""
    if value is None:
        return None
    fan = finite(value, name)
    if not fan > 0:
        raise ValueError(f"{name}: expected a number > 0, got {shown(value)}")
    if isinstance(value, (int, np.integer)):  # whose digits float64 may not have
        return int(value)
    return int(fan) if fan.is_integer() else fan
