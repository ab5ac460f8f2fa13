"""What an initializer would write, told without writing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import memory as _memory
from .arguments import shown, sizes
from .calls import INITIALIZERS, recipe_of
from .dtypes import resolve
from .public import check_arguments, lists_parameters, public
from .signatures import own_signature

__all__ = ["Explanation", "explain"]


@public
@dataclass(frozen=True)
class Explanation:
    """What an initializer would write; `explain` makes these.

    Attributes
    ----------
    initializer, dtype : str
        What was asked for.
    shape : tuple of int
        The tensor's.
    distribution : str
        "constant", "uniform", "normal" or "trunc_normal"; the initializer's name where it is none of these.
    fan_in, fan_out, gain : int, float or None
        None where the initializer has none.
    mean, std : float or None
        Of the values that will be written; None where the law has no single one.
    low, high : float
        The interval that they lie in: [low, high) of a uniform, [low, high] of the others; infinite where there is none.
    regime : str or None
        Of a truncated gaussian, where its candidates come from: "gaussian", "narrow" (uniform) or "tail" (exponential); or
        "point", where there is one value only.
    acceptance, draws : float
        Share of candidates that is kept, in (0, 1], and candidates expected for an element, 1 / acceptance.
    words : int
        Length of the stream that is used, redraws apart.
    elementwise : bool
        Whether a block can be filled alone, by ``global_shape`` and ``offset``.

    Notes
    -----
    `mean` and `std` are before rounding to the dtype. Those of a truncated gaussian are exact integrals, not the parent's.

    Examples
    --------
    >>> import fastinit as fi
    >>> told = fi.explain("trunc_normal", 1000, std=0.02, bounds="std")
    >>> told.distribution, told.low, told.high, told.regime, round(told.std, 6), round(told.acceptance, 4)
    ('trunc_normal', -0.04, 0.04, 'gaussian', 0.017593, 0.9545)
    """

    initializer: str
    shape: tuple[int, ...]
    dtype: str
    distribution: str
    fan_in: float | None
    fan_out: float | None
    gain: float | None
    mean: float | None
    std: float | None
    low: float
    high: float
    regime: str | None
    acceptance: float
    draws: float
    words: int
    elementwise: bool


@public
@lists_parameters
def explain(initializer: str | Callable[..., Any], shape: Any, *args: Any, dtype: Any = "float32",
            **options: Any) -> Explanation:
    """Fans, gain, standard deviation, bounds and acceptance of an initializer, without writing anything.

    Parameters
    ----------
    initializer : str or function
        "kaiming_normal" or `kaiming_normal`, say.
    shape : int or sequence of int
        Of the tensor; of the whole one if it is sharded.
    dtype : str or dtype
        "float32", "float64", "float16" or "bfloat16".
    *args, **options
        The initializer's parameters, fans among them, without ``seed``, ``name``, ``num_threads``, ``global_shape``,
        ``offset`` and ``index``.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError, ValueError
        What the initializer itself would refuse: naming the argument, what was expected and what came.

    Notes
    -----
    Formulas and sources are those of the initializer.

    Examples
    --------
    >>> import fastinit as fi
    >>> e = fi.explain("kaiming_normal", (64, 32, 3, 3), groups=2, nonlinearity="relu")
    >>> e.fan_in, e.fan_out, round(e.std, 6)
    (288, 288, 0.083333)
    """
    if not isinstance(initializer, str) and not (inspect.isfunction(initializer) and hasattr(initializer, "definition")):
        raise TypeError(f"initializer: expected the name of one, or one itself, got {shown(initializer)}")
    name = (initializer if isinstance(initializer, str) else initializer.__name__).removesuffix("_")
    if name not in INITIALIZERS:
        raise ValueError(f"initializer: expected one of {', '.join(INITIALIZERS)}, got {shown(initializer)}")
    entry, whole = resolve(dtype), sizes(shape, "shape")
    definition = INITIALIZERS[name].definition
    check_arguments(name, own_signature(definition), args, options)
    recipe = recipe_of(INITIALIZERS[name], whole, entry, args, options)
    plan, facts = recipe.plan, recipe.facts
    random = plan is not None and plan.dist != "constant"
    acceptance, regime = (plan.acceptance, plan.regime) if plan else (1.0, None)
    units = plan.units if plan else 1
    _memory.check_words(entry, whole, "shape", units)
    return Explanation(
        name, whole, entry.name, plan.dist if plan else name,
        facts.get("fan_in"), facts.get("fan_out"), facts.get("gain"),
        plan.mean if plan else facts.get("mean"), plan.std if plan else facts.get("std"),
        plan.low if plan else -math.inf, plan.high if plan else math.inf,
        regime, acceptance, 1 / acceptance,
        (math.prod(whole) * units if random else facts.get("draws", 0)) * (entry.real.itemsize // 4),
        recipe.write is None)
