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
from .arguments import check_name, integer, shown, sizes, threads
from .blocks import block_of
from .dtypes import DType, resolve
from .plan import KEPT, Plan
from .public import check_arguments, check_types, lists_parameters, public
from .rng_methods import RngMethods
from .signatures import describe
from .streams import Rng, Seed, call_key, seed_material, stream_key

__all__ = ["Canvas", "INITIALIZERS", "InPlace", "Initializer", "Recipe", "Known", "empty", "initializer",
           "is_plain", "perform", "prepare", "recipe_of", "remembered", "words"]


# Values that are rounded at a time.
_ROUNDED = 2**16


class Canvas(NamedTuple):
    """What a recipe that is not elementwise writes on: checked memory, and numbers from the call's stream."""

    memory: np.ndarray
    dtype: DType
    material: bytes
    name: str
    num_threads: int | None

    def run(self, plan: Plan) -> None:
        """Fill the whole memory by a plan of the canvas's dtype."""
        self._run(plan, self.memory)

    def made(self, plan: Plan, shape: tuple[int, ...]) -> np.ndarray:
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

    def write_rows(self, values: np.ndarray, *index: Any) -> None:
        """memory[:, *index] = values, rounded to the dtype; some rows at a time, as rounding takes memory."""
        step = max(1, _ROUNDED // values[0].size)
        for first in range(0, len(values), step):
            self.write((slice(first, first + step), *index), values[first : first + step])

    def _run(self, plan: Plan, memory: np.ndarray) -> None:
        job = _memory.Job(plan, stream_key(self.material, self.name), memory, memory.shape, (0,) * memory.ndim)
        _memory.execute([job], self.num_threads)


class Recipe(NamedTuple):
    """A definition applied to a shape and a dtype: a plan for every element, or a way to write the whole."""

    plan: Plan | None
    facts: Mapping[str, Any] = {}
    write: Callable[[Canvas], None] | None = None


Definition = Callable[..., Recipe]
InPlace = Callable[..., Any]


class Initializer(Protocol):
    """A public function made of a definition: the one that allocates, whose ``in_place`` is the one that fills."""

    definition: Definition
    sees_signs: bool
    in_place: InPlace
    __name__: str

    def __call__(self, shape: Any, *args: Any, **options: Any) -> np.ndarray: ...


INITIALIZERS: dict[str, Initializer] = {}


def recipe_of(function: Any, shape: tuple[int, ...], dtype: DType, args: Sequence[Any], options: Mapping[str, Any]) -> Recipe:
    """What either form of an initializer, or its rule, writes to a tensor; every refusal of parameters is made here."""
    try:
        with _kernels.default_environment():
            return function.definition(shape, dtype, *args, **options)
    except TypeError:
        before = [None] if {"tensor", "shape"} & function.__signature__.parameters.keys() else []
        check_arguments(function.__name__, function.__signature__, [*before, *args], options)
        raise


# A validated call that has not yet taken a key or written a byte: recipe, memory, dtype, and of which shape the memory is the
# block at which offset.
Task = tuple[Recipe, np.ndarray, DType, tuple[int, ...], tuple[int, ...]]


def prepare(function: Any, tensor: Any, args: Sequence[Any], options: Mapping[str, Any], dtype: Any = None,
            global_shape: Any = None, offset: Any = None, index: Any = None) -> Task:
    memory, entry = _memory.target_of(tensor, dtype)
    whole, at, block = block_of(memory.shape, global_shape, offset, index)
    if index is not None:
        memory = memory.reshape(block)  # adds axes of size 1, so a view
    recipe = recipe_of(function, whole, entry, args, options)
    if recipe.write is not None and whole != memory.shape:
        raise ValueError(f"global_shape: expected the tensor's own shape {memory.shape}, got {whole}: "
                         f"{function.__name__} is not elementwise, so a block of it cannot be made alone")
    _memory.check_words(entry, whole, "tensor" if global_shape is None else "global_shape",
                        recipe.plan.units if recipe.plan else 1)
    return recipe, memory, entry, whole, at


# What is remembered of a plan for whole plain arrays: the kernel's, the ns that a byte takes, whether it needs a key.
Known = tuple[_kernels.Plan, float, bool]


def perform(tasks: Iterable[tuple[str, Task]], material: bytes, num_threads: int | None, fresh: bool = False,
            known: Iterable[tuple[str, Known, np.ndarray]] = ()) -> None:
    wholes = [(kernel, byte_ns, stream_key(material, name) if draws else _NO_KEY, memory)
              for name, (kernel, byte_ns, draws), memory in known]
    jobs, canvases = [], []
    for name, ((plan, _, write), memory, dtype, whole, at) in tasks:
        if write is not None and memory.size:
            canvases.append((write, Canvas(memory, dtype, material, name, num_threads)))
        elif plan is not None and memory.size:
            jobs.append(_memory.Job(plan, stream_key(material, name), memory, whole, at, fresh))
    for write, canvas in canvases:  # first, as some want more memory, which may not be there
        with _kernels.default_environment(), np.errstate(all="ignore"):  # the caller's would raise with half of it written
            write(canvas)
    _memory.execute(jobs, num_threads, wholes)


_NO_KEY = bytes(32)


def empty(shape: Any, dtype: Any) -> np.ndarray:
    """New memory of the dtype; bfloat16 asked for by name is uint16, by ml_dtypes' type an array of that."""
    entry, checked = resolve(dtype), sizes(shape, "shape")
    _memory.check_words(entry, checked, "shape")
    return np.empty(checked, entry.storage if isinstance(dtype, str) else np.dtype(dtype))


_FILLED, _TOO_LARGE = _kernels.FILLED, _kernels.TOO_LARGE
# Types whose values cannot change and, of one type, are the same if they are equal; but for the zeros, which have a sign.
_PLAIN = frozenset({int, float, str, bool, type(None), np.float32, np.float64})
_plain_types = _PLAIN.issuperset


def is_plain(function: Any, args: Sequence[Any], options: Mapping[str, Any]) -> bool:
    """Whether a plan can be remembered by these arguments. Only a constant's values depend on the sign of a zero."""
    if args and not _plain_types(map(type, args)) or options and not _plain_types(map(type, options.values())):
        return False
    return not (function.sees_signs and (0.0 in args or 0.0 in options.values()))


# One for all initializers, as memory beyond the arrays is promised to be little; typed, as True is not taken for 1.
@functools.lru_cache(maxsize=4 * KEPT, typed=True)
def remembered(function: Any, memory: np.dtype, dtype: Any, shape: tuple[int, ...], /, *args: Any,
               **options: Any) -> Known | None:
    """What a function's recipe for such arrays is as a plan; None where it is none."""
    plan = recipe_of(function, shape, entry := resolve(dtype, memory), args, options).plan
    if plan is None:
        return None
    _memory.check_words(entry, shape, "tensor", plan.units)
    return plan.kernel, _memory.ns_per_byte(plan), plan.dist != "constant"


def initializer(definition: Definition) -> Initializer:
    """The allocating function of a definition; its ``in_place`` attribute is the other one."""

    def in_place(tensor, *args, seed=None, name="", num_threads=None, dtype=None, global_shape=None, offset=None,
                 index=None, **options):
        # The short way. A small fill takes as long as the Python around it, and most fill a whole array by numbers that came
        # before: for those the plan is remembered and all else is done in C. Whatever is less plain, and whatever will be
        # refused, goes the long way, which needs to know nothing of this one.
        if type(tensor) is np.ndarray and type(name) is str and name.isascii() and (
                global_shape is offset is index is None) and (
                num_threads is None or type(num_threads) is int and num_threads > 0) and (
                dtype is None or type(dtype) is str) and (not (args or options) or is_plain(in_place, args, options)):
            try:
                plan = remembered(in_place, tensor.dtype, dtype, tensor.shape, *args, **options)
            except (TypeError, ValueError):
                plan = None
            if plan is not None:
                outcome = _kernels.fill_small(plan, _memory.isa, tensor, _memory.SMALL_NS, call_key, seed, name)
                if outcome == _FILLED:
                    return tensor
                if outcome == _TOO_LARGE:
                    _memory.execute_run(plan[0], plan[1], call_key(seed, name), tensor, num_threads)
                    return tensor
        return _call(in_place, tensor, args, options, seed, name, num_threads, dtype, global_shape, offset, index)

    def allocating(shape, *args, dtype="float32", seed=None, name="", num_threads=None, global_shape=None, offset=None,
                   index=None, **options):
        try:
            by_name = dtype if isinstance(dtype, str) else None
            tensor = empty(shape, dtype)
        except Exception:
            check_types(allocating.__signature__, (shape,), {"dtype": dtype})
            raise
        return _call(allocating, tensor, args, options, seed, name, num_threads, by_name, global_shape, offset, index,
                     fresh=True)

    describe(in_place, definition, definition.__name__ + "_", "tensor")
    describe(allocating, definition, definition.__name__, "shape")
    made = cast(Initializer, allocating)
    made.in_place = in_place
    for function in (made, cast(Any, in_place)):
        function.definition, function.sees_signs = definition, definition.__name__ == "constant"
        setattr(RngMethods, function.__name__, _as_method(function))
    INITIALIZERS[definition.__name__] = made
    return made


def _call(function: Any, tensor: Any, args: Sequence[Any], options: Mapping[str, Any], seed: Seed, name: Any,
          num_threads: Any, dtype: Any, global_shape: Any, offset: Any, index: Any, fresh: bool = False) -> Any:
    """The long way, for every call: all checks, then a key, then the values."""
    try:
        check_name(name)
        task = prepare(function, tensor, args, options, dtype, global_shape, offset, index)
        num_threads = threads(num_threads)
        material = seed_material(seed)
    except Exception:
        shared = {"seed": seed, "name": name, "num_threads": num_threads, "dtype": dtype, "global_shape": global_shape,
                  "offset": offset, "index": index}
        check_types(function.__signature__, (tensor, *args), {**shared, **options})
        raise
    perform([(name, task)], material, num_threads, fresh)
    return tensor


_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


def _as_method(function: Any) -> Any:
    @functools.wraps(function)
    def method(self: Rng, *args: Any, **options: Any) -> Any:
        if "seed" in options:
            raise TypeError(f"seed: expected none, as Rng.{function.__name__} draws from the Rng, got {shown(options['seed'])}")
        try:
            return function(*args, seed=self, **options)
        except TypeError:
            check_arguments(f"Rng.{function.__name__}", inspect.signature(method), [self, *args], options)
            raise

    own = [p for p in function.__signature__.parameters.values() if p.name != "seed"]
    method.__signature__ = inspect.Signature([_SELF, *own])  # type: ignore[attr-defined]
    return method


@public
@lists_parameters
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
    n, offset = integer(n, "n", 0, _memory.MAX_WORDS), integer(offset, "offset", 0, _memory.MAX_WORDS)
    if offset + n > _memory.MAX_WORDS:
        raise ValueError(f"n, offset: a stream has 2^48 words, got {offset} + {n}")
    out, key = np.empty(n, np.uint32), stream_key(seed_material(seed), name)
    for first in range(0, n, _memory.PIECE):
        _kernels.words(key, _memory.isa, offset + first, out[first:first + _memory.PIECE])
    return out
