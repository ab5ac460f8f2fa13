# cython: language_level=3, boundscheck=False, wraparound=False
"""The bridge to the C core (src_c): typed entry points that release the GIL. They see to it that a buffer has the bytes that
are written. What is written, in which order and by how many threads Python decides, but for small arrays: see fill_small."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_STRIDED, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from threading import get_ident, main_thread

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept  # no exception here: what it sets is raised when fi_fill_shared returns

cdef extern from "fastinit.h" nogil:
    enum:
        FI_STREAM_VERSION, FI_GROUP, FI_DIST_COUNT, FI_DTYPE_COUNT, FI_ISA_COUNT
    const char *fi_dist_names[]
    const char *fi_dtype_names[]
    const char *fi_isa_names[]
    ctypedef struct fi_plan:
        int32_t dist, dtype
        double scale, shift, rest, low, high, least, most, origin, curve, slope
        uint64_t bits
    ctypedef struct fi_key:
        uint64_t state, inc, redraw_state, redraw_inc
    ctypedef struct fi_runs:
        uint64_t start, length, stride, count
        int64_t pitch
    bint fi_isa_available(int isa)
    void fi_fill(const fi_plan *plan, const fi_key *key, const fi_runs *runs, int isa, int nontemporal, void *out)
    void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out)
    void fi_transform(const fi_plan *plan, int isa, const uint32_t *words, size_t groups, void *out)

ctypedef int (*look_fn)() noexcept nogil

cdef extern from "team.h" nogil:
    ctypedef struct fi_team:
        uint64_t start, length
        size_t size
        uint64_t part
        unsigned most_if_awake, most_if_asleep
    int fi_fill_shared(const fi_plan *plan, const fi_key *key, const fi_team *team, int isa, int nontemporal, look_fn look,
                       void *out) except? -1

cdef extern from "environment.h":
    ctypedef struct fi_environment:
        pass
    fi_environment fi_environment_default()
    void fi_environment_restore(fi_environment caller)

STREAM_VERSION = FI_STREAM_VERSION
DISTS = tuple(fi_dist_names[i].decode() for i in range(FI_DIST_COUNT))
DTYPES = tuple(fi_dtype_names[i].decode() for i in range(FI_DTYPE_COUNT))
ISAS = tuple(fi_isa_names[i].decode() for i in range(FI_ISA_COUNT))
AVAILABLE_ISAS = tuple(name for i, name in enumerate(ISAS) if fi_isa_available(i))

cdef extern from *:
    """
    #if defined(__clang__)
    #define FI_COMPILER "clang " __clang_version__
    #elif defined(__GNUC__)
    #define FI_COMPILER "gcc " __VERSION__
    #else
    #define FI_COMPILER "unknown"
    #endif
    """
    const char *FI_COMPILER

COMPILER = FI_COMPILER.decode().strip()


cdef class Plan:
    """An fi_plan: indices into DISTS and DTYPES, and numbers that are final."""

    cdef fi_plan c

    def __init__(self, int dist, int dtype, double scale=0, double shift=0, double rest=0, double low=0,
                 double high=0, double least=0, double most=0, double origin=0, double curve=0,
                 double slope=0, uint64_t bits=0):
        self.c = fi_plan(dist, dtype, scale, shift, rest, low, high, least, most, origin, curve, slope, bits)

    def fields(self):
        """The struct's members by name, for the test programs in C."""
        return self.c


cdef class default_environment:
    """A context in the floating-point environment of the C core (to nearest even, subnormals kept), for numbers that are made
    in Python; on exit the caller's comes back."""

    cdef fi_environment caller

    def __enter__(self):
        self.caller = fi_environment_default()

    def __exit__(self, *_):
        fi_environment_restore(self.caller)


cdef class _Buffer:
    """A writable buffer of any strides, held as long as this lives."""

    cdef Py_buffer view

    def __cinit__(self, target):
        PyObject_GetBuffer(target, &self.view, PyBUF_STRIDED)

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    cdef char *at(self, int64_t first, int64_t end) except NULL:
        """The address of byte `first`. Bytes are counted from the first element; [first, end) must lie within what the elements
        span."""
        cdef int64_t low = 0, high = self.view.itemsize, reach
        cdef int axis
        for axis in range(self.view.ndim):
            reach = (self.view.shape[axis] - 1) * self.view.strides[axis]
            low += min(reach, 0)
            high += max(reach, 0)
        if self.view.len == 0:
            high = 0
        if first < low or end > high or end < first:
            raise IndexError(f"bytes [{first}, {end}) of a buffer that has [{low}, {high})")
        return <char *>self.view.buf + first


cdef fi_key key_of(bytes key) except *:
    """The four 64-bit numbers that a key is, little-endian on every machine."""
    cdef uint64_t part[4]
    cdef int i, k
    cdef const unsigned char *byte = key
    if len(key) != 32:
        raise ValueError(f"key: expected 32 bytes, got {len(key)}")
    for i in range(4):
        part[i] = 0
        for k in range(8):
            part[i] |= <uint64_t>byte[8 * i + k] << (8 * k)
    return fi_key(part[0], part[1], part[2], part[3])


def fill(Plan plan, bytes key, int isa, bint nontemporal, uint64_t start, uint64_t length, uint64_t stride,
         uint64_t count, target, int64_t position, int64_t pitch, uint64_t itemsize):
    """Elements [start + j stride, start + j stride + length) for j < count, run j to byte position + j pitch of the target."""
    cdef _Buffer buffer = _Buffer(target)
    cdef int64_t last = <int64_t>(count - 1) * pitch
    if not count:
        return
    cdef char *out = buffer.at(position + min(last, 0), position + max(last, 0) + <int64_t>(length * itemsize)) - min(last, 0)
    cdef fi_key c_key = key_of(key)
    cdef fi_plan c = plan.c
    cdef fi_runs runs = fi_runs(start, length, stride, count, pitch)
    with nogil:
        fi_fill(&c, &c_key, &runs, isa, nontemporal, out)


cdef int signals() noexcept nogil:
    """-1, with the exception set, if the program is interrupted."""
    with gil:
        return PyErr_CheckSignals()


def fill_shared(Plan plan, bytes key, int isa, bint nontemporal, uint64_t start, target, uint64_t part, unsigned most_if_awake,
                unsigned most_if_asleep):
    """Elements from `start` on to all of a contiguous target, by several threads: see fi_team. Only Python's main thread looks
    for interrupts. No other gets any, and one that asks for the GIL at exit would be ended while helpers use its stack."""
    cdef fi_key c_key = key_of(key)
    cdef look_fn look = NULL
    cdef Py_buffer view
    cdef fi_team team
    if get_ident() == main_thread().ident:
        look = signals
    PyObject_GetBuffer(target, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    try:
        team = fi_team(start, view.len // view.itemsize, view.itemsize, part, most_if_awake, most_if_asleep)
        with nogil:
            fi_fill_shared(&plan.c, &c_key, &team, isa, nontemporal, look, view.buf)
    finally:
        PyBuffer_Release(&view)


FILLED, TOO_LARGE, NOT_CONTIGUOUS = range(3)


def fill_small(tuple costed, int isa, target, double below, call_key, seed, name):
    """The short way of a small array: fills all of the target from element 0 on and returns FILLED. `costed` is a Plan and the
    ns that a byte takes; call_key(seed, name) gives the key. Without having asked for a key or written anything it returns
    TOO_LARGE if that would take `below` ns or more, and NOT_CONTIGUOUS if the target is not, or cannot be written."""
    cdef Plan plan = costed[0]
    cdef double ns_per_byte = costed[1]
    cdef Py_buffer view
    cdef fi_key c_key
    cdef fi_runs runs
    try:
        PyObject_GetBuffer(target, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
    except (BufferError, ValueError):
        return 2
    try:
        if view.len * ns_per_byte >= below:
            return 1
        c_key = key_of(call_key(seed, name))
        runs = fi_runs(0, view.len // view.itemsize, 0, 1, 0)
        with nogil:
            fi_fill(&plan.c, &c_key, &runs, isa, False, view.buf)
    finally:
        PyBuffer_Release(&view)
    return 0


def words(bytes key, int isa, uint64_t start, uint32_t[::1] out):
    """Words [start, start + len(out)) of the key's main orbit into out."""
    cdef fi_key c_key = key_of(key)
    cdef uint64_t n = out.shape[0]
    if n:
        with nogil:
            fi_words(&c_key, isa, start, n, &out[0])


def transform(Plan plan, int isa, const uint32_t[::1] words, target):
    """The plan's transform of whole groups of words. The target must have 4 bytes a word, of which 16-bit types use two."""
    cdef uint64_t n = words.shape[0]
    cdef _Buffer buffer = _Buffer(target)
    cdef char *out = buffer.at(0, 4 * n)
    if n % FI_GROUP:
        raise ValueError(f"words: expected a multiple of {FI_GROUP}, got {n}")
    if n:
        with nogil:
            fi_transform(&plan.c, isa, &words[0], n // FI_GROUP, out)
