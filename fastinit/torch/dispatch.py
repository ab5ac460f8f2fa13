"""How a function of `torch.nn.init` becomes one that fastinit fills, and torch where fastinit cannot."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import handle_torch_function, has_torch_function

import fastinit as fi

from ..core.calls import INITIALIZERS, Initializer
from ..core.public import public_in
from ..core.signatures import own_signature
from ..core.streams import Seed, pin
from .tensors import Target, fill, target_of
from .transforms import is_transformed

# Bad numbers that torch.nn.init takes without a word and answers by another distribution.
_SILENT: dict[str, Callable[..., bool]] = {
    "trunc_normal_": lambda mean, std, **_: math.isnan(mean) or not std >= 0,
    "sparse_": lambda sparsity, **_: not 0 <= sparsity <= 1,
}


def run(theirs: Any, ours: Initializer, tensor: Any, args: tuple[Any, ...], options: dict[str, Any], generator: Any = None,
        rng: fi.Rng | None = None) -> Any:
    """Fill a tensor by `ours`, keyed by 128 bits of `generator`, or else by a call of `rng`, or else by torch's default
    generator. What fastinit cannot fill goes to `theirs`, untouched: torch fills it, or raises its own error."""
    if rng is None and is_transformed():  # within accelerate that was asked before
        return theirs(tensor, *args, generator=generator, **options)
    try:
        target = target_of(tensor)
        seed, resume = _source(generator, rng)
    except TypeError:
        if generator is None and rng is not None and isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
            generator = torch_generator(rng)
        return theirs(tensor, *args, generator=generator, **options)
    if "kaiming" not in ours.__name__ or 0 not in target.shape:  # of which torch warns
        try:
            fill(target, ours, args, options, seed)
            return tensor
        except (TypeError, ValueError, NotImplementedError) as error:
            refusal = error
        generator = resume()
        if _taken_silently(theirs, tensor, args, options):
            raise refusal
    return theirs(tensor, *args, generator=generator, **options)


def _source(generator: Any, rng: fi.Rng | None) -> tuple[Seed, Callable[[], torch.Generator]]:
    """A seed; and what gives, should it be torch's turn, the generator to use, as if no seed had been drawn from it."""
    if generator is None and rng is not None:
        seed = pin(rng)
        return seed, lambda: torch_generator(seed)
    source = torch.default_generator if generator is None else generator
    if not isinstance(source, torch.Generator) or source.device.type != "cpu":
        raise TypeError(f"generator: expected a torch.Generator on the CPU, got {generator!r}")
    state = source.get_state()
    words = torch.randint(2**32, (4,), generator=source, dtype=torch.int64, device="cpu").tolist()
    return sum(word << 32 * i for i, word in enumerate(words)), lambda: source.set_state(state)


def _fill_by_generator(target: Target, ours: Initializer, args: tuple[Any, ...], options: dict[str, Any],
                       generator: Any) -> Any:
    """Fill by parameters that torch does not have, so whatever is wrong is told by fastinit."""
    seed, resume = _source(generator, None)
    try:
        fill(target, ours, args, options, seed)
    except (TypeError, ValueError, NotImplementedError):
        resume()
        raise
    return target.tensor


def torch_generator(seed: Seed) -> torch.Generator:
    """For what torch has to draw: the same numbers for the same seed. torch reads 32 bits of a seed."""
    return torch.Generator().manual_seed(int(fi.words(1, seed=seed, name="torch.Generator")[0]))


def _taken_silently(theirs: Any, tensor: Any, args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    try:
        bound = inspect.signature(theirs).bind(tensor, *args, **options)
        bound.apply_defaults()
        return theirs.__name__ in _SILENT and _SILENT[theirs.__name__](**bound.arguments)
    except (TypeError, ValueError):  # arguments that fit no parameters, or are no numbers; a function without a signature
        return False


def drop_in(theirs: Any) -> Any:
    """`theirs`, a random function of torch.nn.init, filled by the initializer of its name."""
    ours: Initializer = INITIALIZERS[theirs.__name__.removesuffix("_")]
    signature = inspect.signature(theirs)
    known = list(signature.parameters)
    more = [p.replace(kind=p.KEYWORD_ONLY) for p in own_signature(ours.definition).parameters.values() if p.name not in known]
    own = {p.name for p in more} | {*known}

    def function(tensor: Any, *args: Any, generator: Any = None, seed: Seed = None, name: str = "", **options: Any) -> Any:
        if generator is None and len(args) == known.index("generator"):
            *args, generator = args  # type: ignore[assignment]
        if seed is not None or name:
            if generator is not None:
                raise TypeError(f"seed, generator: expected one of the two, got {seed!r} and {generator!r}")
            if is_transformed():
                raise TypeError(f"seed: expected none where torch transforms or records a function, got {seed!r}")
            fill(target_of(tensor), ours, tuple(args), options, seed, name)
            return tensor
        if has_torch_function((tensor,)):
            return handle_torch_function(function, (tensor,), tensor, *args, generator=generator, **options)
        if not options.keys() <= set(known):
            if not options.keys() <= own or is_transformed():
                return theirs(tensor, *args, generator=generator, **options)
            return _fill_by_generator(target_of(tensor), ours, tuple(args), options, generator)
        if "kaiming" in ours.__name__ and 0 in tensor.shape:  # here, so that the warning points at the caller
            warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
            return tensor
        return run(theirs, ours, tensor, tuple(args), options, generator)

    kind = inspect.Parameter.KEYWORD_ONLY
    public_in("fastinit.torch")(function)
    function.__name__ = function.__qualname__ = theirs.__name__
    function.__signature__ = signature.replace(parameters=[  # type: ignore[attr-defined]
        *signature.parameters.values(), *more, inspect.Parameter("seed", kind, default=None, annotation="Seed"),
        inspect.Parameter("name", kind, default="", annotation="str")])
    function.__doc__ = _DOC.format(name=theirs.__name__, first="0.5, " if ours.__name__ == "sparse" else "")
    return function


_DOC = """`torch.nn.init.{name}`, filled by `fastinit.{name}`.

Parameters
----------
tensor : Tensor
    A dense tensor of float32, float64, float16 or bfloat16 with any strides, on the CPU or, with ``fastinit-kernels[cuda]``, on
    a CUDA device, whose current CUDA stream then has the work; or a DTensor of such, whose local part is
    filled as part of the whole: then every rank must have the same seed or generator (and `orthogonal_` and `sparse_` make
    the whole on each). Others, subclasses of Tensor among them, go to torch's function.
generator : torch.Generator or None
    128 bits are drawn from it for the key; None is torch's default generator on the CPU, which `torch.manual_seed` seeds. With
    one on a CUDA device torch draws.
seed, name : keyword-only
    Instead of a generator, as for every initializer of fastinit; then nothing goes to torch.
**options
    The other parameters are torch's, and those that `fastinit.{name}` has beside them: where one of these is given, nothing
    goes to torch.

Returns
-------
Tensor
    The argument.

Raises
------
As torch. With `seed`: TypeError, ValueError, naming the argument, what was expected and what came.

Notes
-----
Refused, where torch fills by another distribution: `trunc_normal_` with a negative `std` or a NaN, `sparse_` with `sparsity`
outside [0, 1]. Filled, where torch raises: `uniform_` on an interval wider than the dtype's largest number, `trunc_normal_`
with ``std=0`` or infinite bounds, Xavier of tensors without elements, Kaiming with ``mode="fan_avg"`` or ``"fan_geo_avg"``,
`orthogonal_` in float16 and bfloat16. Where fastinit fills, `trunc_normal_` does not warn of a mean far outside the bounds:
the values are right. `sparse_` draws the places of its zeros from the generator too.

Examples
--------
>>> import torch, fastinit.torch as init
>>> w = init.{name}(torch.empty(3, 5), {first}seed=0)
>>> w.shape
torch.Size([3, 5])
"""


def deprecated_name(function: Any) -> Any:
    """The name without underscore that torch still has."""
    old = function.__name__.removesuffix("_")

    def deprecated(*args: Any, **options: Any) -> Any:
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{old}_`.", FutureWarning, stacklevel=2)
        return function(*args, **options)

    public_in("fastinit.torch")(deprecated)
    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    deprecated.__doc__ = f"Deprecated, as in torch: `{old}_`."
    return deprecated
