"""From a seed and a name to the key of a stream; `Rng`, which hands out a fresh key at every call.

The encoding is part of the stream: ``src_c/README.md``, section 2.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, Union

import numpy as np

from .arguments import integer, is_sequence, items, shown
from .public import lists_parameters, public
from .rng_methods import RngMethods

__all__ = ["Pinned", "Rng", "Seed", "default_rng", "manual_seed", "pin"]

# As text, since a look at numpy.random imports it.
Seed = Union[
    int, Sequence[int], "np.random.SeedSequence", "np.random.Generator", "np.random.BitGenerator", "Rng", "Pinned", None,
]

_TAG = b"fastinit stream 1"


def _field(data: bytes) -> bytes:
    """Length before content, so that no two lists of fields share an encoding."""
    return len(data).to_bytes(8, "little") + data


def entropy(seed: Seed) -> tuple[int, ...]:
    """The integers that a seed stands for. Generators are advanced by 128 bits; None asks the operating system."""
    if seed is None:
        return (int.from_bytes(os.urandom(16), "little"),)
    if isinstance(seed, np.random.BitGenerator):
        seed = np.random.Generator(seed)
    if isinstance(seed, np.random.Generator):
        low, high = (int(word) for word in seed.integers(0, 2**64, 2, np.uint64))
        return (high << 64 | low,)
    if isinstance(seed, np.random.SeedSequence):
        low, high = (int(word) for word in seed.generate_state(2, np.uint64))
        return (high << 64 | low,)
    if is_sequence(seed):
        numbers = items(seed, "seed", "a flat sequence of at least one int")
        if not numbers or any(map(is_sequence, numbers)):
            raise ValueError(f"seed: expected a flat sequence of at least one int, got {shown(seed)}")
        return tuple(integer(value, f"seed[{i}]") for i, value in enumerate(numbers))
    return (integer(seed, "seed"),)


def _prefix(numbers: tuple[int, ...]) -> bytes:
    fields = [_field(n.to_bytes((n.bit_length() + 7) // 8, "little")) for n in numbers]
    return _field(_TAG) + _field(b"".join(fields))


_NO_CALL, _CALL = _field(b""), (8).to_bytes(8, "little")


def material(numbers: tuple[int, ...], call: int | None = None) -> bytes:
    """What a key is hashed from besides name and purpose: the seed's integers and, from an `Rng`, the call's number."""
    return _prefix(numbers) + (_NO_CALL if call is None else _CALL + call.to_bytes(8, "little"))


def _sha256(data: bytes) -> Any:
    """That of hashlib, which takes 3 ms to import: this is replaced by it."""
    global _sha256
    from hashlib import sha256 as _sha256  # type: ignore[assignment]

    return _sha256(data)


# What keys are hashed from: of seeds, and of names. Kept where it is short, and so many of each: models may have any number of
# names of any length, and memory beyond the arrays is promised to be little.
_materials: dict[int, bytes] = {}
_suffixes: dict[str, bytes] = {}
_KEPT, _SHORT = 512, 160


def _kept(known: dict[Any, bytes], key: Any, made: bytes) -> bytes:
    if len(made) <= _SHORT:
        if len(known) >= _KEPT:
            known.clear()
        known[key] = made
    return made


def _suffix(name: str, purpose: str) -> bytes:
    return _field(name.encode()) + _field(purpose.encode())


def _words_of(name: str) -> bytes:
    return _kept(_suffixes, name, _suffix(name, "words"))


def stream_key(seed_material: bytes, name: str = "", purpose: str = "words") -> bytes:
    """The 32 bytes that are a stream's key: state and increment of the main words, then of the redraws."""
    suffix = _suffixes.get(name) or _words_of(name) if purpose == "words" else _suffix(name, purpose)
    return _sha256(seed_material + suffix).digest()


def call_key(seed: Seed, name: str) -> bytes:
    """The key of one call: ``stream_key(seed_material(seed), name)``, without the two calls."""
    material = seed.next_material() if type(seed) is Rng else seed_material(seed)
    return _sha256(material + (_suffixes.get(name) or _words_of(name))).digest()


# Held for a few instructions, so one serves all. A forked child renews it: the thread that held it is not there to let go.
_numbering = threading.Lock()


def _in_a_forked_child() -> None:
    """Else all children of a process would draw the same values from a seed that nobody asked for."""
    global _numbering
    _numbering = threading.Lock()
    if _default_is_systems:
        _default.__setstate__((entropy(None), 0))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_a_forked_child)


@public
class Rng(RngMethods):
    """A source of fresh keys: each call that is given it draws values unlike any before, reproducibly.

    Every initializer is also a method (``rng.normal_(w)`` is ``fastinit.normal_(w, seed=rng)``). Calls are numbered under a
    lock: from several threads, each gets a number of its own. A forked child goes on with the numbers that its parent goes on
    with, so give it an `Rng` of its own; the default one alone, unless `manual_seed` seeded it, has a new seed there.

    Parameters
    ----------
    seed : int >= 0, sequence of such ints, SeedSequence, Generator, BitGenerator or None
        None takes 128 bits from the operating system; read `seed` to repeat the run.

    Raises
    ------
    TypeError, ValueError
        Naming `seed`, what was expected and what came.

    Attributes
    ----------
    seed : int or tuple of int
        What to pass to `Rng` to have the same values again.
    calls : int
        How many keys were handed out.

    Notes
    -----
    A call's key is hashed by SHA-256 from the seed, the call's number and the name; what earlier calls drew does not matter.

    Examples
    --------
    >>> import fastinit as fi
    >>> a, b = fi.Rng(7), fi.Rng(7)
    >>> bool((a.normal(3) == b.normal(3)).all()), bool((a.normal(3) == fi.Rng(7).normal(3)).any())
    (True, False)
    >>> a
    Rng(seed=7, calls=2)
    """

    @lists_parameters
    def __init__(self, seed: Seed = None) -> None:
        if isinstance(seed, Rng):
            raise TypeError("seed: expected what a stream can start from, got an Rng; pass the Rng itself as seed=")
        self.__setstate__((entropy(seed), 0))

    @property
    def seed(self) -> int | tuple[int, ...]:
        return self._numbers[0] if len(self._numbers) == 1 else self._numbers

    @property
    def calls(self) -> int:
        return self._calls

    def __repr__(self) -> str:
        return f"Rng(seed={shown(self.seed)}, calls={self._calls})"

    def __getstate__(self) -> tuple[tuple[int, ...], int]:
        return self._numbers, self._calls

    def __setstate__(self, state: tuple[tuple[int, ...], int]) -> None:
        self._numbers, self._calls = state
        self._start = _prefix(self._numbers) + _CALL

    def next_material(self) -> bytes:
        with _numbering:
            call = self._calls
            self._calls = call + 1
        return self._start + call.to_bytes(8, "little")


_default = Rng()
_default_is_systems = True  # its seed came from the operating system


@public
@lists_parameters
def default_rng() -> Rng:
    """The `Rng` behind calls without ``seed=``.

    Returns
    -------
    Rng
        That of `manual_seed`, or else one that the operating system seeded at import, and in a forked process anew; its
        `Rng.seed` repeats the run.

    Notes
    -----
    All threads of a process share it. After `manual_seed` forked processes, such as the workers of a DataLoader, all go on with
    the values that their parent would have drawn next: seed each of them, by its number, say.

    Examples
    --------
    >>> import fastinit as fi
    >>> _ = fi.manual_seed(3)
    >>> values = fi.normal(1000)
    >>> fi.default_rng()
    Rng(seed=3, calls=1)
    """
    return _default


@public
@lists_parameters
def manual_seed(seed: Seed) -> Rng:
    """Start the default `Rng` anew, so that calls without ``seed=`` repeat.

    Parameters
    ----------
    seed : int >= 0, sequence of such ints, SeedSequence, Generator, BitGenerator or None
        As for `Rng`.

    Returns
    -------
    Rng
        The new default.

    Raises
    ------
    TypeError, ValueError
        Naming `seed`, what was expected and what came; then the default is as it was.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.manual_seed(0)
    Rng(seed=0, calls=0)
    >>> first = fi.normal(1000)
    >>> _ = fi.manual_seed(0)
    >>> bool((fi.normal(1000) == first).all())
    True
    """
    global _default, _default_is_systems
    _default, _default_is_systems = Rng(seed), seed is None
    return _default


class Pinned(bytes):
    """The material of one call, which may itself be a seed, also in other processes: see `pin`."""


def pin(seed: Seed) -> Pinned:
    """One call's share of a seed, for work that is done in several calls: as ``seed=`` it gives at each of them what `seed`
    would have given at one. An `Rng` counts one call, a generator is advanced once.

    Examples
    --------
    >>> import fastinit as fi
    >>> one, expected = pin(fi.Rng(7)), fi.Rng(7).normal(3)
    >>> [bool((fi.normal(3, seed=one) == expected).all()) for _ in range(2)]
    [True, True]
    """
    return Pinned(seed_material(seed))


def seed_material(seed: Seed) -> bytes:
    """The material of one call: an `Rng` gives a fresh one, everything else the same at every call."""
    if type(seed) is int:
        return _materials.get(seed) or _kept(_materials, seed, material(entropy(seed)))
    if seed is None:
        return _default.next_material()
    try:
        rng = seed if isinstance(seed, Rng) else None
    except Exception as error:  # of an object that cannot be asked for its type
        raise TypeError(f"seed: expected ints or a source of random numbers, got {shown(seed)}") from error
    if rng is not None:
        return rng.next_material()
    if isinstance(seed, Pinned):
        return seed
    return material(entropy(seed))
