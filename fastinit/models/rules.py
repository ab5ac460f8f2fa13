"""Whole models: a rule for each initializer, and `fill`, which applies rules to tensors by name."""

from __future__ import annotations

import fnmatch
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..core import elementwise, memory, structured
from ..core.arguments import check_name, is_sequence, shown, threads
from ..core.calls import INITIALIZERS, Initializer, Known, is_plain, perform, prepare, remembered
from ..core.dtypes import DTYPES, DType, resolve
from ..core.plan import KEPT
from ..core.public import check_arguments, lists_parameters, public
from ..core.signatures import SHARED, own_parameters, own_signature
from ..core.streams import Seed, seed_material

__all__ = [
    "AnyRule", "Bilinear", "Constant", "DeltaOrthogonal", "Dirac", "Eye", "KaimingNormal", "KaimingUniform", "LecunNormal",
    "LecunUniform", "Normal", "Ones", "Orthogonal", "Rule", "RuleMaker", "Rules", "Sparse", "TruncNormal", "Uniform",
    "VarianceScaling", "XavierNormal", "XavierUniform", "Zeros", "camel", "captures_of", "fill", "rule", "rule_for",
    "rule_pairs",
]


@public
@dataclass(frozen=True)
class Rule:
    """What `fill` does with the tensors that a pattern names: an initializer and its parameters.

    `Normal`, `XavierUniform` and their like make these.

    Attributes
    ----------
    initializer : function
        One of the package that allocates, such as `normal`: those alone can fill any part of a tensor by itself.
    args : tuple
        Its parameters by position.
    options : mapping of str to object
        Its parameters by name.

    Raises
    ------
    TypeError
        For another initializer, and for parameters that it does not have. Their values are judged by `fill`, which knows the
        tensor.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Normal(std=0.02)
    Normal(std=0.02)
    """

    initializer: Initializer
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        of, args, options = self.initializer, self.args, self.options
        if not any(of is known for known in INITIALIZERS.values()):
            raise TypeError(f"initializer: expected one that allocates, such as fastinit.normal, got {shown(of)}")
        if not is_sequence(args):
            raise TypeError(f"args: expected a sequence of parameters, got {shown(args)}")
        if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
            raise TypeError(f"options: expected a mapping of names to parameters, got {shown(options)}")
        name = camel(of.__name__)
        if shared := SHARED.keys() & options.keys():
            raise TypeError(f"{name}: {', '.join(sorted(shared))} belong to fill, not to a rule")
        check_arguments(name, own_signature(of.definition), args, options)
        object.__setattr__(self, "args", tuple(args))
        object.__setattr__(self, "options", dict(options))

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether a plan can be remembered by the parameters."""
        return is_plain(self.initializer, self.args, self.options)

    def __repr__(self) -> str:
        values = [shown(value) for value in self.args] + [f"{key}={shown(value)}" for key, value in self.options.items()]
        return f"{camel(self.initializer.__name__)}({', '.join(values)})"


def camel(name: str) -> str:
    """An initializer's name as its rule-maker's."""
    return name.title().replace("_", "")


RuleMaker = Callable[..., Rule]


def rule(of: Initializer) -> RuleMaker:
    """The rule-maker of an initializer: its parameters, without a tensor."""

    def make(*args: Any, **options: Any) -> Rule:
        return Rule(of, args, options)

    public(make)
    make.__name__ = make.__qualname__ = camel(of.__name__)
    make.__signature__ = own_signature(of.definition)  # type: ignore[attr-defined]
    required = [p for p in own_parameters(of.definition)[0] if p.default is p.empty]
    example = f"{make.__name__}({', '.join(['0.5'] * len(required))})"
    make.__doc__ = _DOC.format(name=of.__name__, example=example)
    return make


_DOC = """Rule for `fill`: what `{name}` writes, without the tensor.

Parameters
----------
*args, **options
    As for `{name}`, where ranges, formula and source are; ``seed``, ``name``, ``num_threads``, ``dtype``, ``global_shape``,
    ``offset`` and ``index`` are none of a rule's.

Returns
-------
Rule

Raises
------
TypeError
    For parameters that `{name}` does not have. Their values are judged by `fill`, which knows the tensor.

Examples
--------
>>> import fastinit as fi
>>> fi.{example}
{example}
"""


Constant: RuleMaker = rule(elementwise.constant)
Zeros: RuleMaker = rule(elementwise.zeros)
Ones: RuleMaker = rule(elementwise.ones)
Uniform: RuleMaker = rule(elementwise.uniform)
Normal: RuleMaker = rule(elementwise.normal)
TruncNormal: RuleMaker = rule(elementwise.trunc_normal)
VarianceScaling: RuleMaker = rule(elementwise.variance_scaling)
XavierUniform: RuleMaker = rule(elementwise.xavier_uniform)
XavierNormal: RuleMaker = rule(elementwise.xavier_normal)
KaimingUniform: RuleMaker = rule(elementwise.kaiming_uniform)
KaimingNormal: RuleMaker = rule(elementwise.kaiming_normal)
LecunUniform: RuleMaker = rule(elementwise.lecun_uniform)
LecunNormal: RuleMaker = rule(elementwise.lecun_normal)
Orthogonal: RuleMaker = rule(structured.orthogonal)
Eye: RuleMaker = rule(structured.eye)
Dirac: RuleMaker = rule(structured.dirac)
DeltaOrthogonal: RuleMaker = rule(structured.delta_orthogonal)
Sparse: RuleMaker = rule(structured.sparse)
Bilinear: RuleMaker = rule(structured.bilinear)


# A rule, or a function that makes it of what its pattern captures and of the tensor's shape.
AnyRule = Rule | Callable[..., Rule]
Rules = Mapping[str, AnyRule] | Iterable[tuple[str, AnyRule]]


Matching = Callable[[str], Any]


class _Made:
    """A rule that is made for each name: a function of what the pattern captured and of ``shape``, as its parameters say."""

    def __init__(self, pattern: str, function: Callable[..., Any]) -> None:
        self.where, self.function = f"rules[{shown(pattern)}]", function
        known = [*captures_of(pattern), "shape"]
        expected = f"{self.where}: expected a rule, or a function of {', '.join(known)}, got"
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            raise TypeError(f"{expected} {shown(function)}") from None
        self.names = [p.name for p in parameters if p.default is p.empty or p.name in known]
        by_name = all(p.kind not in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) for p in parameters)
        if not self.names or not {*self.names} <= {*known} or not by_name:
            raise TypeError(f"{expected} {shown(function)}, one of {', '.join(self.names) or 'none'}")
        self.made: dict[tuple[Any, ...], Rule] = {}

    def rule(self, name: str, found: Any, shape: tuple[int, ...]) -> Rule:
        key = tuple([shape if own == "shape" else found[own] for own in self.names])
        made = self.made.get(key)
        if made is None:
            made = self.made[key] = self._make(name, key)
        return made

    def _make(self, name: str, key: tuple[Any, ...]) -> Rule:
        values = [int(value) if isinstance(value, str) and value.isdecimal() else value for value in key]
        try:
            made = self.function(**dict(zip(self.names, values)))
        except Exception as error:
            raise ValueError(f"{self.where}, tensor {shown(name)}: {type(error).__name__}: {error}") from error
        if not isinstance(made, Rule):
            raise TypeError(f"{self.where}, tensor {shown(name)}: expected a rule such as fastinit.Normal(std=0.02), got "
                            f"{shown(made)}")
        return made


Pairs = list[tuple[Matching, Rule | _Made]]


def rule_pairs(rules: Rules) -> Pairs:
    """What tells whether a name matches, and the rules, checked."""
    try:
        pairs = [(pattern, value) for pattern, value in (rules.items() if isinstance(rules, Mapping) else rules)]
    except Exception as error:
        raise TypeError(f"rules: expected a mapping of patterns to rules, or pairs, got {shown(rules)}") from error
    for pattern, value in pairs:
        if not isinstance(pattern, str):
            raise TypeError(f"rules: expected patterns that are str, got {shown(pattern)}")
        if not isinstance(value, Rule) and (isinstance(value, type) or not callable(value)):
            raise TypeError(f"rules[{shown(pattern)}]: expected a rule such as fastinit.Normal(std=0.02), got {shown(value)}")
    return [(_matching(pattern), value if isinstance(value, Rule) else _Made(pattern, value)) for pattern, value in pairs]


def captures_of(pattern: str) -> list[str]:
    """What a pattern gives names to."""
    return _CAPTURE.findall(pattern)


_CAPTURE = re.compile(r"\{([^\W\d]\w*)\}")


def _matching(pattern: str) -> Matching:
    """`fnmatch.fnmatchcase` with this pattern, in which ``{layer}`` stands for a name's part between dots. One without
    wildcards is a name, and there may be as many as tensors."""
    return _compiled(pattern) if set(pattern) & set("*?[{") else pattern.__eq__


@lru_cache(maxsize=KEPT)
def _compiled(pattern: str) -> Matching:
    captures = captures_of(pattern)
    if len({*captures}) < len(captures) or "shape" in captures:
        raise ValueError(f"rules[{shown(pattern)}]: expected captures of different names, none of them shape, got {captures}")
    texts = _CAPTURE.split(pattern)[::2]
    if len(texts) == 1:
        return re.compile(fnmatch.translate(pattern)).match
    parts = [re.match(r"\(\?s:(.*)\)\\[Zz]$", fnmatch.translate(text), re.DOTALL)[1] for text in texts]  # type: ignore[index]
    named = [rf"(?P<{capture}>[^.]+)" for capture in captures]
    return re.compile("(?s:" + "".join(a + b for a, b in zip(parts, [*named, ""])) + r")\Z").match


def rule_for(name: str, pairs: Iterable[tuple[Matching, Any]], shape: tuple[int, ...]) -> Rule:
    """The first rule whose pattern matches a tensor's name, made for it and its shape."""
    check_name(name)
    for matches, value in pairs:
        if found := matches(name):
            return value if type(value) is Rule else value.rule(name, found, shape)
    raise ValueError(f"rules: no pattern matches the tensor {shown(name)}")


@public
@lists_parameters
def fill(arrays: Mapping[str, Any], rules: Rules, *, seed: Seed = None,
         num_threads: int | None = None, dtype: Any = None) -> Mapping[str, Any]:
    """Fill a whole model, each tensor keyed by its name.

    Order, additions and removals of tensors change nothing in the others: ``fill({name: w}, ...)`` writes what the rule's
    initializer writes with the same ``seed`` and ``name``. Work is shared out over all tensors.

    Parameters
    ----------
    arrays : mapping of str to ndarray or writable buffer
        The tensors by name.
    rules : mapping of str to Rule, or sequence of such pairs
        Patterns as in `fnmatch` (case-sensitive); the first that matches a name decides. ``{layer}``, or another identifier in
        braces, stands for what is between two dots. A rule may be a function that makes it, of what is so captured (an int
        where it is a number) and of ``shape``: ``"h.{layer}.*": lambda layer: fi.Normal(std=0.02 / (layer + 1) ** 0.5)``.
    seed, num_threads
        As for every initializer.
    dtype : str or None
        "bfloat16" if uint16 arrays hold that (others may be what they are); another name is checked against every array.

    Returns
    -------
    mapping
        `arrays`.

    Raises
    ------
    TypeError, ValueError
        A tensor without a rule, or one that its rule cannot fill or be made for, is named; then nothing was written.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> model = {"fc.weight": np.empty((4, 8), "f4"), "fc.bias": np.empty(4, "f4")}
    >>> _ = fi.fill(model, {"*.bias": fi.Zeros(), "*": fi.XavierUniform()}, seed=0)
    >>> bool((model["fc.weight"] == fi.xavier_uniform((4, 8), seed=0, name="fc.weight")).all())
    True
    """
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays: expected a mapping of names to tensors, got {type(arrays).__name__}")
    pairs = rule_pairs(rules)
    asked = None if dtype is None else resolve(dtype)
    tasks, known = [], []
    for name, tensor in arrays.items():
        found = rule_for(name, pairs, tensor.shape if type(tensor) is np.ndarray else _shape_of(tensor))
        try:
            own = _of_tensor(dtype, asked, tensor)
            if found.is_plain and (plan := _known(found, tensor, own)):
                known.append((name, plan, tensor))
            else:
                tasks.append((name, prepare(found.initializer, tensor, found.args, found.options, own)))
        except (TypeError, ValueError, NotImplementedError) as error:
            raise type(error)(f"tensor {shown(name)}, rule {found}, {error}") from error
    targets = {name: task[1] for name, task in tasks} | {name: tensor for name, _, tensor in known}
    memory.check_disjoint([(name, targets[name]) for name in arrays])
    num_threads = threads(num_threads)
    perform(tasks, seed_material(seed), num_threads, known=known)
    return arrays


def _shape_of(tensor: Any) -> tuple[int, ...]:
    try:
        return memory.array_of(tensor).shape
    except TypeError:  # which is told later, with the rule
        return ()


def _of_tensor(dtype: Any, asked: DType | None, tensor: Any) -> Any:
    """The dtype asked for, where it speaks of this tensor: bfloat16 is what uint16 memory may hold, and others are what they
    are."""
    return None if asked is DTYPES["bfloat16"] and memory.array_of(tensor).dtype != np.uint16 else dtype


def _known(rule: Rule, tensor: Any, dtype: Any) -> Known | None:
    """What is remembered for an array that is as plain as most of a model's are; None for all others."""
    if type(tensor) is not np.ndarray or not (flags := tensor.flags).c_contiguous or not flags.writeable:
        return None
    return remembered(rule.initializer, tensor.dtype, dtype, tensor.shape, *rule.args, **rule.options)  # type: ignore[arg-type]
