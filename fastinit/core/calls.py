"""How one definition becomes two public functions.

A definition is written once, as ``definition(shape, dtype, *parameters, **options) -> Recipe``; `initializer` makes of it
the function that allocates and, as its ``in_place``, the one that fills what it is given. Both share validation, order of
steps, signature and docstring.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from . import _kernels
from . import memory as _memory
from .dtypes import DType, resolve
from .fans import calculate_fans
from .plan import Plan
from .arguments import check_name, integer, integers
from .blocks import block_of
from .streams import Rng, Seed, call_key, seed_material, stream_key

__all__ = ["Canvas", "INITIALIZERS", "Initializer", "Recipe", "initializer", "words"]


class Canvas(NamedTuple):
    """What a recipe that is not elementwise writes on: checked memory, and draws from the call's stream."""

    memory: np.ndarray
    dtype: DType
    material: bytes
    name: str
    num_threads: int | None

    def run(self, plan: Plan) -> None:
        """Fill the whole memory by a plan of the canvas's dtype."""
        self._run(plan, self.memory)

    def draw(self, plan: Plan, shape: tuple[int, ...]) -> np.ndarray:
        """A new array by a plan."""
        values = np.empty(shape, plan.dtype.storage)
        self._run(plan, values)
        return values

    def words(self, purpose: str, first: int, n: int) -> np.ndarray:
        """Words of a stream of their own."""
        out = np.empty(n, np.uint32)
        _kernels.words(stream_key(self.material, self.name, purpose), _memory.isa, first, out)
        return out

    def write(self, index: Any, values: Any) -> None:
        """memory[index] = values, rounded to the dtype."""
        self.memory[index] = self.dtype.encode(values)

    def _run(self, plan: Plan, memory: np.ndarray) -> None:
        job = _memory.Job(plan, stream_key(self.material, self.name), memory, memory.shape, (0,) * memory.ndim)
        _memory.execute_one(job, self.num_threads)


class Recipe(NamedTuple):
    """A definition applied to a shape and a dtype: a plan for every element, or a way to write the whole."""

    plan: Plan | None
    facts: Mapping[str, Any] = {}
    write: Callable[[Canvas], None] | None = None


Definition = Callable[..., Recipe]


class Initializer(Protocol):
    """An allocating initializer; ``in_place`` is its form that fills a given tensor."""

    definition: Definition
    in_place: Callable[..., Any]
    __name__: str

    def __call__(self, shape: Any, *args: Any, **options: Any) -> np.ndarray: ...


INITIALIZERS: dict[str, Initializer] = {}
# Types of numbers and names that cannot change and, of one type, are the same if they are equal (but for the sign of 0).
_PLAIN = frozenset({int, float, str, bool, type(None), np.float32, np.float64})
# What every initializer takes beside its definition's parameters, keyword-only.
SHARED: dict[str, Any] = {"seed": None, "name": "", "num_threads": None, "dtype": None, "global_shape": None, "offset": None,
                          "index": None}


# A validated call that has not yet drawn a key or written a byte: recipe, memory, dtype, global shape, offset.
_Task = tuple[Recipe, np.ndarray, DType, tuple[int, ...], tuple[int, ...]]


def prepare(definition: Definition, tensor: Any, args: tuple, options: Mapping[str, Any], dtype: Any = None,
            global_shape: Sequence[int] | None = None, offset: Sequence[int] | None = None,
            index: Sequence[slice | int] | None = None) -> _Task:
    memory, entry = _memory.target_of(tensor, dtype)
    whole, at, block = block_of(memory.shape, global_shape, offset, index)
    if index is not None:
        memory = memory.reshape(block)  # adds axes of size 1, so a view
    with _kernels.default_environment():
        recipe = definition(whole, entry, *args, **options)
    if recipe.write is not None and whole != memory.shape:
        raise ValueError(f"global_shape: expected the tensor's own shape {memory.shape}, got {whole}: "
                         f"{definition.__name__} is not elementwise, so a block of it cannot be made alone")
    _memory.check_words(entry, whole, "tensor" if global_shape is None else "global_shape",
                      recipe.plan.units if recipe.plan else 1)
    return recipe, memory, entry, whole, at


def perform(tasks: Iterable[tuple[str, _Task]], material: bytes, num_threads: int | None, fresh: bool = False) -> None:
    jobs, canvases = [], []
    for name, ((plan, _, write), memory, dtype, whole, at) in tasks:
        if write is not None and memory.size:
            canvases.append((write, Canvas(memory, dtype, material, name, num_threads)))
        elif plan is not None and memory.size:
            jobs.append(_memory.Job(plan, stream_key(material, name), memory, whole, at, fresh))
    for write, canvas in canvases:  # first, as LAPACK may want more memory than there is
        with _kernels.default_environment():
            write(canvas)
    if len(jobs) == 1:
        _memory.execute_one(jobs[0], num_threads)
    else:
        _memory.execute(jobs, num_threads)


def empty(shape: Any, dtype: Any) -> np.ndarray:
    """New memory of the dtype; bfloat16 asked for by name is uint16, by ml_dtypes' type an array of that."""
    entry, sizes = resolve(dtype), integers(shape, "shape")
    _memory.check_words(entry, sizes, "shape")
    return np.empty(sizes, entry.storage if isinstance(dtype, str) else np.dtype(dtype))


def initializer(definition: Definition) -> Initializer:
    """The allocating function of a definition; its ``in_place`` attribute is the other one."""

    signed = definition.__name__ == "constant"  # -0.0 is not 0.0, though equal

    @functools.lru_cache(maxsize=1024, typed=True)  # typed, as True is not taken for 1
    def plan_of(memory: np.dtype, dtype: Any, shape: tuple[int, ...], *args: Any, **options: Any) -> Any:
        with _kernels.default_environment():
            plan = definition(shape, entry := resolve(dtype, memory), *args, **options).plan
        if plan is None:
            return None
        _memory.check_words(entry, shape, "tensor", plan.units)
        return plan.kernel, _memory.ns_per_byte(plan)

    def in_place(tensor, *args, seed=None, name="", num_threads=None, dtype=None, global_shape=None, offset=None,
                 index=None, **options):
        # A short way for what is most common: small, its time is all in the call. What it does not know, the long one does or
        # refuses.
        if type(tensor) is np.ndarray and type(name) is str and name.isascii() and (
                global_shape is offset is index is None) and (
                num_threads is None or type(num_threads) is int and num_threads > 0) and (
                not args or _PLAIN.issuperset(map(type, args))) and (
                not options or _PLAIN.issuperset(map(type, options.values()))) and (
                not signed or 0.0 not in (*args, *options.values())):
            try:
                costed = plan_of(tensor.dtype, dtype, tensor.shape, *args, **options)
            except (TypeError, ValueError):
                costed = None
            done = costed and _kernels.fill_small(costed, _memory.isa, tensor, _memory.SMALL_NS, call_key, seed, name)
            if done is False:  # not small, but as plain
                _memory.execute_run(*costed, call_key(seed, name), 0, tensor, num_threads)
            if done is not None:
                return tensor
        return _call(definition, in_place, tensor, args, options, seed, name, num_threads, dtype, global_shape, offset, index)

    def allocating(shape, *args, dtype="float32", seed=None, name="", num_threads=None, global_shape=None, offset=None,
                   index=None, **options):
        by_name = dtype if isinstance(dtype, str) else None
        return _call(definition, in_place, empty(shape, dtype), args, options, seed, name, num_threads, by_name, global_shape,
                     offset, index, fresh=True)

    _dress(in_place, definition, definition.__name__ + "_", "tensor")
    _dress(allocating, definition, definition.__name__, "shape")
    made = cast(Initializer, allocating)
    made.definition, made.in_place = definition, in_place
    INITIALIZERS[definition.__name__] = made
    for function in (made, in_place):
        setattr(Rng, function.__name__, _as_method(function))
    return made


_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


def _as_method(function: Any) -> Any:
    @functools.wraps(function)
    def method(self: Rng, *args: Any, **options: Any) -> Any:
        if "seed" in options:
            raise TypeError(f"seed: expected none, as Rng.{function.__name__} draws from the Rng, got {options['seed']!r}")
        return function(*args, seed=self, **options)

    own = [p for p in function.__signature__.parameters.values() if p.name != "seed"]
    method.__signature__ = inspect.Signature([_SELF, *own])  # type: ignore[attr-defined]
    return method


def _call(definition: Definition, in_place: Any, tensor: Any, args: tuple, options: Mapping[str, Any], seed: Seed, name: Any,
          num_threads: Any, dtype: Any, global_shape: Any, offset: Any, index: Any, fresh: bool = False) -> Any:
    check_name(name)
    try:
        task = prepare(definition, tensor, args, options, dtype, global_shape, offset, index)
    except TypeError:
        try:
            in_place.__signature__.bind(tensor, *args, **options)
        except TypeError as error:
            raise TypeError(f"{in_place.__name__} {error}") from None
        raise
    if num_threads is not None:
        integer(num_threads, "num_threads", 1)
    perform([(name, task)], seed_material(seed), num_threads, fresh)
    return tensor


def _keywords(**defaults: Any) -> list[inspect.Parameter]:
    return [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()]


# Made once: with a signature of its own for each of forty functions, they are a good part of the import's time.
_KEYWORDS = {"tensor": _keywords(**SHARED), "shape": _keywords(**SHARED | {"dtype": "float32"})}
_FAN_KEYWORDS = [p for p in inspect.signature(calculate_fans).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _dress(function: Any, definition: Definition, name: str, first: str) -> None:
    """Name, signature and docstring: the definition's, with what all initializers share."""
    functools.update_wrapper(function, definition, assigned=("__module__",), updated=())
    function.__name__ = function.__qualname__ = name
    kind = inspect.Parameter
    own = list(inspect.signature(definition).parameters.values())[2:]
    scaled = any(p.kind is kind.VAR_KEYWORD for p in own)
    own = [p for p in own if p.kind is not kind.VAR_KEYWORD]
    function.__signature__ = inspect.Signature(
        [kind(first, kind.POSITIONAL_OR_KEYWORD), *(p.replace(annotation=kind.empty) for p in own),
         *_KEYWORDS[first], *(_FAN_KEYWORDS if scaled else [])])
    doc = inspect.getdoc(definition) or ""
    head, _, rest = doc.partition("Parameters\n----------\n")
    parameters, separator, tail = rest.partition("\nNotes\n-----\n")
    parts = [_FIRST[first], parameters.strip("\n"), _SHARED, _DTYPE[first], _FAN if scaled else ""]
    function.__doc__ = (head + "Parameters\n----------\n" + "\n".join(part for part in parts if part) + _RETURNS[first]
                        + separator + tail)


_FIRST = {
    "tensor": """\
tensor : ndarray or writable buffer
    Memory to fill, of any shape and strides: float32, float64, float16, or bfloat16 (an `ml_dtypes` array, or uint16 memory
    with ``dtype="bfloat16"``).""",
    "shape": """\
shape : int or sequence of int
    Shape of the new array.""",
}
_SHARED = """\
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
_DTYPE = {
    "tensor": """\
dtype : str or None, keyword-only
    "bfloat16" if uint16 memory holds that; otherwise what the memory is, checked.""",
    "shape": """\
dtype : str or dtype, keyword-only
    float32, float64, float16 or bfloat16 (by name: uint16 memory; by `ml_dtypes` type: an array of that).""",
}
_FAN = """\
layout : str, keyword-only
    Which axes are output (O) and input (I) channels: ``"OI"`` is torch's ``(O, I, *k)``, ``"IO"`` is ``(*k, I, O)``, ``"O*I"``
    is ``(O, *k, I)``.
groups, transposed, fused, in_axis, out_axis, batch_axis, fan_in, fan_out : keyword-only
    See `calculate_fans`."""
_RETURNS = {
    "tensor": """

Returns
-------
tensor
    The argument.

Raises
------
TypeError, ValueError
    Naming the argument, what was expected and what came; then nothing was written.
""",
    "shape": """

Returns
-------
ndarray
    A new C-contiguous array.

Raises
------
TypeError, ValueError
    Naming the argument, what was expected and what came.
""",
}


def words(n: int, *, seed: Seed = None, name: str = "", offset: int = 0) -> np.ndarray:
    """The raw 32-bit words of a stream, which all random values are made from.

    Parameters
    ----------
    n : int >= 0
        How many.
    seed, name
        As for every initializer.
    offset : int >= 0
        Index of the first; ``offset + n`` is at most 2^48.

    Returns
    -------
    ndarray of uint32, shape (n,)
        Uniform on [0, 2^32).

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    PCG with DXSM output, 64-bit state, 32-bit words (O'Neill 2014; `setseq_dxsm_64_32` of pcg-cpp): state s gives, from
    ``h = s >> 32`` and ``l = s % 2**32 | 1``, the word ``h ^= h >> 16; h *= 0x4c957f2d; h ^= h >> 24; h *= l``, mod 2^32;
    the next state is 6364136223846793005 s + c modulo 2^64. The first state and the odd c are hashed from seed and name.

    Examples
    --------
    >>> import fastinit as fi
    >>> bool((fi.words(10, seed=1)[4:] == fi.words(6, seed=1, offset=4)).all())
    True
    """
    check_name(name)
    n, offset = integer(n, "n"), integer(offset, "offset")
    if offset + n > _memory.MAX_WORDS:
        raise ValueError(f"n, offset: a stream has 2^48 words, got {offset} + {n}")
    out, key = np.empty(n, np.uint32), stream_key(seed_material(seed), name)
    for first in range(0, n, _memory.PIECE):
        _kernels.words(key, _memory.isa, offset + first, out[first:first + _memory.PIECE])
    return out
