# cython: language_level=3, boundscheck=False, wraparound=False
"""The bridge to the C core (src_c): typed entry points that release the GIL. Nothing is decided here."""

from cpython.buffer cimport PyBUF_STRIDED, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "fastinit.h" nogil:
    enum:
        FI_STREAM_VERSION, FI_GROUP, FI_REDRAWS, FI_DIST_COUNT, FI_DTYPE_COUNT, FI_ISA_COUNT
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
    void fi_fill(const fi_plan *plan, const fi_key *key, const fi_runs *runs, int isa, int stream, void *out)
    void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out)
    void fi_transform(const fi_plan *plan, int isa, const uint32_t *words, size_t groups, void *out)

cdef extern from "environment.h":
    ctypedef struct fi_environment:
        pass
    fi_environment fi_environment_default()
    void fi_environment_restore(fi_environment caller)

STREAM_VERSION = FI_STREAM_VERSION
GROUP = FI_GROUP
REDRAWS = FI_REDRAWS
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
        """The struct's members by name, as the test programs in C take them."""
        return self.c


cdef class default_environment:
    """A context with the floating-point environment that the C core has: to nearest even, subnormals kept. The caller's comes
    back, so that neither numbers made in Python nor anything of the caller's depend on the other."""

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
        """Bytes [first, end), counted from the first element, if all that the buffer has lies about them."""
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


cdef fi_key key_of(const unsigned char[::1] digest) except *:
    """Four little-endian 64-bit numbers, whatever the machine's order."""
    cdef uint64_t part[4]
    cdef int i, k
    if digest.shape[0] != 32:
        raise ValueError(f"digest: expected 32 bytes, got {digest.shape[0]}")
    for i in range(4):
        part[i] = 0
        for k in range(8):
            part[i] |= <uint64_t>digest[8 * i + k] << (8 * k)
    return fi_key(part[0], part[1], part[2], part[3])


def fill(Plan plan, const unsigned char[::1] digest, int isa, bint stream, uint64_t start, uint64_t length, uint64_t stride,
         uint64_t count, target, int64_t position, int64_t pitch, uint64_t itemsize):
    """Elements [start + j stride, start + j stride + length) for j < count, run j to byte position + j pitch of the target."""
    cdef _Buffer buffer = _Buffer(target)
    cdef int64_t last = <int64_t>(count - 1) * pitch
    if not count:
        return
    cdef char *out = buffer.at(position + min(last, 0), position + max(last, 0) + <int64_t>(length * itemsize)) - min(last, 0)
    cdef fi_key key = key_of(digest)
    cdef fi_plan c = plan.c
    cdef fi_runs runs = fi_runs(start, length, stride, count, pitch)
    with nogil:
        fi_fill(&c, &key, &runs, isa, stream, out)


def words(const unsigned char[::1] digest, int isa, uint64_t start, uint32_t[::1] out):
    """Words [start, start + len(out)) of the key's main orbit into out."""
    cdef fi_key key = key_of(digest)
    cdef uint64_t n = out.shape[0]
    if n:
        with nogil:
            fi_words(&key, isa, start, n, &out[0])


def transform(Plan plan, int isa, const uint32_t[::1] words, target):
    """The plan's transform of whole groups of words; target takes 4 bytes a word."""
    cdef uint64_t n = words.shape[0]
    cdef _Buffer buffer = _Buffer(target)
    cdef char *out = buffer.at(0, 4 * n)
    if n % FI_GROUP:
        raise ValueError(f"words: expected a multiple of {FI_GROUP}, got {n}")
    if n:
        with nogil:
            fi_transform(&plan.c, isa, &words[0], n // FI_GROUP, out)
