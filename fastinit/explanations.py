"""What an initializer would write, told without writing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import _kernels
from . import fill as _fill
from .calls import INITIALIZERS, Initializer
from .dtypes import resolve
from .slices import sizes_of


@dataclass(frozen=True)
class Explanation:
    """What an initializer would write.

    Attributes
    ----------
    initializer, shape, dtype, distribution
        What was asked.
    fan_in, fan_out, gain : float or None
        None where the initializer has none.
    mean, std : float or None
        Of the values that will be written; None where the law has no single one.
    low, high : float
        The interval that they lie in.
    regime : str or None
        Of a truncated gaussian, where its candidates come from: "gaussian", "narrow" (uniform) or "tail" (exponential); or
        "point", where there is one value only.
    acceptance, draws : float
        Share of candidates that is kept, and candidates expected for an element.
    words : int
        Length of the stream that is used, redraws apart.
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


def explain(initializer: str | Initializer, shape: Any, *args: Any, dtype: Any = "float32", **options: Any) -> Explanation:
    """Fans, gain, standard deviation, bounds and acceptance of an initializer, without writing anything.

    Parameters
    ----------
    initializer : str or function
        "kaiming_normal" or `kaiming_normal`, say.
    shape : int or sequence of int
        Of the tensor; of the whole one if it is sharded.
    *args, dtype, **options
        As for the initializer.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> import fastinit as fi
    >>> e = fi.explain("kaiming_normal", (64, 32, 3, 3), groups=2, nonlinearity="relu")
    >>> e.fan_in, e.fan_out, round(e.std, 6)
    (288, 288, 0.083333)
    """
    name = initializer if isinstance(initializer, str) else getattr(initializer, "__name__", repr(initializer))
    name = name.removesuffix("_")
    if name not in INITIALIZERS:
        raise ValueError(f"initializer: expected one of {', '.join(INITIALIZERS)}, got {initializer!r}")
    entry, sizes = resolve(dtype), sizes_of(shape, "shape")
    _fill.check_words(entry, sizes, "shape")
    with _kernels.default_environment():
        recipe = INITIALIZERS[name].law(sizes, entry, *args, **options)
    plan, facts = recipe.plan, recipe.facts
    random = plan is not None and plan.dist != "constant"
    acceptance, regime = (plan.acceptance, plan.regime) if plan else (1.0, None)
    units = 2 if regime in ("narrow", "tail") else 1  # a candidate's value, and its acceptance test
    return Explanation(
        name, sizes, entry.name, plan.dist if plan else name,
        facts.get("fan_in"), facts.get("fan_out"), facts.get("gain"),
        plan.mean if plan else facts.get("mean"), plan.std if plan else facts.get("std"),
        plan.low if plan else -math.inf, plan.high if plan else math.inf,
        regime, acceptance, 1 / acceptance,
        (math.prod(sizes) * units if random else facts.get("draws", 0)) * (entry.real.itemsize // 4))
