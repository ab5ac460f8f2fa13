# cython: language_level=3, boundscheck=False, wraparound=False
"""The bridge to the C core (src_c): typed entry points that release the GIL. They see to it that a buffer has the bytes that
are written. What is written, and by how many threads at most, Python decides, but for small arrays: see fill_small."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_STRIDED, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t

from threading import get_ident, main_thread

cdef extern from "Python.h":
    void PyErr_Clear()
    int get_buffer "PyObject_GetBuffer"(object, Py_buffer *, int) noexcept  # as below, and try costs more than the call
    int PyErr_CheckSignals() noexcept  # no exception here: what it sets is raised when fi_fill_jobs returns

cdef extern from "fastinit.h" nogil:
    enum:
        FI_STREAM_VERSION, FI_GROUP, FI_REDRAW_STRIDE, FI_DIST_COUNT, FI_DTYPE_COUNT, FI_ISA_COUNT
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
    size_t fi_dtype_size(int dtype)
    void fi_fill(const fi_plan *plan, const fi_key *key, const fi_runs *runs, int isa, int nontemporal, void *out)
    void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out)
    void fi_transform(const fi_plan *plan, int isa, const uint32_t *words, size_t groups, void *out)

ctypedef int (*look_fn)() noexcept nogil

cdef extern from "jobs.h" nogil:
    enum:
        FI_MOST_AXES
    ctypedef struct fi_axis:
        uint64_t n, stride
        int64_t pitch
    ctypedef struct fi_job:
        const fi_plan *plan
        fi_key key
        uint64_t start
        char *to
        const fi_axis *axes
        unsigned axis_count
        int nontemporal
        uint64_t most, overhead
    int fi_cut(fi_job *jobs, size_t count, size_t staging)

cdef extern from "team.h" nogil:
    ctypedef struct fi_team:
        unsigned most_if_awake, most_if_asleep
        char *staging
        size_t staging_bytes
    int fi_fill_jobs(const fi_job *jobs, size_t count, const fi_team *team, int isa, look_fn look) except? -1

cdef extern from "orthogonal.h" nogil:
    enum:
        FI_PANEL
    ctypedef struct fi_matrix:
        size_t rows, columns
        double *panels
        double *work
        uint8_t *negative
        int isa
        unsigned threads
        double ns
    size_t fi_panels_size(size_t rows, size_t columns)
    size_t fi_work_size(size_t rows, size_t columns)
    int fi_orthogonal(const fi_matrix *matrix, look_fn look) except? -1

cdef extern from "pcg.h":
    ctypedef struct fi_jump:
        uint64_t power, series
    fi_jump fi_jump_of(uint64_t n)

cdef extern from "environment.h":
    ctypedef struct fi_environment:
        pass
    fi_environment fi_environment_default()
    void fi_environment_restore(fi_environment caller)

STREAM_VERSION = FI_STREAM_VERSION
GROUP, REDRAW_STRIDE = FI_GROUP, FI_REDRAW_STRIDE
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

    cdef size_t itemsize(self) noexcept:
        return fi_dtype_size(self.c.dtype)

    cdef int check_itemsize(self, Py_buffer *view) except -1:
        if <size_t>view.itemsize != self.itemsize():
            raise TypeError(f"target: expected elements of {self.itemsize()} bytes, got {view.itemsize}")
        return 0

    def fields(self):
        """The struct's members by name, for the test programs in C."""
        return self.c


def jump(uint64_t steps):
    """(power, series) of so many steps of the generator: state -> power * state + series * inc, modulo 2^64."""
    cdef fi_jump j = fi_jump_of(steps)
    return j.power, j.series


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
        check_within(&self.view, first, end)
        return <char *>self.view.buf + first


cdef int set_key(fi_key *to, bytes key) except -1:
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
    to[0] = fi_key(part[0], part[1], part[2], part[3])
    return 0


def fill(Plan plan, bytes key, int isa, bint nontemporal, uint64_t start, uint64_t length, uint64_t stride,
         uint64_t count, target, int64_t position, int64_t pitch):
    """Elements [start + j stride, start + j stride + length) for j < count, run j to byte position + j pitch of the target."""
    cdef _Buffer buffer = _Buffer(target)
    cdef int64_t last = <int64_t>(count - 1) * pitch
    cdef int64_t run = length * plan.itemsize()
    if not count:
        return
    cdef char *out = buffer.at(position + min(last, 0), position + max(last, 0) + run) - min(last, 0)
    cdef fi_key c_key
    set_key(&c_key, key)
    cdef fi_plan c = plan.c
    cdef fi_runs runs = fi_runs(start, length, stride, count, pitch)
    with nogil:
        fi_fill(&c, &c_key, &runs, isa, nontemporal, out)


cdef int signals() noexcept nogil:
    """-1, with the exception set, if the program is interrupted."""
    with gil:
        return PyErr_CheckSignals()


cdef class Jobs:
    """Tensors to be filled together, and hold of their memory until this is gone."""

    cdef fi_job *jobs
    cdef fi_axis *axes
    cdef Py_buffer *views  # may move: their shape and strides, which may lie within them, are not read again
    cdef double *ns  # that an element takes
    cdef size_t count, room, axis_count, axis_room
    cdef list plans

    def __cinit__(self):
        self.plans = []

    def __dealloc__(self):
        cdef size_t i
        for i in range(self.count):
            PyBuffer_Release(&self.views[i])
        free(self.jobs)
        free(self.axes)
        free(self.views)
        free(self.ns)

    cdef int reserve(self, size_t axes) except -1:
        """Room for another job, of so many axes."""
        cdef size_t room
        cdef void *moved
        if self.count == self.room:
            room = 2 * self.room + 1
            moved = realloc(self.jobs, room * sizeof(fi_job))
            if moved == NULL:
                raise MemoryError
            self.jobs = <fi_job *>moved
            moved = realloc(self.views, room * sizeof(Py_buffer))
            if moved == NULL:
                raise MemoryError
            self.views = <Py_buffer *>moved
            moved = realloc(self.ns, room * sizeof(double))
            if moved == NULL:
                raise MemoryError
            self.ns = <double *>moved
            self.room = room
        if self.axis_count + axes > self.axis_room:
            room = 2 * self.axis_room + axes
            moved = realloc(self.axes, room * sizeof(fi_axis))
            if moved == NULL:
                raise MemoryError
            self.axes = <fi_axis *>moved
            self.axis_room = room
        return 0

    def add(self, Plan plan, bytes key, uint64_t start, target, bint nontemporal, double ns, double run_ns, axes=None):
        """Another tensor: elements from `start` on to all of a contiguous target; or, with axes, as fi_axis has them, to where
        those say that they belong. An element takes about `ns`, to start on a run `run_ns`."""
        cdef fi_job *job
        cdef Py_buffer *view
        cdef int64_t low = 0, high, reach
        cdef bint empty = False
        cdef size_t i
        if axes is not None and len(axes) > FI_MOST_AXES:
            raise ValueError(f"axes: expected at most {FI_MOST_AXES}, got {len(axes)}")
        self.reserve(1 if axes is None else len(axes))
        job, view = self.jobs + self.count, self.views + self.count
        job.plan, job.start, job.nontemporal = &plan.c, start, nontemporal
        set_key(&job.key, key)
        job.overhead = <uint64_t>(run_ns / ns)
        job.axis_count = 1 if axes is None else len(axes)
        self.plans.append(plan)
        PyObject_GetBuffer(target, view, PyBUF_WRITABLE | (PyBUF_C_CONTIGUOUS if axes is None else PyBUF_STRIDED))
        try:
            plan.check_itemsize(view)
            if axes is None:
                self.axes[self.axis_count] = fi_axis(view.len // view.itemsize, 1, view.itemsize)
            else:
                high = view.itemsize
                for i, (n, stride, pitch) in enumerate(axes):
                    self.axes[self.axis_count + i] = fi_axis(n, stride, pitch)
                    reach = (<int64_t>n - 1) * <int64_t>pitch
                    low += min(reach, 0)
                    high += max(reach, 0)
                    empty |= n == 0
                if not empty:
                    check_within(view, low, high)
        except BaseException:
            PyBuffer_Release(view)
            raise
        job.to = <char *>view.buf
        self.ns[self.count] = ns
        self.axis_count += job.axis_count
        self.count += 1

    def fill(self, int isa, unsigned most_if_awake, unsigned most_if_asleep, size_t staging, double share_ns, uint64_t most):
        """All of them, by several threads, which share `staging` bytes for copies, at least a line each: see
        fi_fill_jobs. A part takes at most about `share_ns`, and has at most `most` elements: whole pages as a rule, so that
        neighbours share no line.

        Only Python's main thread looks for interrupts. No other gets any, and one that asks for the GIL at exit would be ended
        while helpers use its stack."""
        cdef look_fn look = NULL
        cdef fi_team team
        cdef fi_axis *axes = self.axes
        cdef size_t i, threads = max(most_if_awake, most_if_asleep), copies = max(staging // threads, <size_t>64)
        if get_ident() == main_thread().ident:
            look = signals
        for i in range(self.count):
            self.jobs[i].most = min(max(<uint64_t>(share_ns / self.ns[i]) // 4096 * 4096, <uint64_t>4096), most)
            self.jobs[i].axes = axes
            axes += self.jobs[i].axis_count
        team = fi_team(most_if_awake, most_if_asleep, NULL, copies)
        try:
            if fi_cut(self.jobs, self.count, team.staging_bytes):
                team.staging = <char *>malloc(threads * copies)
                if team.staging == NULL:
                    raise MemoryError
            with nogil:
                fi_fill_jobs(self.jobs, self.count, &team, isa, look)
        finally:
            free(team.staging)


ctypedef struct span:
    char *low
    char *high


cdef int by_low(const void *a, const void *b) noexcept nogil:
    cdef char *low_a = (<const span *>a).low
    cdef char *low_b = (<const span *>b).low
    return (low_a > low_b) - (low_a < low_b)


def may_overlap(list targets):
    """False if the spans of memory that the targets reach over are apart from one another."""
    cdef span *spans = <span *>malloc((len(targets) + 1) * sizeof(span))
    cdef Py_buffer view
    cdef size_t i, count = 0
    cdef int axis
    cdef int64_t reach
    cdef bint found = False
    if spans == NULL:
        raise MemoryError
    try:
        for target in targets:
            PyObject_GetBuffer(target, &view, PyBUF_STRIDED)
            if view.len:
                spans[count] = span(<char *>view.buf, <char *>view.buf + view.itemsize)
                for axis in range(view.ndim):
                    reach = (view.shape[axis] - 1) * view.strides[axis]
                    spans[count].low += min(reach, 0)
                    spans[count].high += max(reach, 0)
                count += 1
            PyBuffer_Release(&view)
        qsort(spans, count, sizeof(span), by_low)
        for i in range(1, count):
            if spans[i].low < spans[i - 1].high:
                found = True
    finally:
        free(spans)
    return found


cdef int check_within(Py_buffer *view, int64_t first, int64_t end) except -1:
    """That bytes [first, end), counted from the first element, are among those that the buffer has about it."""
    cdef int64_t low = 0, high = view.itemsize, reach
    cdef int axis
    for axis in range(view.ndim):
        reach = (view.shape[axis] - 1) * view.strides[axis]
        low += min(reach, 0)
        high += max(reach, 0)
    if view.len == 0:
        high = 0
    if first < low or end > high or end < first:
        raise IndexError(f"bytes [{first}, {end}) of a buffer that has [{low}, {high})")
    return 0


cdef enum:  # no Python objects, which are looked up, with the limited API slowly
    filled, too_large, not_contiguous

FILLED, TOO_LARGE, NOT_CONTIGUOUS = filled, too_large, not_contiguous


def fill_small(tuple known, int isa, target, double below, call_key, seed, name):
    """The short way of a small array: fills all of the target from element 0 on and returns FILLED. `known` begins with a Plan
    and the ns that a byte takes; call_key(seed, name) gives the key. Without having asked for a key or written anything it
    returns TOO_LARGE if that would take `below` ns or more, and NOT_CONTIGUOUS if the target is not, or cannot be written."""
    cdef Plan plan = known[0]
    cdef double ns_per_byte = known[1]
    cdef Py_buffer view
    cdef fi_key c_key
    cdef fi_runs runs
    if get_buffer(target, &view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE):
        PyErr_Clear()  # the long way meets it again
        return not_contiguous
    try:
        if view.len * ns_per_byte >= below:
            return too_large
        plan.check_itemsize(&view)
        set_key(&c_key, call_key(seed, name))
        runs = fi_runs(0, view.len // view.itemsize, 0, 1, 0)
        with nogil:
            fi_fill(&plan.c, &c_key, &runs, isa, False, view.buf)
    finally:
        PyBuffer_Release(&view)
    return filled


def words(bytes key, int isa, uint64_t start, uint32_t[::1] out):
    """Words [start, start + len(out)) of the key's main orbit into out."""
    cdef fi_key c_key
    set_key(&c_key, key)
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


PANEL = FI_PANEL


def orthogonal_sizes(size_t rows, size_t columns):
    """Numbers that `orthogonal` takes for the panels and for its work."""
    return fi_panels_size(rows, columns), fi_work_size(rows, columns)


def orthogonal(size_t rows, size_t columns, double[::1] panels, double[::1] work, uint8_t[::1] negative, int isa, unsigned threads,
               double ns):
    """Replaces a matrix of rows >= columns > 0, in panels (see orthogonal.h), by Q of its decomposition, and tells of each column
    whether R's diagonal is negative. A multiplication takes about `ns`."""
    cdef look_fn look = NULL
    cdef fi_matrix matrix
    if not 0 < columns <= rows:
        raise ValueError(f"columns: expected at least one and at most {rows}, got {columns}")
    matrix = fi_matrix(rows, columns, &panels[0], &work[0], &negative[0], isa, threads, ns)
    if ((panels.shape[0], work.shape[0]) != orthogonal_sizes(rows, columns) or <size_t>negative.shape[0] != columns
            or (<uintptr_t>matrix.panels | <uintptr_t>matrix.work) % 64):
        raise ValueError("panels, work, negative: expected orthogonal_sizes and the columns, at multiples of 64 bytes")
    if get_ident() == main_thread().ident:
        look = signals
    with nogil:
        fi_orthogonal(&matrix, look)
