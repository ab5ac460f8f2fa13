"""`materialize`: memory and values for a model that was made on the meta device."""

from __future__ import annotations

from typing import Any, TypeVar

import torch

import fastinit as fi

from ..core.dtypes import DTYPES
from ..models.rules import Rule, Rules, rule_for, rule_pairs
from ..core.streams import Seed, pin
from .tensors import fill, target_of

Model = TypeVar("Model", bound=torch.nn.Module)
# Also for the integers among buffers.
_CONSTANTS: dict[str, Any] = {"zeros": torch.nn.init.zeros_, "ones": torch.nn.init.ones_, "constant": torch.nn.init.constant_}


def materialize(model: Model, rules: Rules, *, seed: Seed) -> Model:
    """Give a model memory on the CPU where it has none, and values keyed by each parameter's name.

    Parameters
    ----------
    model : torch.nn.Module
        Made under ``torch.device("meta")``, say; after `fully_shard`, the local parts are filled with the whole's values.
    rules : mapping of str to Rule, or sequence of such pairs
        Patterns as in `fnmatch`; the first that matches a name decides. Every parameter needs a rule, and every buffer on
        the meta device: its values cannot be known. Other buffers keep their values, with or without a rule.
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None
        As for `fastinit.fill`, which gives arrays of the same names the same values. The same on all ranks.

    Returns
    -------
    torch.nn.Module
        `model`. Parameters and buffers that were one tensor under several names are so still, keyed by the first.

    Raises
    ------
    TypeError, ValueError
        A tensor without a rule, or one that its rule cannot fill, is named; then the model is as it was.

    Examples
    --------
    >>> import torch, fastinit as fi, fastinit.torch
    >>> with torch.device("meta"):
    ...     model = torch.nn.Linear(300, 20)
    >>> _ = fastinit.torch.materialize(model, {"bias": fi.Zeros(), "*": fi.KaimingUniform()}, seed=0)
    >>> bool((model.weight.detach().numpy() == fi.kaiming_uniform((20, 300), seed=0, name="weight")).all())
    True
    """
    pairs = rule_pairs(rules)
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    shared: dict[int, list[str]] = {}  # the names of each tensor
    for name, tensor in named:
        shared.setdefault(id(tensor), []).append(name)
    kept = {name: tensor for name, tensor in named if not tensor.is_meta and not isinstance(tensor, torch.nn.Parameter)}
    found = {name: rule_for(name, pairs) for name, *_ in shared.values() if name not in kept}
    for name, tensor in named:
        if name in found:
            _check(name, tensor, found[name])
    seed = pin(seed)
    if any(tensor.is_meta for _, tensor in named):
        model.to_empty(device="cpu")  # of every module at once, as FSDP expects
        for name, tensor in kept.items():
            _set(model, name, tensor)
        for first, *others in shared.values():
            for name in others:
                _set(model, name, _get(model, first))
    for name, rule in found.items():
        _fill(name, _get(model, name), rule, seed)
    return model


def _fill(name: str, tensor: torch.Tensor, rule: Rule, seed: Seed) -> None:
    if rule.initializer.__name__ in _CONSTANTS:
        _CONSTANTS[rule.initializer.__name__](tensor, *rule.args, **rule.options)
    else:
        fill(target_of(tensor), rule.initializer, rule.args, rule.options, seed, name)


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
