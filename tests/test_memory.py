"""What a fill touches and costs besides its values: memory around the buffer, memory of its own, threads."""

import ctypes
import importlib
import mmap
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastinit as fi
from fastinit import _kernels
from fastinit.calls import INITIALIZERS
from fastinit.dtypes import DTYPES

fill_module = importlib.import_module("fastinit.fill")
LAWS = [("constant_", (1.0,)), ("uniform_", ()), ("normal_", ()), ("trunc_normal_", ())]


@pytest.fixture(scope="module")
def guarded():
    """A page of memory between two that must not be touched: doing so kills the process."""
    page = mmap.PAGESIZE
    region = mmap.mmap(-1, 3 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(region))
    libc = ctypes.CDLL(None, use_errno=True)
    for guard in (start, start + 2 * page):
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    memory = np.frombuffer((ctypes.c_char * page).from_address(start + page), np.uint8)
    yield memory
    for guard in (start, start + 2 * page):
        libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE)


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect through libc")
@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("name, args", LAWS)
def test_no_byte_outside_is_touched(guarded, isa, name, args, dtype):
    for n in range(1, 300):
        for memory in (guarded[:n * dtype.itemsize], guarded[-n * dtype.itemsize:]):
            getattr(fi, name)(memory.view(dtype.storage), *args, seed=1, dtype=dtype.name)


def test_the_gil_is_released_within_a_call():
    w, ticks, done = np.zeros(2**26, "f4"), [], threading.Event()
    plan = INITIALIZERS["normal"].law(w.shape, DTYPES["float32"]).plan.kernel

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    _kernels.fill(plan, bytes(32), fill_module.isa, 0, w.size, 0, 1, w, 0, 4)  # one call, tens of milliseconds
    end = time.perf_counter()
    done.set()
    ticker.join()
    assert sum(start < t < end for t in ticks) > 3


def test_failure_in_a_worker_stops_the_fill(monkeypatch):
    def broken(*args):
        raise RuntimeError("broken on purpose")

    w = np.empty(2**22, "f4")
    with monkeypatch.context() as patch:
        patch.setattr(fill_module._kernels, "fill", broken)
        with pytest.raises(RuntimeError, match="on purpose"):
            fi.normal_(w, seed=0, num_threads=2)
    assert np.array_equal(fi.normal_(w, seed=0, num_threads=2), fi.normal(2**22, seed=0, num_threads=1))


def test_nothing_is_written_after_an_interrupted_fill(monkeypatch):
    """Helpers are waited for, even if the interrupt comes while they are being asked."""
    w = np.zeros(2**23, "f4")

    class Interrupting:
        def __init__(self, pool):
            self.pool = pool

        def submit(self, work):
            self.pool.submit(work)
            raise KeyboardInterrupt

    pool = fill_module._get_pool(1)
    monkeypatch.setattr(fill_module, "_get_pool", lambda workers: Interrupting(pool))
    with pytest.raises(KeyboardInterrupt):
        fi.normal_(w, seed=0, num_threads=2)
    after = w.copy()
    time.sleep(0.1)
    assert np.array_equal(w, after)


PEAK = """
import numpy as np, fastinit as fi
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
w = np.ones((4096, 4096), "u2")
calls = [lambda: fi.trunc_normal_(w, dtype="bfloat16", seed=0, num_threads=2),
         lambda: fi.trunc_normal_(w[:, ::2].T, dtype="bfloat16", seed=0, num_threads=2)]
for call in calls:
    call()  # the pool is up, the heap is warm
open("/proc/self/clear_refs", "w").write("5")  # the peak is forgotten
before = peak()
HIDDEN
for call in calls:
    call()
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_extra_memory_is_small():
    def grown(hidden):
        run = [sys.executable, "-W", "ignore", "-c", PEAK.replace("HIDDEN", hidden)]
        return int(subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout)

    assert grown("") <= 1024  # KiB
    assert grown("calls.insert(0, lambda: w.copy())") > 16000, "the control, a full-size temporary, is not seen"
