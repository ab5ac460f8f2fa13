"""Pictures, with matplotlib: a law over its values, signals through depth, the symmetry of equal weights, speed over sizes.

Each picture has a function that computes what it shows, in NumPy alone, and one that draws it and returns the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from .audit.densities import fit
from .core.calls import INITIALIZERS
from .core.dtypes import resolve
from .core.elementwise import kaiming_normal, normal, xavier_normal
from .core.explain import explain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SCHEMES", "depth", "histogram", "signals", "speed", "symmetry", "train"]

BINS = 100
WIDTH = 128
SCHEMES = ("too small", "too large", "Xavier", "Kaiming")
ACTIVATIONS = ("tanh", "relu")
CEILINGS = {"memset": ":", "non-temporal stores": "-.", "ndarray.fill": "--"}
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#666666")  # Okabe and Ito's, for all eyes


def _figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    grid = figure.subplots(rows, columns, **options)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25, linewidth=0.6)
    return figure, grid


def histogram(initializer: str, shape: Any, *args: Any, seed: Any = 0, dtype: Any = "float32", **options: Any) -> Figure:
    """Values of an initializer as a histogram, its exact density over it.

    Parameters
    ----------
    initializer : str
        One with a single law: not constant, nor `orthogonal` and its like.
    shape, *args, seed, dtype, **options
        As for the initializer.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        For an initializer without a density.
    """
    told = explain(initializer, shape, *args, dtype=dtype, **options)
    if told.mean is None or not told.std or told.distribution not in ("uniform", "normal", "trunc_normal"):
        raise ValueError(f"initializer: expected one with a density, got {told.initializer} ({told.distribution})")
    entry = resolve(dtype)
    memory = INITIALIZERS[told.initializer](shape, *args, seed=seed, dtype=dtype, **options)
    values = entry.decode(memory.view(entry.storage)).astype(np.float64).reshape(-1)
    density = fit(told.mean, told.std, told.low, told.high)
    low, high = max(density.low, told.mean - 5 * told.std), min(density.high, told.mean + 5 * told.std)
    figure, axes = _figure(6.4, 3.6)
    axes.hist(values, bins=BINS, range=(low, high), density=True, color=_COLOURS[4], alpha=0.55,
              label=f"{values.size:,} values")
    x = np.linspace(low, high, 513)
    ends = np.r_[low, x, high], np.r_[0.0, density.pdf(x), 0.0]
    axes.plot(*(ends if told.distribution != "normal" else (x, density.pdf(x))), color=_COLOURS[1], label="exact density")
    axes.set(xlabel="value", ylabel="density", title=f"{told.initializer} {told.shape} {told.dtype}: std {told.std:.4g}")
    axes.legend(frameon=False)
    return figure


def signals(activation: str, scheme: str, *, layers: int = 50, width: int = WIDTH, batch: int = 16,
            seed: Any = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations of activations and of gradients, layer by layer, of a plain network at its start.

    Parameters
    ----------
    activation : {"tanh", "relu"}
    scheme : {"too small", "too large", "Xavier", "Kaiming"}
        Gaussian weights of variance 0.25 / width, 4 / width, 1 / width (Glorot and Bengio 2010) and 2 / width (He et al. 2015).
    layers, width, batch : int
        The network: `layers` square matrices without bias. Its inputs, and the gradient that enters at its end, are N(0, 1).
    seed
        As for every initializer.

    Returns
    -------
    activations, gradients : ndarray of float64, shape (layers,)
        After each layer's activation; with respect to each layer's input.

    Examples
    --------
    >>> from fastinit.viz import signals
    >>> forward, backward = signals("relu", "Kaiming", layers=20)
    >>> bool(0.3 < forward[-1] < 3), bool(0.3 < backward[0] < 3)
    (True, True)
    >>> bool(signals("relu", "Xavier", layers=20)[0][-1] < 0.005)
    True
    """
    deviations = {"too small": 0.5 / math.sqrt(width), "too large": 2 / math.sqrt(width)}
    if scheme not in SCHEMES or activation not in ACTIVATIONS:
        raise ValueError(f"activation, scheme: expected one of {ACTIVATIONS} and of {SCHEMES}, got {activation!r}, {scheme!r}")

    def matrix(layer: int) -> np.ndarray:
        shape, options = (width, width), {"seed": seed, "name": f"layer {layer}", "dtype": "float64"}
        if scheme in deviations:
            return normal(shape, 0.0, deviations[scheme], **options)
        return xavier_normal(shape, **options) if scheme == "Xavier" else kaiming_normal(shape, **options)

    x = normal((batch, width), seed=seed, name="inputs", dtype="float64")
    weights, slopes, forward = [matrix(layer) for layer in range(layers)], [], []
    for w in weights:
        x = x @ w.T
        slopes.append(1 - np.tanh(x) ** 2 if activation == "tanh" else (x > 0).astype(float))
        x = np.tanh(x) if activation == "tanh" else np.maximum(x, 0)
        forward.append(float(x.std()))
    gradient, backward = normal((batch, width), seed=seed, name="gradient", dtype="float64"), []
    for w, slope in zip(weights[::-1], slopes[::-1]):
        gradient = (gradient * slope) @ w
        backward.append(float(gradient.std()))
    return np.array(forward), np.array(backward[::-1])


def depth(*, layers: int = 50, seed: Any = 0) -> Figure:
    """Activations and gradients through a deep network, for four initializations under tanh and ReLU.

    Parameters
    ----------
    layers : int
    seed
        As for every initializer.

    Returns
    -------
    matplotlib.figure.Figure

    Notes
    -----
    What figures 6 and 7 of Glorot and Bengio (AISTATS 2010) and figures 2 and 3 of He et al. (ICCV 2015) argue.
    """
    figure, grid = _figure(8.6, 5.6, 2, 2, sharex=True, sharey="row")
    for column, activation in zip(grid.T, ACTIVATIONS):
        for scheme, colour in zip(SCHEMES, _COLOURS):
            for axes, values in zip(column, signals(activation, scheme, layers=layers, seed=seed)):
                axes.plot(np.arange(1, layers + 1), values, color=colour, label=scheme)
        column[0].set_title({"tanh": "tanh", "relu": "ReLU"}[activation])
        column[1].set_xlabel("layer")
    for axes, label in zip(grid[:, 0], ("std of activations", "std of gradients")):
        axes.set(yscale="log", ylabel=label)
        axes.set_ylim(1e-10, 1e10)
    grid[0, 0].legend(frameon=False, ncols=2, fontsize="small")
    return figure


def train(scheme: str, *, steps: int = 1000, rate: float = 4.0, seed: Any = 0) -> dict[str, np.ndarray]:
    """Gradient descent on a network of three inputs, three hidden units and one output, all sigmoid.

    It learns, from the eight inputs in {0, 1}^3, whether the first two differ, by the squared error.

    Parameters
    ----------
    scheme : {"constant", "Xavier"}
        Every weight 0.5, or `xavier_normal`; biases 0.
    steps : int
    rate : float
        Of learning.
    seed
        As for every initializer.

    Returns
    -------
    dict
        ``hidden``, float64 of shape (steps + 1, 3, 4): the weights and the bias of each hidden unit before each step and after
        the last; ``loss``, shape (steps + 1,).

    Notes
    -----
    With equal weights the three units compute the same, get the same gradient and stay the same: one unit, three times
    (Goodfellow, Bengio and Courville, Deep Learning, 2016, section 8.4). Every sum here runs in the same order for each unit,
    so they stay equal to the last bit.

    Examples
    --------
    >>> from fastinit.viz import train
    >>> hidden = train("constant", steps=100)["hidden"]
    >>> bool((hidden == hidden[:, :1]).all())
    True
    >>> hidden = train("Xavier", steps=100)["hidden"]
    >>> bool((hidden[:, 0] == hidden[:, 1]).all(axis=1).any())
    False
    """
    if scheme not in ("constant", "Xavier"):
        raise ValueError(f"scheme: expected 'constant' or 'Xavier', got {scheme!r}")
    inputs = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], float)
    wanted = abs(inputs[:, 0] - inputs[:, 1])
    if scheme == "constant":
        w, v = np.full((3, 3), 0.5), np.full(3, 0.5)
    else:
        w = xavier_normal((3, 3), seed=seed, name="hidden", dtype="float64")
        v = xavier_normal((1, 3), seed=seed, name="output", dtype="float64")[0]
    b, c = np.zeros(3), 0.0
    hidden, loss = np.empty((steps + 1, 3, 4)), np.empty(steps + 1)
    for step in range(steps + 1):
        # Not by matrix products: BLAS may add up in another order for one unit than for the next.
        h = _sigmoid((inputs[:, None, :] * w).sum(axis=2) + b)  # (8 inputs, 3 units)
        y = _sigmoid((h * v).sum(axis=1) + c)
        hidden[step], loss[step] = np.column_stack([w, b]), ((y - wanted) ** 2).mean()
        d = 2 / 8 * (y - wanted) * y * (1 - y)
        e = d[:, None] * v * h * (1 - h)
        v, c = v - rate * (d[:, None] * h).sum(axis=0), c - rate * d.sum()
        w, b = w - rate * (e[:, :, None] * inputs[:, None, :]).sum(axis=0), b - rate * e.sum(axis=0)
    return {"hidden": hidden, "loss": loss}


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def symmetry(*, steps: int = 1000, seed: Any = 0) -> Figure:
    """The hidden units of `train` through training, with one constant for all weights and with Xavier's.

    Parameters
    ----------
    steps : int
    seed
        As for every initializer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = _figure(8.6, 5.2, 2, 2, sharex=True, sharey="row", height_ratios=(2, 1))
    for (top, bottom), scheme in zip(grid.T, ("constant", "Xavier")):
        run = train(scheme, steps=steps, seed=seed)
        equal = bool((run["hidden"] == run["hidden"][:, :1]).all())
        for unit, wide in enumerate((8, 5, 2)):
            lines = top.plot(run["hidden"][:, unit, :3], color=_COLOURS[unit], linewidth=wide if equal else 2,
                             solid_capstyle="butt")
            lines[0].set_label(f"unit {unit + 1}")
        bottom.plot(run["loss"], color="black")
        top.set_title(f"{scheme}: " + ("units equal to the last bit" if equal else "units differ"))
        bottom.set_xlabel("step of gradient descent")
    grid[0, 0].set_ylabel("input weights of hidden units")
    grid[1, 0].set(ylabel="squared error", ylim=(0, None))
    grid[0, 0].legend(frameon=False)
    return figure


def speed(records: Iterable[Mapping[str, Any]], *, distribution: str = "normal", dtype: str = "float32",
          memory: str = "touched", num_threads: int | None = None) -> Figure:
    """GB/s over sizes, a line for each library; plain stores (`memset`, `ndarray.fill`) are dashed, as the ceiling.

    Parameters
    ----------
    records : iterable of mappings
        What benchmarks/compare.py writes as JSON under "records", or ``fastinit bench --plot FILE --json`` under "sizes".
    distribution, dtype, memory : str
        Which of them are drawn; ceilings whatever they fill.
    num_threads : int, optional
        By default the least that occurs.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no record of that.
    """
    records = [record for record in records if record["memory"] == memory and record["dtype"] == dtype]
    if num_threads is None:
        num_threads = min((record["num_threads"] for record in records), default=1)
    lines = _rates([record for record in records if record["num_threads"] == num_threads], distribution)
    if not lines:
        raise ValueError(f"records: expected some of {distribution}, {dtype}, {memory} memory, {num_threads} threads, got none")
    figure, axes = _figure(7.2, 4.2)
    for (name, points), colour in zip(sorted(lines.items(), key=lambda line: -max(line[1].values())), _COLOURS * 3):
        style = {"ls": CEILINGS[name], "color": "black"} if name in CEILINGS else {"marker": ".", "ms": 8, "color": colour}
        axes.plot(*zip(*sorted(points.items())), label=name, linewidth=2.5 if name.startswith("fastinit") else 1.5, **style)
    axes.set(yscale="log", xlabel="bytes written", ylabel="GB/s",
             title=f"{distribution}, {dtype}, {memory} memory, {num_threads} thread{'s' * (num_threads > 1)}")
    axes.set_xscale("log", base=2)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _rates(records: Iterable[Mapping[str, Any]], distribution: str) -> dict[str, dict[int, float]]:
    """GB/s by size, of each library; of ceilings and of fills that occur several times the highest."""
    lines: dict[str, dict[int, float]] = {}
    for record in records:
        name = f"{record['library']} {record['isa']}" if record.get("isa") else record["library"]
        if name in CEILINGS or record["distribution"] == distribution:
            rate = record["bytes"] / median(record["seconds"]) / 1e9
            points = lines.setdefault(name, {})
            points[record["bytes"]] = max(rate, points.get(record["bytes"], 0.0))
    return lines
