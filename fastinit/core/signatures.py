"""What users see of functions that are made of definitions: names, signatures, docstrings.

``tests/stubs.py`` writes the same signatures and docstrings into the ``.pyi`` files, for editors and type checkers.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from .fans import calculate_fans
from .public import public

__all__ = ["SHARED", "describe", "own_parameters", "own_signature", "sections"]

Parameter = inspect.Parameter


def _keywords(**annotated: tuple[str, Any]) -> dict[str, Parameter]:
    return {name: Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in annotated.items()}


# What every initializer takes beside its own parameters. Made once: for each of forty functions anew they would be a good part
# of the import's time.
SHARED = _keywords(
    seed=("Seed", None), name=("str", ""), num_threads=("int | None", None), dtype=("DTypeLike | None", None),
    global_shape=("int | Sequence[int] | None", None), offset=("int | Sequence[int] | None", None),
    index=("Sequence[slice | int] | None", None))
_SHARED_BY = {"tensor": SHARED, "shape": SHARED | _keywords(dtype=("DTypeLike", "float32"))}
_FIRST = {"tensor": Parameter("tensor", Parameter.POSITIONAL_OR_KEYWORD, annotation="_Buffer"),
          "shape": Parameter("shape", Parameter.POSITIONAL_OR_KEYWORD, annotation="int | Sequence[int]")}
_FAN_KEYWORDS = [p for p in inspect.signature(calculate_fans).parameters.values() if p.kind is p.KEYWORD_ONLY]


@cache
def own_parameters(definition: Callable[..., Any]) -> tuple[list[Parameter], list[Parameter]]:
    """A definition's parameters, after shape and dtype; and those of the fans, if it is scaled by them."""
    parameters = list(inspect.signature(definition).parameters.values())[2:]
    scaled = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
    return [p for p in parameters if p.kind is not Parameter.VAR_KEYWORD], _FAN_KEYWORDS if scaled else []


def describe(function: Any, definition: Callable[..., Any], name: str, first: str) -> None:
    """Name, signature and docstring of a function that takes `first`, a tensor or a shape, and does what a definition says."""
    public(function)
    function.__name__ = function.__qualname__ = name
    own, fans = own_parameters(definition)
    function.__signature__ = inspect.Signature([_FIRST[first], *own, *_SHARED_BY[first].values(), *fans])
    doc = dict(sections(definition.__doc__ or ""))
    parameters = [_FIRST_DOC[first], doc.pop("Parameters", ""), _SHARED_DOC, _DTYPE_DOC[first], _FAN_DOC if fans else ""]
    told = {"": doc.pop(""), "Parameters": "\n".join(filter(None, parameters)), **_RESULT_DOC[first], **doc}
    function.__doc__ = "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" if title else text for title, text in told.items())


@cache
def sections(doc: str) -> dict[str, str]:
    """The sections of a numpydoc docstring by title; what stands before the first has none.

    Examples
    --------
    >>> sections('''Ones.
    ...
    ... Returns
    ... -------
    ... ndarray
    ... ''')
    {'': 'Ones.', 'Returns': 'ndarray'}
    """
    before, *rest = re.split(r"^(\w+)\n-+\n", inspect.cleandoc(doc), flags=re.MULTILINE)
    return {"": before.strip()} | {title: text.strip("\n") for title, text in zip(rest[::2], rest[1::2])}


def own_signature(definition: Callable[..., Any]) -> inspect.Signature:
    """Of a definition's own parameters: what is asked of it apart from a tensor and a stream."""
    own, fans = own_parameters(definition)
    return inspect.Signature([*own, *fans])


_FIRST_DOC = {
    "tensor": """\
tensor : ndarray or writable buffer
    Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
    with ``dtype="bfloat16"``).""",
    "shape": """\
shape : int or sequence of int
    Shape of the new array.""",
}
_SHARED_DOC = """\
seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None, keyword-only
    Same seed, name and parameters: same values. An `Rng` gives fresh values at each call; None is the default `Rng`.
name : str, keyword-only
    Which stream of the seed: tensors of different names are unrelated.
num_threads : int >= 1 or None, keyword-only
    Most threads to use; the values do not depend on it. None: ``FASTINIT_NUM_THREADS``, ``OMP_NUM_THREADS``, or the CPUs that
    this process may use, which are never exceeded.
global_shape, offset : sequence of int or None, keyword-only
    The tensor is the block at `offset` of a tensor of `global_shape`, and gets that block's values; fans are the whole's.
index : tuple of slice or int, or None, keyword-only
    Instead of `offset`: the tensor is ``whole[index]``, with an entry for each axis and steps of 1. See `fastinit.slices`."""
_DTYPE_DOC = {
    "tensor": """\
dtype : str or None, keyword-only
    "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.""",
    "shape": """\
dtype : str or dtype, keyword-only
    float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).""",
}
_FAN_DOC = """\
layout : str, keyword-only
    Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
    is ``(O, *k, I)``.
groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
    See `calculate_fans`."""
_RESULT_DOC = {
    "tensor": {"Returns": "tensor\n    The argument.", "Raises": """\
TypeError, ValueError
    Naming the argument, what was expected and what came; then nothing was written."""},
    "shape": {"Returns": "ndarray\n    A new C-contiguous array.", "Raises": """\
TypeError, ValueError
    Naming the argument, what was expected and what came."""},
}
