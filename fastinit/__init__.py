"""Random weights at the speed of memory, the same to the bit everywhere.

A NumPy buffer goes in; constant, uniform, gaussian, truncated-gaussian, Xavier or Kaiming values come out in place. Element
i of tensor `name` under a seed is one fixed bit pattern, whatever the CPU, instruction set, thread count, memory layout or
shard.
"""

from __future__ import annotations

import functools as _functools
import inspect as _inspect
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import _kernels
from . import fill as _fill
from .calls import INITIALIZERS, words
from .explanations import Explanation, explain
from .fans import Fans, calculate_fans, calculate_gain
from .initializers import (
    constant, constant_, kaiming_normal, kaiming_normal_, kaiming_uniform, kaiming_uniform_, lecun_normal, lecun_normal_,
    lecun_uniform, lecun_uniform_, normal, normal_, ones, ones_, trunc_normal, trunc_normal_, uniform, uniform_,
    variance_scaling, variance_scaling_, xavier_normal, xavier_normal_, xavier_uniform, xavier_uniform_, zeros, zeros_,
)
from .models import (
    Bilinear, Constant, DeltaOrthogonal, Dirac, Eye, KaimingNormal, KaimingUniform, LecunNormal, LecunUniform, Normal, Ones,
    Orthogonal, Rule, Sparse, TruncNormal, Uniform, VarianceScaling, XavierNormal, XavierUniform, Zeros, fill,
)
from .presets import PRESETS
from .streams import Rng, Seed, default_rng, manual_seed
from .structured import (
    bilinear, bilinear_, delta_orthogonal, delta_orthogonal_, dirac, dirac_, eye, eye_, orthogonal, orthogonal_, sparse,
    sparse_,
)

STREAM_VERSION: int = _kernels.STREAM_VERSION

_SELF = _inspect.Parameter("self", _inspect.Parameter.POSITIONAL_ONLY)


def _as_method(function: _Any) -> _Any:
    @_functools.wraps(function)
    def method(self: Rng, *args: _Any, **options: _Any) -> _Any:
        if "seed" in options:
            raise TypeError(f"seed: expected none, as Rng.{function.__name__} draws from the Rng, got {options['seed']!r}")
        return function(*args, seed=self, **options)

    own = [p for p in function.__signature__.parameters.values() if p.name != "seed"]
    method.__signature__ = _inspect.Signature([_SELF, *own])  # type: ignore[attr-defined]
    return method


for _initializer in INITIALIZERS.values():
    for _function in (_initializer, _initializer.in_place):
        setattr(Rng, _function.__name__, _as_method(_function))


def _version() -> str:
    from importlib.metadata import version  # 14 ms

    return version("fastinit-kernels")


def show_config() -> dict[str, _Any]:
    """What this installation runs on.

    Returns
    -------
    dict
        ``version``, ``isa`` (the instruction set in use) and ``compiler``, as str; ``stream_version`` and ``num_threads`` (the
        most that a fill takes by default), as int >= 1; ``isas``, a list of the instruction sets that this CPU can run.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        The package lies on the path without having been installed.

    Notes
    -----
    ``FASTINIT_ISA``, ``FASTINIT_NUM_THREADS`` and ``OMP_NUM_THREADS`` count as they were when fastinit was imported.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.show_config()["stream_version"]
    1
    """
    return {"version": _version(), "stream_version": STREAM_VERSION, "isa": _kernels.ISAS[_fill.isa],
            "isas": list(_kernels.AVAILABLE_ISAS), "compiler": _kernels.COMPILER,
            "num_threads": _fill.resolve_threads(None)}


__all__ = [_name for _name, _value in list(globals().items())
           if not _name.startswith("_") and not isinstance(_value, _ModuleType) and _name != "annotations"] + ["BitGenerator"]


if _TYPE_CHECKING:
    from ._bit_generator import BitGenerator

    __version__: str
else:
    def __getattr__(name):
        """What costs milliseconds to import, when it is asked for."""
        if name == "BitGenerator":
            from ._bit_generator import BitGenerator

            return BitGenerator
        if name == "__version__":
            return _version()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
