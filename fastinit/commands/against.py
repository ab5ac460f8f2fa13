"""What was meant for the tensors of a file, by a model's rules or by a framework's presets: for `audit --against`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..audit import Intent, Report
from ..audit.intent import WRONG_FANS
from ..formats.read import Unreadable, read
from ..models.architectures import ARCHITECTURES
from ..models.presets import PRESETS, Preset
from ..models.rules import Ones, Rule, Zeros, rule_for, rule_pairs
from .specs import Spec, load

__all__ = ["Meaning", "meaning", "words"]

FORGOTTEN = "it has that of {}, torch's default: a rule forgotten?"
DEFAULTS = [(PRESETS[name].weight, FORGOTTEN.format(name)) for name in ("torch_linear", "torch_embedding")]


def words() -> str:
    """What may be meant, beside files."""
    return ", ".join((*ARCHITECTURES, *_frameworks(), *PRESETS))


def _frameworks() -> list[str]:
    names = dict.fromkeys(name.partition("_")[0] for name in PRESETS)
    return [name for name in names if name not in (*ARCHITECTURES, *PRESETS)]


class Meaning:
    """Intents for the tensors of some files, and what of a model is missing there."""

    def intent(self, name: str, shape: tuple[int, ...]) -> Intent | None:
        raise NotImplementedError

    def missing(self, reports: Sequence[Report]) -> Iterator[Report]:
        return iter(())


class _OfSpec(Meaning):
    def __init__(self, spec: Spec) -> None:
        self.spec, self.pairs = spec, rule_pairs(spec.rules)

    def intent(self, name: str, shape: tuple[int, ...]) -> Intent | None:
        own = self._own(name)
        if own is None:
            return None
        rule = rule_for(own, self.pairs, self.spec.tensors[own][0])
        others = [(other, f"it has that of {pattern}, {other!r}") for pattern, other in self.spec.rules.items()
                  if isinstance(other, Rule) and other is not rule and not _is_constant(other)]
        return Intent([rule], [*_swapped(rule), *others, *DEFAULTS], self.spec.tensors[own][0])

    def missing(self, reports: Sequence[Report]) -> Iterator[Report]:
        found = {self._own(report.name) for report in reports}
        for name, (shape, dtype) in self.spec.tensors.items():
            if name not in found:
                report = Report(name, shape, dtype or self.spec.dtype or "")
                report.add("missing", "no tensor of this name is in the files")
                yield report

    def _own(self, name: str) -> str | None:
        """The tensor's name in the spec: in a file it may come after what it is part of, as in transformer.wte.weight."""
        while name not in self.spec.tensors:
            _, dot, name = name.partition(".")
            if not dot:
                return None
        return name


class _OfPresets(Meaning):
    def __init__(self, presets: dict[str, Preset], shapes: dict[str, tuple[int, ...]]) -> None:
        self.presets, self.shapes = presets, shapes

    def intent(self, name: str, shape: tuple[int, ...]) -> Intent | None:
        if len(shape) > 1:
            return Intent([preset.weight for preset in self.presets.values()], DEFAULTS)
        first, dot, last = name.rpartition(".")
        rules: list[Rule] = [Zeros()]
        if "bias" not in last:
            rules.append(Ones())  # of a norm
        elif weight := self.shapes.get(first + dot + last.replace("bias", "weight")):
            rules += [rule for preset in self.presets.values() if len(weight) > 1 and preset.bias
                      for pattern, rule in preset.rules("", weight).items() if pattern == "bias"]
        return Intent(rules)


def meaning(what: str, files: Sequence[Path], dtype: str | None = None) -> Meaning:
    """Of an architecture, a file as `specs.load` takes it, a preset, or all presets of a framework.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if what in ARCHITECTURES or Path(what).suffix in (".toml", ".json"):
        return _OfSpec(load(what))
    presets = {name: preset for name, preset in PRESETS.items() if what in (name, name.partition("_")[0])}
    if not presets:
        raise ValueError(f"--against: expected one of {words()}, or a file that ends in .toml or .json, got {what!r}")
    return _OfPresets(presets, dict(_shapes(files, dtype)))


def _shapes(files: Sequence[Path], dtype: str | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    for path in files:
        try:
            yield from ((tensor.name, tensor.shape) for tensor in read(path, dtype))
        except (OSError, Unreadable):  # which the audit will tell
            pass


def _is_constant(rule: Rule) -> bool:
    return rule.initializer.__name__ in ("constant", "zeros", "ones")


def _swapped(rule: Rule) -> list[tuple[Rule, str]]:
    """The rule with its fans exchanged, where it has any."""
    options = rule.options
    exchanged = [{"mode": "fan_in" if options.get("mode") == "fan_out" else "fan_out"},
                 {"layout": "OI" if options.get("layout") == "IO" else "IO"}]
    found = []
    for change in exchanged:
        try:
            other = Rule(rule.initializer, rule.args, {**options, **change})
        except TypeError:  # has no fans, or its mode by position
            continue
        found.append((other, f"it has that of {other!r}: {WRONG_FANS}"))
    return found
