"""`accelerate`: whatever is initialized within it is filled by fastinit, without a change to its code."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, handle_torch_function, has_torch_function

import fastinit as fi

from . import dispatch, init
from .deferral import HARMLESS, pending
from .transforms import is_transformed
from ..core.arguments import shown
from ..core.calls import INITIALIZERS, Initializer
from ..core.streams import Seed

# What a mode sees of an initialization. Functions of torch.nn.init that are not here, under whatever name a module has bound
# them, end in one of the methods. None: torch's own is as fast, but may have to be skipped.
_INITS: dict[str, Initializer | None] = {
    "constant_": None, **{f"{name}_": INITIALIZERS[name] for name in ("normal", "uniform", "trunc_normal", "kaiming_uniform")}}
_FILLS: dict[Any, Initializer | None] = {
    Tensor.normal_: INITIALIZERS["normal"], Tensor.uniform_: INITIALIZERS["uniform"], Tensor.fill_: None, Tensor.zero_: None,
    **{getattr(torch.nn.init, name): ours for name, ours in _INITS.items()},
    **{function: INITIALIZERS[function.__name__.removesuffix("_")] for function in init.DROP_INS},
}
_METHODS = (Tensor.normal_, Tensor.uniform_)
_MAKES: dict[Any, tuple[Any, Any]] = {
    torch.randn: (torch.empty, Tensor.normal_), torch.randn_like: (torch.empty_like, Tensor.normal_),
    torch.rand: (torch.empty, Tensor.uniform_), torch.rand_like: (torch.empty_like, Tensor.uniform_),
}


def _takes_generator(function: Any, *args: Any) -> bool:
    """Which older torches do not know of some."""
    try:
        function(*args, generator=torch.Generator())
    except TypeError:
        return False
    return True


# Not filled by fastinit, but given a generator that the seed decides. Of the private ones torch.distributions are made.
_SEEDED = {torch.bernoulli, torch.binomial, torch.multinomial, torch.normal, torch.poisson, torch.randint, torch.randperm,
           Tensor.bernoulli, Tensor.bernoulli_, Tensor.cauchy_, Tensor.exponential_, Tensor.geometric_, Tensor.log_normal_,
           Tensor.multinomial, Tensor.random_}
_LATER: dict[str, tuple[int, ...]] = {"randint_like": (2,), "_standard_gamma": (), "_sample_dirichlet": ()}
_SEEDED |= {getattr(torch, name) for name, args in _LATER.items()
            if hasattr(torch, name) and _takes_generator(getattr(torch, name), torch.ones(2), *args)}


class accelerate(TorchFunctionMode):
    """Models built in the ``with`` block, with no change to their code, are filled by fastinit.

    What is filled: the functions of `torch.nn.init`, under any name they were imported as, ``tensor.normal_()``,
    ``tensor.uniform_()``, `torch.randn`, `torch.rand` and their ``_like``; in float32, float64, float16 and bfloat16, on the
    CPU and, with ``fastinit-kernels[cuda]``, on CUDA devices. DTensors are filled as part of the whole, if all ranks have the
    same seed and build the same model. Constants, other devices and what fastinit refuses are left to torch; where it draws on
    the CPU, its generator is seeded from `seed`, so that the same code gives the same values on every run; `torch.manual_seed`
    has no effect on them. An explicit ``generator=`` is obeyed.

    What takes no generator stays torch's, under `torch.manual_seed`: dropout in all its forms, rrelu, gumbel_softmax. So does
    all that is drawn where torch runs a function otherwise than once for its values: in `torch.func`'s transforms (vmap, grad
    and their like), `torch.compile`, `torch.export`, `torch.jit.trace`, `make_fx`, FakeTensorMode and `torch.utils.checkpoint`.

    A fill is recorded, and written when something reads the memory, or at the end of the block, all together: what is filled
    twice, as most models of others' libraries are, is written once. Code in the block sees what it would see without that,
    through whatever torch function or method it reads: NumPy, DLPack, pickling, views and copies among them; so do forked
    processes. Reads that torch's modes do not see need ``defer=False``: those of another thread or process, of code that
    torch.compile or TorchScript has compiled, by an address that was taken before the fill, and by the old function
    `torch.utils.dlpack.to_dlpack` (DLPack's protocol is seen).

    Blocks nest, each with keys of its own; a block acts on the thread that entered it alone, and not on what that forks, such
    as the workers of a DataLoader, which would all draw the same. A tensor that transformers has
    marked as loaded (``_is_hf_initialized``) is left as it is, unless reached through ``.data``, which has no mark.

    Parameters
    ----------
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None
        Values are keyed by the number of the call; None is the default `Rng` (`fastinit.manual_seed`).
    defer : bool, keyword-only
        False to write every fill at once. The values are the same.

    Examples
    --------
    >>> import torch, fastinit.torch
    >>> with fastinit.torch.accelerate(seed=0):
    ...     a = torch.nn.Linear(300, 20)
    >>> with fastinit.torch.accelerate(seed=0):
    ...     b = torch.nn.Linear(300, 20)
    >>> bool((a.weight == b.weight).all()), bool(a.weight.abs().max() <= 300 ** -0.5)
    (True, True)
    """

    def __init__(self, seed: Seed = None, *, defer: bool = True) -> None:
        super().__init__()
        if not isinstance(defer, bool):
            raise TypeError(f"defer: expected True or False, got {shown(defer)}")
        self._defer = defer
        self._process = os.getpid()
        self._rng = fi.default_rng() if seed is None else seed if isinstance(seed, fi.Rng) else fi.Rng(seed)

    def __enter__(self) -> accelerate:
        _trunc_normal.enter()
        super().__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        _trunc_normal.leave()
        pending.write()

    def __torch_function__(self, function: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if torch.compiler.is_compiling() or function in HARMLESS:  # the first before what the compiler cannot follow
            return function(*args, **options)
        init = _init_of(function)
        is_ours = init or function in _FILLS or function in _MAKES or function in _SEEDED
        if not is_ours or os.getpid() != self._process or is_transformed():
            return _as_torch(function, args, options)
        return self._as_ours(function, init, args, dict(options))

    def _as_ours(self, function: Any, init: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if init or function in _FILLS:
            return self._fill(function, _INITS[init] if init else _FILLS[function], args, options)
        pending.seen(function, args, options)
        if options.get("generator") is not None:
            return function(*args, **options)
        if function in _MAKES:
            make, method = _MAKES[function]
            options.pop("generator", None)
            with torch.no_grad():
                return self._fill(method, _FILLS[method], (make(*args, **options),), {})
        if _draws_on_cpu(args, options):
            options["generator"] = dispatch.torch_generator(self._rng)
        return function(*args, **options)

    def _fill(self, function: Any, ours: Initializer | None, args: tuple[Any, ...], options: dict[str, Any]) -> Tensor:
        tensor, args = (args[0], args[1:]) if args else (options.pop("tensor"), args)
        if getattr(tensor, "_is_hf_initialized", False):
            return tensor
        if ours is None:
            with pending.replaced(tensor):
                return function(tensor, *args, **options)
        if function is Tensor.uniform_:  # its from and to are our a and b
            args += tuple(options.pop(key, default) for key, default in (("from", 0.0), ("to", 1.0))[len(args):])
        generator = options.pop("generator", None)
        recorded = function in _METHODS and torch.is_grad_enabled() and tensor.requires_grad  # by autograd
        if self._defer and generator is None and not recorded and pending.record(tensor, ours, args, options, self._rng):
            return tensor
        pending.seen(function, (tensor,), {})
        if recorded:  # or refused
            if generator is None and tensor.device.type == "cpu":
                generator = dispatch.torch_generator(self._rng)
            return function(tensor, *args, generator=generator, **options)
        return dispatch.run(function, ours, tensor, args, options, generator, self._rng)


def _as_torch(function: Any, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    if function is Tensor.clone and not is_transformed() and (copy := pending.clone(args[0], options)) is not None:
        return copy
    pending.seen(function, args, options)
    return function(*args, **options)


def _init_of(function: Any) -> str:
    """Which of torch.nn.init's a function is, also if transformers has put its own there, which then pass those on to modes."""
    name = getattr(function, "__name__", "")
    return name if name in _INITS and function is getattr(torch.nn.init, name) else ""


def _draws_on_cpu(args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    tensors = [value for value in (*args, *options.values()) if isinstance(value, Tensor)]
    device = tensors[0].device if tensors else torch.device(options.get("device") or torch.get_default_device())
    return device.type == "cpu"


class _TruncNormal:
    """While any block is open, `torch.nn.init.trunc_normal_` tells modes of its calls, as its sisters do by themselves. It is
    the part that all names for it end in which is exchanged; for threads without a mode nothing changes."""

    def __init__(self) -> None:
        self._lock, self._blocks, self._original = threading.Lock(), 0, None

    def enter(self) -> None:
        with self._lock:
            self._blocks += 1
            if self._blocks == 1:
                self._original = getattr(torch.nn.init, "_no_grad_trunc_normal_", None)
                if self._original is not None:  # without it, draws are ours and rejections torch's
                    torch.nn.init._no_grad_trunc_normal_ = _told(self._original)

    def leave(self) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0 and self._original is not None:
                torch.nn.init._no_grad_trunc_normal_ = self._original


def _told(original: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def trunc_normal(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any = None) -> Tensor:
        if has_torch_function((tensor,)) and not is_transformed():
            return handle_torch_function(torch.nn.init.trunc_normal_, (tensor,), tensor, mean, std, a, b, generator=generator)
        return original(tensor, mean, std, a, b, generator=generator)

    return trunc_normal


_trunc_normal = _TruncNormal()
