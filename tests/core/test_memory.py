"""What a fill touches and costs besides its values: memory around the buffer, memory of its own, threads."""

import array
import ctypes
import mmap
import subprocess
import sys
import threading
import time
from multiprocessing import shared_memory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastinit as fi
from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.core.calls import INITIALIZERS
from fastinit.core.dtypes import DTYPES

LAWS = [("constant_", (1.0,)), ("uniform_", ()), ("normal_", ()), ("trunc_normal_", ()),
        ("trunc_normal_", (0.0, 1.0, 3.0, 9.0)), ("trunc_normal_", (0.0, 1.0, -1e-3, 1e-3))]


PAGES = 2  # as many as 300 elements of 8 bytes with a stride of 3 need


@pytest.fixture(scope="module")
def guarded():
    """Pages of memory between two that must not be touched: doing so kills the process."""
    page = mmap.PAGESIZE
    region = mmap.mmap(-1, (PAGES + 2) * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(region))
    libc = ctypes.CDLL(None, use_errno=True)
    guards = (start, start + (PAGES + 1) * page)
    for guard in guards:
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    yield np.frombuffer((ctypes.c_char * (PAGES * page)).from_address(start + page), np.uint8)
    for guard in guards:
        libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE)


def at_both_ends(memory, n, dtype, step):
    """Views of n elements whose first, or last, byte is that of the memory, forwards and backwards."""
    size = ((n - 1) * step + 1) * dtype.itemsize
    for part in (memory[:size], memory[len(memory) - size:]):
        yield from (part.view(dtype.storage)[::step], part.view(dtype.storage)[::-step])


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect through libc")
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("name, args", LAWS)
def test_no_byte_outside_is_touched(guarded, isa, name, args, dtype):
    """Alone, as the end of a longer tensor, and as columns of a wide one: with pages out of bounds behind and before, and no
    byte between the elements changed."""
    fill, where = getattr(fi, name), {"seed": 1, "dtype": dtype.name}
    whole = fill(np.empty(4096 + 300, dtype.storage), *args, **where)
    for n in range(1, 301):
        block = {"global_shape": whole.shape, "offset": (4096 + 300 - n,)}
        for step, options, expected in [(1, {}, whole[:n]), (1, block, whole[-n:]), (3, block, whole[-n:])]:
            for view in at_both_ends(guarded, n, dtype, step):
                guarded[:] = 0x5A
                fill(view, *args, **where, **options)
                assert view.tobytes() == expected.tobytes()
                view.view(f"u{dtype.itemsize}")[...] = 0x5A5A5A5A5A5A5A5A >> 64 - 8 * dtype.itemsize
                assert (guarded == 0x5A).all()


KINDS = {  # (3, 4) objects of float64
    "matrix": lambda: np.matrix(np.zeros((3, 4))),
    "matrix, transposed": lambda: np.matrix(np.zeros((4, 3))).T,
    "subclass": lambda: np.zeros((3, 4)).view(type("Mine", (np.ndarray,), {})),
    "field": lambda: np.zeros((3, 4), [("pad", "u1"), ("x", "f8"), ("y", "f4")])["x"],
    "field of a field": lambda: np.zeros((3, 4), [("a", [("pad", "u2"), ("x", "f8")])])["a"]["x"],
    "subarray field": lambda: np.zeros(3, [("pad", "u1"), ("x", "f8", 4)])["x"],
    "attribute of records": lambda: np.zeros((3, 4), [("pad", "u1"), ("x", "f8")]).view(np.recarray).x,
    "imaginary part": lambda: np.zeros((3, 4), "c16").imag,
    "[..., ::3]": lambda: np.zeros((3, 12))[..., ::3],
    "[::-1, ::-2]": lambda: np.zeros((3, 8))[::-1, ::-2],
    "diagonal": lambda: np.einsum("iij->ij", np.zeros((3, 3, 4))),
    "interleaved": lambda: np.ndarray((3, 4), "f8", bytearray(200), 0, (16, 40)),
    "data of a masked array": lambda: np.ma.masked_array(np.zeros((3, 4)), np.eye(3, 4)).data,
    "memoryview of an mmap": lambda: memoryview(mmap.mmap(-1, 96)).cast("d", (3, 4)),
    "memoryview with strides": lambda: memoryview(np.zeros((4, 6))[::-1, ::2].T),
    "ctypes": lambda: (4 * ctypes.c_double * 3)(),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_memory(kind):
    for name, args in LAWS:
        target = KINDS[kind]()
        assert getattr(fi, name)(target, *args, seed=1) is target
        assert np.array_equal(np.asarray(target), getattr(fi, name)(np.empty((3, 4)), *args, seed=1))


def test_one_element_and_none():
    """0-d arrays, alone and within others; empty ones, with strides that would overlap had they elements."""
    for name, args in LAWS:
        first = getattr(fi, name)(np.empty(1), *args, seed=1)[0]
        for target in (np.zeros(()), np.zeros((2, 3))[1, 2, ...], np.zeros(2, [("pad", "u1"), ("x", "f8")])["x"][1, ...]):
            assert getattr(fi, name)(target, *args, seed=1) is target and target == first
        for shape in [(0,), (3, 0), (0, 4), (2, 0, 2)]:
            target = np.ndarray(shape, "f8", bytearray(8), 0, (0,) * len(shape))
            assert getattr(fi, name)(target, *args, seed=1) is target


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-14, 14)), max_size=3), st.sampled_from(["f2", "f4", "f8"]))
def test_overlap_is_told_exactly(axes, dtype):
    """Refused if and only if two elements share a byte."""
    shape, strides = [n for n, _ in axes], [stride for _, stride in axes]
    memory = np.full(300, 0x5A, "u1")
    target = np.ndarray(shape, dtype, memory, 150, strides)
    count = np.zeros(300, int)
    for index in np.ndindex(*shape):
        at = 150 + sum(i * stride for i, stride in zip(index, strides))
        count[at:at + target.itemsize] += 1
    if count.max() > 1:
        with pytest.raises(ValueError, match="^tensor: expected elements that do not overlap, got strides"):
            fi.normal_(target, seed=1)
        assert (memory == 0x5A).all()
    else:
        assert np.array_equal(fi.normal_(target, seed=1), fi.normal(shape, seed=1, dtype=dtype))
        assert (memory[count == 0] == 0x5A).all()


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_files_and_shared_memory(dtype, tmp_path):
    """Mapped files, misaligned and in Fortran order; a copy-on-write map, whose file stays; another process's memory."""
    expected = fi.trunc_normal((30, 40), seed=1, dtype=dtype.name)
    file = tmp_path / "weights"
    for order, offset in (("C", 0), ("F", 13)):
        mapped = np.memmap(file, dtype.storage, "w+", offset, (30, 40), order)
        fi.trunc_normal_(mapped, seed=1, dtype=dtype.name).flush()
        assert file.read_bytes()[offset:] == expected.tobytes(order)
    before = file.read_bytes()
    copied = fi.uniform_(np.memmap(file, dtype.storage, "c", offset, (30, 40)), seed=1, dtype=dtype.name)
    assert copied.tobytes() == fi.uniform((30, 40), seed=1, dtype=dtype.name).tobytes() and file.read_bytes() == before
    memory = shared_memory.SharedMemory(create=True, size=expected.nbytes)
    try:
        w = np.ndarray(expected.shape, dtype.storage, memory.buf)
        fi.trunc_normal_(w, seed=1, dtype=dtype.name)
        elsewhere = shared_memory.SharedMemory(memory.name)
        assert bytes(elsewhere.buf[:expected.nbytes]) == expected.tobytes()
        elsewhere.close()
        del w
    finally:
        memory.close()
        memory.unlink()


N = 2**22


def in_array():
    target = array.array("d", bytes(8 * N))
    return target, lambda: target.append(0.0), lambda: target[0] != 0, lambda: target[N - 1] != 0


def in_view():
    memory = bytearray(8 * N)
    target = memoryview(memory).cast("d")
    return target, lambda: target.release() or memory.append(0), lambda: any(memory[:8]), lambda: any(memory[8 * N - 8:8 * N])


@pytest.mark.parametrize("make", [in_array, in_view])
def test_memory_is_held_during_a_fill(make, monkeypatch):
    """What would move or free it raises BufferError, from the first element to the last."""
    monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index("scalar"))  # a tenth of a second, say
    target, move, begun, ended = make()
    fill = threading.Thread(target=fi.trunc_normal_, args=(target,), kwargs={"a": -0.5, "seed": 1, "num_threads": 1})
    fill.start()
    while not begun():
        assert fill.is_alive()
    refused = 0
    while True:
        try:
            move()
        except BufferError:
            refused += 1
        else:
            assert ended(), "let go before the end"
            break
    fill.join()
    assert refused


def test_the_gil_is_released_within_a_call():
    w, ticks, done = np.zeros(2**26, "f4"), [], threading.Event()
    plan = INITIALIZERS["normal"].definition(w.shape, DTYPES["float32"]).plan.kernel

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        start = time.perf_counter()
        _kernels.fill(plan, bytes(32), core_memory.isa, False, 0, w.size, 0, 1, w, 0, 0)  # one call, tens of milliseconds
        end = time.perf_counter()
    finally:
        done.set()
        ticker.join()
    assert sum(start < t < end for t in ticks) > 3


PEAK = """
import numpy as np, fastinit as fi
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
w = np.ones((4096, 4096), "u2")
calls = [lambda: fi.trunc_normal_(w, dtype="bfloat16", seed=0, num_threads=2),
         lambda: fi.trunc_normal_(w[:, ::2].T, dtype="bfloat16", seed=0, num_threads=2)]
for call in calls:
    call()  # the pool is up, the heap is warm
many = {str(i): part for i, part in enumerate(np.ones((50_000, 4), "f4"))}
open("/proc/self/clear_refs", "w").write("5")  # the peak is forgotten
before = peak()
HIDDEN
for call in calls:
    call()
arrays, before = peak() - before, peak()
fi.fill(many, {"1*": fi.Zeros(), "*": fi.Normal()}, seed=0)
print(arrays, (peak() - before) * 1024 // len(many))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_extra_memory_is_small():
    def grown(hidden):
        run = [sys.executable, "-W", "ignore", "-c", PEAK.replace("HIDDEN", hidden)]
        out = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout
        return [int(number) for number in out.split()]

    kibibytes, bytes_a_tensor = grown("")
    assert kibibytes <= 1024 and 100 < bytes_a_tensor <= 1024
    kibibytes, _ = grown("calls.insert(0, lambda: w.copy())")
    assert kibibytes > 16000, "the control, a full-size temporary, is not seen"


CACHES = """
import gc, sys, tracemalloc
import numpy as np
import fastinit as fi

w = np.empty((2, 2), "f4")

def use(i):
    x = 1e-2 + i * 1e-5
    fi.normal_(w, 0.0, x, seed=i, name=f"layer {i}")
    fi.uniform_(w, -x, x, seed=i)
    fi.constant_(w, x)
    if i < 100:  # as these plans take a few ms, and truncation.py's caches are full long before
        fi.trunc_normal_(w, 0.0, 1.0, -1 - x, 1 + 2 * x)
    fi.kaiming_normal_(np.empty((2, i), "f4"), a=x, name="long" * 25_000 + str(i))
    fi.fill({f"layer {i}": w}, {f"layer {i}*": fi.Normal(std=1 + x)}, seed=[i] * 9)

use(1)
gc.collect()
tracemalloc.start()
for i in range(2, 600):
    use(i)
gc.collect()
print(tracemalloc.get_traced_memory()[0])
"""


def test_caches_are_small():
    """What is kept after more calls than any cache has entries, of new numbers, shapes, names, seeds and patterns each."""
    kept = int(subprocess.run([sys.executable, "-c", CACHES], check=True, capture_output=True, text=True).stdout)
    assert kept <= 0.9 * 2**20
