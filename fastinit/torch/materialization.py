"""`materialize`: memory and values for a model that was made on the meta device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch

import fastinit as fi

from ..core import memory
from ..core.arguments import shown
from ..core.dtypes import DTYPES
from ..models.rules import Rule, Rules, rule_for, rule_pairs
from ..core.streams import Seed, pin
from . import parametrized
from .tensors import fill_all, is_reached, runs, target_of

Model = TypeVar("Model", bound=torch.nn.Module)
# Also for the integers among buffers.
_CONSTANTS: dict[str, Any] = {"zeros": torch.nn.init.zeros_, "ones": torch.nn.init.ones_, "constant": torch.nn.init.constant_}
# What torch.compile, activation checkpointing and FSDP put into the names of what they wrap.
_WRAPPED = re.compile(r"(?<![^.])(?:_orig_mod|_checkpoint_wrapped_module|_fsdp_wrapped_module)\.")
_PARALLEL = (torch.nn.parallel.DistributedDataParallel, torch.nn.parallel.DataParallel)


def materialize(model: Model, rules: Rules, *, seed: Seed, device: torch.device | str | None = None) -> Model:
    """Give a model memory where it has none, and values keyed by each parameter's name.

    Parameters
    ----------
    model : torch.nn.Module
        Made under ``torch.device("meta")``, say; after `fully_shard`, the local parts are filled with the whole's values.
    rules : mapping of str to Rule, or sequence of such pairs
        Patterns as in `fnmatch`; the first that matches a name decides. Every parameter needs a rule, and every buffer on
        the meta device one for its own name, as its values cannot be known: ``"*running_mean"``, and neither ``"*"`` nor
        ``"layers.*"``, which others beside it match too. Other buffers keep their values, with or without a rule.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None
        As for `fastinit.fill`, which gives arrays of the same names the same values. The same on all ranks.
    device : torch.device or str, optional
        Where the memory is to be: ``"cpu"`` or, with ``fastinit-kernels[cuda]``, ``"cuda"`` or ``"cuda:1"``. By default that of
        the DTensors' mesh, without DTensors the CPU. Values do not depend on it.

    Returns
    -------
    torch.nn.Module
        `model`. Parameters and buffers that were one tensor under several names are so still, keyed by the first.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        A tensor without a rule, or one that its rule cannot fill, is named; so are those whose elements share memory. Then the
        model is as it was.

    Notes
    -----
    Names are those of the bare model: what `torch.compile`, activation checkpointing, FSDP and DistributedDataParallel put into
    them decides neither rules nor keys.

    Where weight_norm makes a layer's weight of others, the rule for ``fc.weight`` decides, and the others are set so that this
    is the weight; a rule that matches one of those and not ``fc.weight`` fills that itself, as all other parametrizations need.
    The row of ``padding_idx`` in an embedding is zero, whatever the rule.

    Examples
    --------
    >>> import torch, fastinit as fi, fastinit.torch
    >>> with torch.device("meta"):
    ...     model = torch.nn.Linear(300, 20)
    >>> _ = fastinit.torch.materialize(model, {"bias": fi.Zeros(), "*": fi.KaimingUniform()}, seed=0)
    >>> bool((model.weight.detach().numpy() == fi.kaiming_uniform((20, 300), seed=0, name="weight")).all())
    True
    """
    _check_model(model)
    rules = _kept(rules)
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    shared = _shared(named)
    kept = {name: tensor for name, tensor in named if not tensor.is_meta and not isinstance(tensor, torch.nn.Parameter)}
    own = {name: tensor for name, tensor in named if name == shared[id(tensor)][0] and name not in kept}
    bare = _bare_names(model, own)
    made = _weights(model, bare, rules)
    for part in [part for weight in made.values() for part in weight.parts]:
        own.pop(part)
    found = _rules_of(own, bare, rules)
    found_made = _rules_of({name: weight.values() for name, weight in made.items()}, {}, rules)
    _check_disjoint(own)
    place = _device(device, named)
    seed = pin(seed)
    _allocate(model, named, kept, shared.values(), place)
    weights = {name: torch.empty_like(weight.values(), device="cpu") for name, weight in made.items()}
    _fill([(bare[name], _get(model, name), rule) for name, rule in found.items()], seed)
    _fill([(name, weights[name], rule) for name, rule in found_made.items()], seed)
    for name, values in weights.items():
        made[name].set(values)
    _zero_padding(model)
    return model


def _device(device: Any, named: Iterable[tuple[str, torch.Tensor]]) -> torch.device:
    """The one asked for, or else that of the meshes."""
    meshes = (tensor.device_mesh.device_type for _, tensor in named if hasattr(tensor, "device_mesh"))
    try:
        asked = torch.device(next(meshes, "cpu") if device is None else device)
    except (RuntimeError, TypeError):
        raise TypeError(f"device: expected a torch.device or a string that names one, got {shown(device)}") from None
    if not is_reached(asked.type):
        raise ValueError(f"device: expected cpu, or cuda with fastinit-kernels[cuda] installed, got {shown(str(asked))}")
    return asked


def _kept(rules: Rules) -> Rules:
    """To be gone through more than once."""
    return list(rules) if not isinstance(rules, Mapping) and hasattr(rules, "__iter__") else rules


def _check_model(model: Any) -> None:
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model: expected a torch.nn.Module, got {type(model).__name__}")


def _shared(named: Iterable[tuple[str, torch.Tensor]]) -> dict[int, list[str]]:
    """The names of each tensor."""
    names: dict[int, list[str]] = {}
    for name, tensor in named:
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(f"tensor {name!r}: expected one that has a shape, got {type(tensor).__name__}: call the model")
        names.setdefault(id(tensor), []).append(name)
    return names


def _weights(model: torch.nn.Module, bare: Mapping[str, str], rules: Rules) -> dict[str, parametrized.Weight]:
    """Those that are made of others, unless a rule is for one of these and not for the weight."""
    pairs = rule_pairs(rules)
    return parametrized.weights_of(model, bare, lambda part, name: any(is_of(part) and not is_of(name) for is_of, _ in pairs))


def _allocate(model: torch.nn.Module, named: Iterable[tuple[str, torch.Tensor]], kept: Mapping[str, torch.Tensor],
              shared: Iterable[list[str]], device: torch.device) -> None:
    """Memory for what has none, which leaves alone what is kept and is one tensor where it was."""
    if any(tensor.is_meta for _, tensor in named):
        model.to_empty(device=device)  # of every module at once, as FSDP expects
        for name, tensor in kept.items():
            _set(model, name, tensor)
        for first, *others in shared:
            for name in others:
                _set(model, name, _get(model, first))


def _rules_of(tensors: Mapping[str, torch.Tensor], bare: Mapping[str, str], rules: Rules) -> dict[str, Rule]:
    """The rule of each, which can fill it. One that is not in `bare` has that name already."""
    pairs, found = rule_pairs(rules), {}
    naming = [(_names_itself(matches), rule) for matches, rule in pairs]
    for name, tensor in tensors.items():
        own = bare.get(name, name)
        found[name] = (rule_for(own, pairs, tuple(tensor.shape)) if isinstance(tensor, torch.nn.Parameter)
                       else _rule_of_buffer(own, tuple(tensor.shape), naming))
        _check(own, tensor, found[name])
    return found


def _names_itself(matches: Any) -> Any:
    """What tells whether a pattern is for a tensor by its own name: others beside it do not match."""
    return lambda name: not matches(f"{name.rpartition('.')[0]}.\0") and matches(name)


def _rule_of_buffer(name: str, shape: tuple[int, ...], naming: Any) -> Rule:
    if any(matches(name) for matches, _ in naming):
        return rule_for(name, naming, shape)
    raise ValueError(f"rules: no pattern names the buffer {shown(name)}, whose values on the meta device cannot be known; "
                     "one such as '*' is for parameters")


def _bare_names(model: torch.nn.Module, names: Iterable[str]) -> dict[str, str]:
    """The names that the tensors have in the model without what wraps it or its modules."""
    parallel = [f"{path}." if path else "" for path, module in model.named_modules() if isinstance(module, _PARALLEL)]
    bare: dict[str, str] = {}
    for name in names:
        own = name
        for path in sorted(parallel, key=len, reverse=True):  # the inner ones first
            if own.startswith(f"{path}module."):
                own = path + own.removeprefix(f"{path}module.")
        bare[name] = _WRAPPED.sub("", own)
    taken: dict[str, str] = {}
    for name in sorted(names):
        if (other := taken.setdefault(bare[name], name)) != name:
            raise ValueError(f"tensor {name!r}: expected a name of its own, got {bare[name]!r}, which {other!r} has too")
    return bare


def _check_disjoint(tensors: Mapping[str, torch.Tensor]) -> None:
    """That no two elements share memory, which each of them would be given a value of its own in."""
    arrays = []
    for name, tensor in tensors.items():
        if tensor.numel() and any(stride == 0 and n > 1 for stride, n in zip(tensor.stride(), tensor.shape)):
            raise ValueError(f"tensor {name!r}: expected elements that do not overlap, got strides {tuple(tensor.stride())} "
                             f"for shape {tuple(tensor.shape)}")
        if not tensor.is_meta and str(tensor.dtype).removeprefix("torch.") in DTYPES:
            for array, _ in target_of(tensor).pieces:
                try:
                    arrays.append((name, memory.target_of(array)[0] if array.dtype.kind == "f" else array))
                except ValueError as error:
                    raise ValueError(f"tensor {name!r}, {error}") from error
    memory.check_disjoint(arrays)


def _zero_padding(model: torch.nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag) and module.padding_idx is not None:
            weight = module._parameters.get("weight")
            if type(weight) is torch.nn.Parameter:
                weight.data[module.padding_idx] = 0
            elif weight is not None:  # sharded
                with torch.no_grad():
                    local: torch.Tensor = weight.to_local()  # type: ignore[attr-defined]
                    for at, first, n in runs(weight, 0):
                        if first <= module.padding_idx < first + n:
                            local[at + module.padding_idx - first] = 0
                torch.autograd.graph.increment_version(weight)


def _fill(tensors: Iterable[tuple[str, torch.Tensor, Rule]], seed: Seed) -> None:
    random = []
    for name, tensor, rule in tensors:
        if rule.initializer.__name__ in _CONSTANTS:
            _CONSTANTS[rule.initializer.__name__](tensor, *rule.args, **rule.options)
        else:
            random.append((name, target_of(tensor), rule))
    fill_all(random, seed)


def _check(name: str, tensor: torch.Tensor, rule: Rule) -> None:
    """That the rule can fill the tensor, before anything changes."""
    dtype = str(tensor.dtype).removeprefix("torch.")
    if rule.initializer.__name__ in _CONSTANTS and dtype not in DTYPES:
        return
    try:
        fi.explain(rule.initializer, tuple(tensor.shape), *rule.args, dtype=dtype, **rule.options)
        if not tensor.is_meta:
            target_of(tensor)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise type(error)(f"tensor {name!r}, rule {rule}, {error}") from error


def _get(model: torch.nn.Module, name: str) -> torch.Tensor:
    path, _, leaf = name.rpartition(".")
    return getattr(model.get_submodule(path), leaf)


def _set(model: torch.nn.Module, name: str, tensor: torch.Tensor) -> None:
    path, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(path), leaf, tensor)
