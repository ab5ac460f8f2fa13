# cython: language_level=3, auto_pickle=False
"""The words of a stream as a NumPy bit generator: one word at a time, for `numpy.random.Generator`."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t, uint64_t

import numpy as np

from .arguments import check_name
from .streams import seed_material, stream_key

cdef extern from "pcg.h" nogil:
    const uint64_t FI_PCG_MULT
    const uint32_t FI_DXSM_MULT
    uint64_t fi_jump_by(uint64_t state, uint64_t inc, uint64_t n)

# numpy/random/bitgen.h, whose layout NumPy keeps for extensions; declared here, so that a build needs no NumPy.
ctypedef struct bitgen:
    void *state
    uint64_t (*next_uint64)(void *) noexcept nogil
    uint32_t (*next_uint32)(void *) noexcept nogil
    double (*next_double)(void *) noexcept nogil
    uint64_t (*next_raw)(void *) noexcept nogil


cdef class _Orbit:
    cdef uint64_t place[2]  # state, inc


cdef uint32_t next_uint32(void *place) noexcept nogil:
    cdef uint64_t *p = <uint64_t *>place
    cdef uint32_t high = <uint32_t>(p[0] >> 32), low = <uint32_t>p[0] | 1
    p[0] = p[0] * FI_PCG_MULT + p[1]
    high ^= high >> 16
    high *= FI_DXSM_MULT
    high ^= high >> 24
    return high * low


cdef uint64_t next_uint64(void *place) noexcept nogil:
    cdef uint64_t low = next_uint32(place)
    return low | <uint64_t>next_uint32(place) << 32


cdef double next_double(void *place) noexcept nogil:
    return (next_uint64(place) >> 11) * (1.0 / 9007199254740992.0)


cdef uint64_t next_raw(void *place) noexcept nogil:
    return next_uint32(place)


class BitGenerator(np.random.BitGenerator):
    """The words of a stream for `numpy.random.Generator`, and so for all of NumPy's distributions.

    Parameters
    ----------
    seed : int >= 0, sequence of int, SeedSequence, Generator, BitGenerator, Rng or None
    name : str
        As for every initializer: ``random_raw(n)`` gives ``fastinit.words(n, seed=seed, name=name)``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Attributes
    ----------
    state : dict
        Where the generator is; may be set.

    Notes
    -----
    PCG with DXSM output (O'Neill 2014), of period 2^64. A 32-bit draw takes a word, a 64-bit draw two, the earlier one low; a
    double is the high 53 bits of the latter. `spawn` gives other keys, from the `numpy.random.SeedSequence` that was the seed
    or one made of the key.

    Examples
    --------
    >>> import fastinit as fi, numpy as np
    >>> rng = np.random.Generator(fi.BitGenerator(seed=0))
    >>> int(rng.integers(2**32, dtype=np.uint32)) == int(fi.words(1, seed=0)[0])
    True
    """

    def __init__(self, seed=None, name=""):
        check_name(name)
        cdef bytes key = stream_key(seed_material(seed), name)
        super().__init__(seed if isinstance(seed, np.random.SeedSequence) else
                         np.random.SeedSequence(int.from_bytes(key, "little")))
        cdef _Orbit orbit = _Orbit()
        orbit.place = [int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little") | 1]
        self._orbit = orbit
        cdef bitgen *table = <bitgen *>PyCapsule_GetPointer(self.capsule, "BitGenerator")
        table[0] = bitgen(<void *>&orbit.place[0], next_uint64, next_uint32, next_double, next_raw)

    @property
    def state(self):
        """dict: where the generator is; may be set."""
        cdef _Orbit orbit = self._orbit
        with self.lock:
            return {"bit_generator": type(self).__name__, "state": {"state": orbit.place[0], "inc": orbit.place[1]}}

    @state.setter
    def state(self, value):
        if not isinstance(value, dict) or value.get("bit_generator") != type(self).__name__:
            raise ValueError(f"state: expected the state of a {type(self).__name__}, got {value!r}")
        cdef _Orbit orbit = self._orbit
        cdef uint64_t state = value["state"]["state"], inc = value["state"]["inc"]
        with self.lock:
            orbit.place = [state, inc | 1]

    def __reduce__(self):
        return type(self), (self.seed_seq,), self.state

    def __setstate__(self, state):
        self.state = state

    def advance(self, delta):
        """Go on by `delta` words, an int, as if they had been drawn; a negative one goes back. Returns the generator."""
        cdef _Orbit orbit = self._orbit
        cdef uint64_t steps = delta % 2**64
        with self.lock:
            orbit.place[0] = fi_jump_by(orbit.place[0], orbit.place[1], steps)
        return self

    def jumped(self, jumps=1):
        """A new generator, `jumps` times 2^64 / phi words further: places apart from one another, by no power of two."""
        other = type(self)(self.seed_seq)
        other.state = self.state
        return other.advance(jumps * 0x9E3779B97F4A7C15)


BitGenerator.__module__ = "fastinit"
