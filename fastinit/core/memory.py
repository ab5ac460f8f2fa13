"""Plans into memory: checks of the target, how many threads, how work is cut. The threads themselves are C's (team.c)."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import _kernels, blocks
from .arguments import integer
from .dtypes import BY_NUMPY, DType, resolve
from .plan import Plan

__all__ = ["Job", "at_address", "execute", "execute_run", "resolve_threads", "run", "target_of"]

# Words that one tensor may use: pairs on one orbit are clean up to distance 2^50 (src_c/README.md, section 1).
MAX_WORDS = 2**48
# Roughly how long an element takes, in ns: AVX-512, float32 and float64; and how much longer on other instruction sets.
# Measured on a Zen 5, NEON guessed; what follows from it is how work is cut, never a value.
NS = {"constant": (0.05, 0.1), "uniform": (0.1, 0.2), "normal": (0.2, 0.5), "trunc_normal": (0.3, 0.7)}
SLOWER = {"avx512vbmi2": 1.0, "avx512": 1.0, "avx2": 2.5, "neon": 5.0, "scalar": 50.0}
RUN_NS = 60.0  # to start on a run
# Between two looks at signals and at the work list: short beside the 200 ms in which an interrupt is answered, even where the
# guess is far off.
PIECE_NS = 5e5
PIECE = 2**22  # elements, at the most
# What each thread must have to do: to wake one takes 25-50 us, one that still looks out for work begins at once.
THREAD_NS = 1e5
THREAD_NS_AWAKE = 2e4
# Below this one thread does all.
SMALL_NS = 2 * THREAD_NS_AWAKE
# From here on stores bypass the caches, unless the memory is fresh. Measured, one buffer filled over and over by one thread,
# with 32 MiB of last-level cache: up to 16 MiB ordinary stores are faster, from 32 MiB on non-temporal ones.
NONTEMPORAL_BYTES = 2**25
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


class _Exporter:
    def __init__(self, interface: dict[str, Any], owner: Any) -> None:
        self.__array_interface__, self.owner = interface, owner


def at_address(address: int, storage: np.dtype, shape: Sequence[int], strides: Sequence[int] | None = None,
               owner: Any = None) -> np.ndarray:
    """Memory as an array, with strides in bytes, which keeps its owner. A device's serves for its address, shape and strides,
    which are what checks and index arithmetic want; its elements must not be touched."""
    return np.asarray(_Exporter({"version": 3, "typestr": storage.str, "data": (address, False), "shape": tuple(shape),
                                 "strides": None if strides is None else tuple(strides)}, owner))


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
    if not _kernels.may_overlap([array for _, array in tensors]):
        return
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


def ns_per_byte(plan: Plan) -> float:
    """How long a byte of elements roughly takes."""
    return NS[plan.dist][plan.dtype.real.itemsize // 8] * SLOWER[_kernels.ISAS[isa]] / plan.dtype.itemsize


# A job of the plainest kind: kernel, ns that a byte takes, key, and all of an array without gaps, which was touched before.
Whole = tuple[_kernels.Plan, float, bytes, np.ndarray]


def execute(jobs: Sequence[Job], num_threads: int | None = None, wholes: Sequence[Whole] = ()) -> None:
    """Fill every job's target. The bytes do not depend on how the work is shared out."""
    if len(jobs) == 1 and not wholes and _is_whole(jobs[0]):
        plan, key, memory, _, _, fresh = jobs[0]
        return execute_run(plan.kernel, ns_per_byte(plan), key, memory, num_threads, fresh)
    work, ns = _kernels.Jobs(), 0.0
    large = sum([job.memory.nbytes for job in jobs] + [memory.nbytes for *_, memory in wholes]) >= NONTEMPORAL_BYTES
    for kernel, byte_ns, key, memory in wholes:
        work.add(kernel, key, 0, memory, large, byte_ns * memory.itemsize, 0.0)
        ns += memory.nbytes * byte_ns
    run_ns = RUN_NS * SLOWER[_kernels.ISAS[isa]]
    for job in jobs:
        memory, byte_ns = job.memory, ns_per_byte(job.plan)
        if memory.size:
            start, axes = 0, None
            if not _is_whole(job):
                start, axes = blocks.placed(memory.shape, memory.strides, job.global_shape, job.offset)
            nontemporal = large and not job.fresh
            work.add(job.plan.kernel, job.key, start, memory, nontemporal, byte_ns * memory.itemsize, run_ns, axes)
            ns += memory.nbytes * byte_ns
    run(work, ns, num_threads)


def _is_whole(job: Job) -> bool:
    """Whether the job is all of the stream's first elements, in memory without gaps."""
    return job.memory.flags.c_contiguous and job.memory.shape == job.global_shape


def execute_run(kernel: _kernels.Plan, byte_ns: float, key: bytes, memory: np.ndarray, num_threads: int | None,
                fresh: bool = False) -> None:
    """As `execute`, of all of one contiguous array."""
    ns = memory.nbytes * byte_ns
    if ns < SMALL_NS:
        _kernels.fill(kernel, key, isa, False, 0, memory.size, 0, 1, memory, 0, 0)
        return
    work = _kernels.Jobs()
    work.add(kernel, key, 0, memory, memory.nbytes >= NONTEMPORAL_BYTES and not fresh, byte_ns * memory.itemsize, 0.0)
    run(work, ns, num_threads)


def run(work: _kernels.Jobs, ns: float, num_threads: int | None) -> None:
    """Jobs that take about so many ns, by as many threads as that is worth."""
    if ns < SMALL_NS:
        work.fill(isa, 1, 1, STAGING_BYTES, PIECE_NS, PIECE)
        return
    threads = resolve_threads(num_threads)
    awake = min(threads, max(1, int(ns / THREAD_NS_AWAKE)))
    share = PIECE_NS if awake == 1 else min(PIECE_NS, ns / (8 * awake))  # several for each, as one may be held up
    work.fill(isa, awake, min(threads, max(1, int(ns / THREAD_NS))), STAGING_BYTES, share, PIECE)
