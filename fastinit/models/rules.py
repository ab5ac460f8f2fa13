"""Whole models: a rule for each initializer, and `fill`, which applies rules to tensors by name."""

from __future__ import annotations

import fnmatch
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from ..core import elementwise, memory, structured
from ..core.arguments import check_name, integer
from ..core.calls import Initializer, Known, is_plain, perform, prepare
from ..core.dtypes import DTYPES, DType, resolve
from ..core.public import public
from ..core.signatures import SHARED, check_arguments, own_parameters
from ..core.streams import Seed, seed_material


@public
@dataclass(frozen=True)
class Rule:
    """What `fill` does with the tensors that a pattern names: an initializer and its parameters.

    `Normal`, `XavierUniform` and their like make these, and check the parameters' names.

    Attributes
    ----------
    initializer : function
        One that allocates, such as `normal`.
    args : tuple
        Its parameters by position.
    options : mapping of str to object
        Its parameters by name.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.Normal(std=0.02)
    Normal(std=0.02)
    """

    initializer: Initializer
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        values = [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in self.options.items()]
        return f"{_camel(self.initializer.__name__)}({', '.join(values)})"


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


RuleMaker = Callable[..., Rule]


def rule(of: Initializer) -> RuleMaker:
    """The rule-maker of an initializer: its parameters, without a tensor."""

    def make(*args: Any, **options: Any) -> Rule:
        parameters = SHARED.keys() & options.keys()
        if parameters:
            raise TypeError(f"{make.__name__}: {', '.join(sorted(parameters))} belong to fill, not to a rule")
        check_arguments(make, args, options)
        return Rule(of, args, options)

    public(make)
    make.__name__ = make.__qualname__ = _camel(of.__name__)
    own, fans = own_parameters(of.definition)
    make.__signature__ = inspect.Signature([*own, *fans])  # type: ignore[attr-defined]
    required = [p for p in own if p.default is p.empty]
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


Rules = Mapping[str, Rule] | Iterable[tuple[str, Rule]]


def rule_pairs(rules: Rules) -> list[tuple[str, Rule]]:
    """Patterns and their rules, checked."""
    try:
        pairs = [(pattern, value) for pattern, value in (rules.items() if isinstance(rules, Mapping) else rules)]
    except (TypeError, ValueError):
        raise TypeError(f"rules: expected a mapping of patterns to rules, or pairs, got {rules!r}") from None
    for pattern, value in pairs:
        if not isinstance(pattern, str):
            raise TypeError(f"rules: expected patterns that are str, got {pattern!r}")
        if not isinstance(value, Rule):
            raise TypeError(f"rules[{pattern!r}]: expected a rule such as fastinit.Normal(std=0.02), got {value!r}")
    return pairs


@lru_cache(maxsize=1024)
def _matcher(pattern: str) -> Callable[[str], Any]:
    """`fnmatch.fnmatchcase` with this pattern."""
    return re.compile(fnmatch.translate(pattern)).match


def rule_for(name: str, pairs: Iterable[tuple[str, Rule]]) -> Rule:
    """The first rule whose pattern matches a tensor's name."""
    check_name(name)
    for pattern, value in pairs:
        if _matcher(pattern)(name):
            return value
    raise ValueError(f"rules: no pattern matches the tensor {name!r}")


@public
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
        Patterns as in `fnmatch` (case-sensitive); the first that matches a name decides.
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
        A tensor without a rule, or one that its rule cannot fill, is named; then nothing was written.

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
    plain = {id(rule): is_plain(rule.initializer, rule.args, rule.options) for _, rule in pairs}
    tasks, known = [], []
    for name, tensor in arrays.items():
        found = rule_for(name, pairs)
        try:
            if plain[id(found)] and (remembered := _known(found, tensor, asked, dtype)):
                known.append((name, remembered, tensor))
                continue
            spoken_of = asked is not DTYPES["bfloat16"] or memory.array_of(tensor).dtype == np.uint16
            tasks.append((name, prepare(found.initializer, tensor, found.args, found.options,
                                        dtype if spoken_of else None)))
        except (TypeError, ValueError, NotImplementedError) as error:
            raise type(error)(f"tensor {name!r}, rule {found}, {error}") from error
    targets = {name: task[1] for name, task in tasks} | {name: tensor for name, _, tensor in known}
    memory.check_disjoint([(name, targets[name]) for name in arrays])
    if num_threads is not None:
        integer(num_threads, "num_threads", 1)
    perform(tasks, seed_material(seed), num_threads, known=known)
    return arrays


def _known(rule: Rule, tensor: Any, asked: DType | None, dtype: Any) -> Known | None:
    """What is remembered for an array that is as plain as most of a model's are; None for all others."""
    if type(tensor) is not np.ndarray or not (flags := tensor.flags).c_contiguous or not flags.writeable:
        return None
    if asked is DTYPES["bfloat16"] and tensor.dtype != np.uint16:
        dtype = None
    return rule.initializer.remembered(tensor.dtype, dtype, tensor.shape, *rule.args, **rule.options)
