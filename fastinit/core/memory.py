"""Plans into memory: checks of the target, threads, strides, interrupts. The only file of Python that knows threads."""

from __future__ import annotations

import itertools
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _kernels, blocks
from .arguments import integer
from .dtypes import BY_NUMPY, DType, resolve
from .plan import Plan

__all__ = ["Job", "execute", "execute_one", "resolve_threads", "target_of"]

# Words that one tensor may use: pairs on one orbit are clean up to distance 2^50 (src_c/README.md, section 1).
MAX_WORDS = 2**48
# Roughly how long an element takes, in ns: AVX-512, float32 and float64; and how much longer on other instruction sets.
# Measured on a Zen 5, NEON guessed; what follows from it is how work is cut, never a value.
NS = {"constant": (0.05, 0.1), "uniform": (0.1, 0.2), "normal": (0.2, 0.5), "trunc_normal": (0.3, 0.7)}
SLOWER = {"avx512vbmi2": 1.0, "avx512": 1.0, "avx2": 2.5, "neon": 5.0, "scalar": 50.0}
RUN_NS = 60.0  # to start on a run
# Between two looks at signals and at the work list: long beside the few us that Python takes, short beside the 200 ms in which
# an interrupt is answered, even where the guess is far off.
PIECE_NS = 5e5
PIECE = 2**22  # elements, at the most
# What each thread must have to do: to wake one takes 25-50 us, one that still looks out for work begins at once.
THREAD_NS = 1e5
THREAD_NS_AWAKE = 2e4
# Below this all is done in the call, without pieces and threads.
SMALL_NS = 2 * THREAD_NS_AWAKE
# From here on stores bypass the caches, unless the memory is fresh. Measured, one buffer filled over and over by one thread,
# with 32 MiB of last-level cache: up to 16 MiB ordinary stores are faster, from 32 MiB on non-temporal ones.
NONTEMPORAL_BYTES = 2**25
NONTEMPORAL_RUN = 2**17  # bytes of a run, for the same reason: its ends are written in the ordinary way
# Elements of a contiguous run from which it is worth writing to where it belongs; shorter ones are staged.
DIRECT = 64
# Memory that strided targets may be staged in, over all threads.
STAGING_BYTES = 2**19


def _isa_from_environment() -> int:
    name = os.environ.get("FASTINIT_ISA") or _kernels.AVAILABLE_ISAS[-1]
    if name not in _kernels.AVAILABLE_ISAS:
        raise ValueError(f"FASTINIT_ISA: expected one of {', '.join(_kernels.AVAILABLE_ISAS)}, got {name!r}")
    return _kernels.ISAS.index(name)


isa: int = _isa_from_environment()


class Job(NamedTuple):
    """One tensor to fill: the plan, the stream's key, the target, which block of which whole it is, and whether its memory has
    never been touched."""

    plan: Plan
    key: bytes
    memory: np.ndarray
    global_shape: tuple[int, ...]
    offset: tuple[int, ...]
    fresh: bool = False


def array_of(tensor: Any) -> np.ndarray:
    """The tensor's memory as a plain ndarray."""
    if isinstance(tensor, np.ndarray):
        if "numpy.ma" in sys.modules and isinstance(tensor, np.ma.MaskedArray):  # np.ma would be imported
            raise TypeError("tensor: expected an array that hides no element, got a masked one; pass its .data")
        return np.asarray(tensor)
    try:
        return np.asarray(memoryview(tensor))
    except (TypeError, ValueError):  # no buffer; one that was released
        raise TypeError("tensor: expected a NumPy array or another writable buffer, got "
                        f"{type(tensor).__name__}") from None


def target_of(tensor: Any, dtype: Any = None) -> tuple[np.ndarray, DType]:
    """The tensor's memory, of the dtype's storage type and any strides; refuses, before anything is written, what cannot be
    filled."""
    array = array_of(tensor)
    if not array.flags.writeable:
        raise ValueError("tensor: expected writable memory, got a read-only array")
    found = (None if dtype is not None else BY_NUMPY.get(array.dtype)) or resolve(dtype, array.dtype)
    if not array.flags.c_contiguous and _overlaps(array):
        raise ValueError(f"tensor: expected elements that do not overlap, got strides {array.strides} for shape "
                         f"{array.shape}")
    return (array if array.dtype is found.storage else array.view(found.storage)), found


def check_disjoint(tensors: Sequence[tuple[str, np.ndarray]]) -> None:
    """Refuses tensors that share memory: which values win would depend on the order of the work."""
    spans = []
    for name, array in tensors:
        if array.size:
            start = array.__array_interface__["data"][0]
            reach = [stride * (n - 1) for stride, n in zip(array.strides, array.shape)]
            spans.append((start + sum(min(r, 0) for r in reach), start + sum(max(r, 0) for r in reach) + array.itemsize,
                          name, array))
    reaching: list[Any] = []
    for span in sorted(spans, key=lambda span: span[:2]):
        reaching = [other for other in reaching if other[1] > span[0]]
        for other in reaching:
            if _share_memory(span[3], other[3]):
                names = sorted((other[2], span[2]), key=[name for name, _ in tensors].index)
                raise ValueError(f"tensor {names[1]!r}: shares memory with {names[0]!r}; leave one of the two out")
        reaching.append(span)


def _share_memory(a: np.ndarray, b: np.ndarray) -> bool:
    try:
        return np.shares_memory(a, b, max_work=2**20)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _overlaps(array: np.ndarray) -> bool:
    """Whether two elements share memory. Almost always told by the strides: each steps over all that smaller ones reach."""
    reach = array.itemsize
    for stride, n in sorted((abs(s), n) for s, n in zip(array.strides, array.shape) if n > 1):
        if stride < reach:
            break
        reach += stride * (n - 1)
    else:
        return False
    while array.size and array.ndim:  # two that share differ first on some axis, and can be moved until one is 0 there
        if _share_memory(array[:1], array[1:]):
            return True
        array = array[0, ...]
    return False


def check_words(dtype: DType, shape: Sequence[int], name: str, units: int = 1) -> None:
    words = math.prod(shape) * units * (2 if dtype.real == np.float64 else 1)
    if words > MAX_WORDS:
        raise ValueError(f"{name}: {tuple(shape)} takes {words} words of a stream, at most 2^48 are allowed")


def _threads_from_environment() -> int | None:
    for variable in ("FASTINIT_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "")
        if text.isdecimal() and int(text) > 0:
            return int(text)
        if text and variable == "FASTINIT_NUM_THREADS":  # OMP_NUM_THREADS may hold lists, which are not ours to judge
            raise ValueError(f"FASTINIT_NUM_THREADS: expected an int >= 1, got {text!r}")
    return None


threads_from_environment: int | None = _threads_from_environment()


def resolve_threads(num_threads: int | None) -> int:
    """How many threads a fill may use: the argument, FASTINIT_NUM_THREADS or OMP_NUM_THREADS (both as they were at import), but
    no more than there are CPUs, as they would wait for one another."""
    asked = threads_from_environment if num_threads is None else integer(num_threads, "num_threads", 1)
    available = cpus()
    return min(asked or available, available)


def cpus() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Piece = Callable[[], None]


def ns_per_byte(plan: Plan) -> float:
    """How long a byte of elements roughly takes."""
    return NS[plan.dist][plan.dtype.real.itemsize // 8] * SLOWER[_kernels.ISAS[isa]] / plan.dtype.itemsize


def _pieces(job: Job, nontemporal: bool, staging: int, share: float) -> Iterator[Piece]:
    """The job's work, cut small; each piece may run in any thread. A piece should take at most `share` ns."""
    memory = job.memory
    if memory.flags.c_contiguous and memory.shape == job.global_shape:  # the most common, also with more axes than loops like
        return _runs(job, memory.reshape(-1), (memory.size,), (0,), nontemporal, share)
    if memory.flags.c_contiguous or _inner(memory) >= DIRECT:
        return _runs(job, memory, job.global_shape, job.offset, nontemporal, share)
    return (partial(_fill_tile, job, at, shape) for at, shape in blocks.tiles(memory.shape, max(staging // memory.itemsize, 1)))


def _inner(memory: np.ndarray) -> int:
    """Elements that lie one behind the other, at the least."""
    axes = blocks.merged(memory.shape, memory.strides)
    return axes[-1][0] if axes and axes[-1][1] == memory.itemsize else 1


def _elements_in(share: float, element_ns: float) -> int:
    """How many take `share` ns: whole pages as a rule, so that neighbours share no line."""
    return min(PIECE, max(int(share / element_ns) // 4096 * 4096, 4096))


def _runs(job: Job, memory: np.ndarray, global_shape: tuple[int, ...], offset: tuple[int, ...], nontemporal: bool,
          share: float) -> Iterator[Piece]:
    itemsize, kernel, ns = memory.itemsize, job.plan.kernel, ns_per_byte(job.plan) * memory.itemsize
    most = _elements_in(share, ns)
    found = blocks.runs(memory.shape, memory.strides, itemsize, global_shape, offset)
    for start, length, stride, repeat, position, pitch in found:
        bypass = nontemporal and length * itemsize >= NONTEMPORAL_RUN
        if length <= most:
            step = max(1, int(share / (RUN_NS * SLOWER[_kernels.ISAS[isa]] + length * ns)))
            for j in range(0, repeat, step):
                yield partial(_kernels.fill, kernel, job.key, isa, bypass, start + j * stride, length, stride,
                              min(step, repeat - j), memory, position + j * pitch, pitch, itemsize)
        else:
            for j in range(repeat):
                for first in range(0, length, most):
                    yield partial(_kernels.fill, kernel, job.key, isa, bypass, start + j * stride + first,
                                  min(most, length - first), 0, 1, memory, position + j * pitch + first * itemsize, 0, itemsize)


def _fill_tile(job: Job, at: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """One tile of memory that is scattered, by way of a contiguous copy."""
    tile = np.empty(shape, job.memory.dtype)
    for piece in _runs(job, tile, job.global_shape, tuple(o + a for o, a in zip(job.offset, at)), False, PIECE_NS):
        piece()
    job.memory[tuple(slice(a, a + n) for a, n in zip(at, shape))] = tile


def execute_one(job: Job, num_threads: int | None = None) -> None:
    """As `execute`, with a short way for what is one run, in memory and in the stream."""
    start = _start_of_run(job)
    if start is None:
        execute([job], num_threads)
    else:
        execute_run(job.plan.kernel, ns_per_byte(job.plan), job.key, start, job.memory, num_threads, job.fresh)


def execute_run(kernel: _kernels.Plan, byte_ns: float, key: bytes, start: int, memory: np.ndarray, num_threads: int | None,
                fresh: bool = False) -> None:
    """Elements from `start` on to all of contiguous memory. Threads share them in C, where they need not wait for the
    interpreter."""
    ns = memory.nbytes * byte_ns
    if ns < SMALL_NS:
        _kernels.fill(kernel, key, isa, False, start, memory.size, 0, 1, memory, 0, 0, memory.itemsize)
        return
    threads = resolve_threads(num_threads)
    awake, asleep = (min(threads, max(1, int(ns / least))) for least in (THREAD_NS_AWAKE, THREAD_NS))
    part = _elements_in(PIECE_NS if awake == 1 else min(PIECE_NS, ns / (8 * awake)), byte_ns * memory.itemsize)
    nontemporal = memory.nbytes >= NONTEMPORAL_BYTES and not fresh
    _kernels.fill_shared(kernel, key, isa, nontemporal, start, memory, part, awake, asleep)


def _start_of_run(job: Job) -> int | None:
    """The first element, if the job's are consecutive and so is its memory."""
    memory = job.memory
    if not memory.flags.c_contiguous:
        return None
    if memory.shape == job.global_shape:
        return 0
    found = blocks.runs(memory.shape, memory.strides, memory.itemsize, job.global_shape, job.offset)
    first = next(found, None)
    return first.start if first and first.length == memory.size else None


def execute(jobs: Sequence[Job], num_threads: int | None = None) -> None:
    """Fill every job's target. The bytes do not depend on how the work is shared out."""
    ns = sum([job.memory.nbytes * ns_per_byte(job.plan) for job in jobs])
    threads = min(resolve_threads(num_threads), max(1, int(ns / THREAD_NS)))
    nontemporal = sum([job.memory.nbytes for job in jobs]) >= NONTEMPORAL_BYTES
    share = PIECE_NS if threads == 1 else min(PIECE_NS, ns / (4 * threads))  # several for each, as one may be held up
    pieces = itertools.chain.from_iterable(
        _pieces(job, nontemporal and not job.fresh, STAGING_BYTES // threads, share) for job in jobs)
    if threads == 1:
        for piece in pieces:
            piece()
    else:
        _share(pieces, threads)


if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_pool_lock = threading.Lock()


def _get_pool(workers: int) -> ThreadPoolExecutor:
    global _pool, _pool_size
    with _pool_lock:
        if _pool is None or _pool_size < workers:
            from concurrent.futures import ThreadPoolExecutor  # 3 ms, which importing fastinit need not take

            _pool, _pool_size = ThreadPoolExecutor(workers, "fastinit"), workers
        return _pool


def _forget_pool() -> None:
    """A forked child has the pool but not its threads."""
    global _pool
    _pool = None
    _pool_lock.release()


if hasattr(os, "register_at_fork"):
    # A fork waits while another thread makes the pool: the child would wait for ever for a module that is half imported.
    os.register_at_fork(before=lambda: _pool_lock.acquire(), after_in_parent=lambda: _pool_lock.release(),
                        after_in_child=_forget_pool)


def _share(pieces: Iterable[Piece], threads: int) -> None:
    """Run the pieces in the calling thread and threads - 1 others; the first exception stops all and is raised. No thread
    runs a piece once this has returned or raised, whatever interrupts it."""
    work, state = iter(pieces), threading.Condition()
    stopped, running = False, 0  # running counts the helpers' pieces; only the calling thread can be interrupted
    errors: list[BaseException] = []

    def take() -> Piece | None:
        try:
            return None if stopped or errors else next(work, None)
        except BaseException as error:  # in a helper it would be lost with the pool's future, and the fill look complete
            errors.append(error)
            return None

    def help_out() -> None:
        nonlocal running
        while True:
            with state:
                piece = take()
                if piece is None:
                    return
                running += 1
            try:
                piece()
            except BaseException as error:
                errors.append(error)
            finally:
                with state:
                    running -= 1
                    state.notify_all()

    again: BaseException | None = None
    try:
        try:
            pool = _get_pool(threads - 1)
            for _ in range(threads - 1):
                pool.submit(help_out)
        except (RuntimeError, ImportError):  # no thread to be had (limits, interpreter exit): this one does the work
            pass
        while True:
            with state:
                piece = take()
            if piece is None:
                break
            piece()
    finally:
        while True:
            try:
                with state:
                    stopped = True
                    state.wait_for(lambda: running == 0)
                break
            except KeyboardInterrupt as error:
                again = error
    for raised in (*errors, again):
        if raised is not None:
            raise raised
