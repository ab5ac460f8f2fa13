"""Weights that a module makes of a direction and a magnitude: both kinds of torch's weight_norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.weight_norm import WeightNorm

__all__ = ["Weight", "weights_of"]

_NORM: Any = getattr(parametrizations, "_WeightNorm", ())


class Weight(NamedTuple):
    """One of them: the module, the weight's attribute, the full names of magnitude and direction, the axis of magnitudes."""

    module: torch.nn.Module
    attribute: str
    parts: list[str]
    dim: int

    def values(self) -> torch.nn.Parameter:
        """One on the meta device of the weight's shape and dtype."""
        return torch.nn.Parameter(torch.empty_like(self._get(1), device="meta"), requires_grad=False)

    def set(self, values: torch.Tensor) -> None:
        """Set magnitude and direction so that this is the weight."""
        if isinstance(self.module, torch.nn.Embedding | torch.nn.EmbeddingBag) and self.module.padding_idx is not None:
            values[self.module.padding_idx] = 0
        with torch.no_grad():
            norm = torch.norm_except_dim(values, 2, self.dim)
            self._get(0).copy_(norm)
            self._get(1).copy_(torch.where(norm == 0, torch.ones_like(values), values))  # of a zero any direction
            if not parametrize.is_parametrized(self.module, self.attribute):
                setattr(self.module, self.attribute, values.to(self._get(1).device))

    def _get(self, part: int) -> torch.Tensor:
        path, _, leaf = self.parts[part].rpartition(".")
        owner: Any = self.module
        if parametrize.is_parametrized(self.module, self.attribute):
            owner = self.module.parametrizations[self.attribute]  # type: ignore[index]
        return getattr(owner, leaf)


def weights_of(model: torch.nn.Module, bare: Mapping[str, str], is_for_part: Callable[[str, str], bool]) -> dict[str, Weight]:
    """A model's, by the names that they have where `bare` gives those of the parameters; but for weights of which a part, the
    first name, is filled by itself, as is told of it and the weight's name.

    Raises
    ------
    NotImplementedError
        For a weight made in another way, and one whose parts are sharded or shared.
    """
    found = {}
    for path, module in model.named_modules():
        prefix = f"{path}." if path else ""
        for attribute, dim, names in _of_module(module):
            parts = [prefix + name for name in names]
            known = [part for part in parts if part in bare]
            if not known:
                continue
            name = bare[known[0]].removesuffix(known[0].removeprefix(prefix)) + attribute
            if any(is_for_part(bare[part], name) for part in known):
                continue
            if dim is None or known != parts:
                raise NotImplementedError(
                    f"tensor {name!r}: expected a weight by weight_norm, with parts of its own, got another parametrization or "
                    f"shared parts; a rule for {bare[known[0]]!r} fills that one")
            found[name] = weight = Weight(module, attribute, parts, dim)
            if (kind := type(weight.values().data)) is not torch.Tensor:
                raise NotImplementedError(f"tensor {name!r}: expected parts that are not sharded, got {kind.__name__}")
    return found


def _of_module(module: torch.nn.Module) -> Iterator[tuple[str, int | None, list[str]]]:
    """Of each such weight the attribute, the axis (None if it is made otherwise) and the names of the parts in the module."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            yield hook.name, hook.dim, [f"{hook.name}_g", f"{hook.name}_v"]
    if parametrize.is_parametrized(module):
        for attribute, chain in module.parametrizations.items():  # type: ignore[union-attr, operator]
            dim = chain[0].dim if len(chain) == 1 and isinstance(chain[0], _NORM) else None
            yield attribute, dim, [f"parametrizations.{attribute}.{name}" for name, _ in chain.named_parameters(recurse=False)]
