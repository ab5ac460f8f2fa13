"""Weights that a module makes of other tensors, by `torch.nn.utils.parametrize` or the weight_norm that was there before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import torch
from torch.nn.utils import parametrize
from torch.nn.utils.weight_norm import WeightNorm

__all__ = ["Weight", "weights_of"]


class Weight(NamedTuple):
    """One of them: the module's attribute, the full names of the parameters that it is made of, and what makes it."""

    module: torch.nn.Module
    attribute: str
    parts: list[str]
    norm: WeightNorm | None

    def values(self) -> torch.nn.Parameter:
        """One on the meta device of the weight's shape and dtype."""
        weight = getattr(self.module, f"{self.attribute}_v" if self.norm else self.attribute)
        return torch.nn.Parameter(torch.empty_like(weight, device="meta"), requires_grad=False)

    def set(self, values: torch.Tensor) -> None:
        """Set the parts so that this is the weight."""
        with torch.no_grad():
            if self.norm is not None:
                getattr(self.module, f"{self.attribute}_v").copy_(values)
                getattr(self.module, f"{self.attribute}_g").copy_(torch.norm_except_dim(values, 2, self.norm.dim))
            setattr(self.module, self.attribute, values)


def weights_of(model: torch.nn.Module, bare: Mapping[str, str], by_themselves: Collection[str]) -> dict[str, Weight]:
    """A model's, by the names that they have where `bare` gives those of the parameters; but for weights of which a part is
    filled by itself.

    Raises
    ------
    NotImplementedError
        For a weight that cannot be set: of a parametrization without ``right_inverse``, or sharded.
    """
    found = {}
    for path, module in model.named_modules():
        prefix = f"{path}." if path else ""
        for attribute, norm, names in _of_module(module):
            parts = [prefix + name for name in names if prefix + name in bare]
            if parts and not any(part in by_themselves for part in parts):
                first = bare[parts[0]]
                name = first.removesuffix(parts[0].removeprefix(prefix)) + attribute
                _check(name, module, attribute, norm, first)
                found[name] = Weight(module, attribute, parts, norm)
    return found


def _of_module(module: torch.nn.Module) -> Iterator[tuple[str, WeightNorm | None, list[str]]]:
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            yield hook.name, hook, [f"{hook.name}_g", f"{hook.name}_v"]
    if parametrize.is_parametrized(module):
        for attribute, chain in module.parametrizations.items():  # type: ignore[union-attr, operator]
            yield attribute, None, [f"parametrizations.{attribute}.{name}" for name, _ in chain.named_parameters(recurse=False)]


def _check(name: str, module: torch.nn.Module, attribute: str, norm: WeightNorm | None, first: str) -> None:
    kind = type(getattr(module, f"{attribute}_v" if norm else attribute).detach())
    if kind is not torch.Tensor:
        raise NotImplementedError(f"tensor {name!r}: expected a parametrized weight that is not sharded, got {kind.__name__}")
    chain = [] if norm else list(module.parametrizations[attribute])  # type: ignore[union-attr, index, arg-type]
    if missing := [type(step).__name__ for step in chain if not hasattr(step, "right_inverse")]:
        raise NotImplementedError(f"tensor {name!r}: {', '.join(missing)} has no right_inverse, so what gives a weight cannot "
                                  f"be known; a rule for {first!r} fills that itself")
