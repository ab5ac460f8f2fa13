"""What a fill touches and costs besides its values: memory around the buffer, threads, interrupts, processes."""

import ctypes
import importlib
import mmap
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastinit as fi
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


def test_threads_share_and_release_the_gil():
    w, ticks, done = np.empty(2**24, "f4"), [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    fi.normal_(w, seed=0, num_threads=1)
    done.set()
    ticker.join()
    assert len(ticks) > 3


def test_many_python_threads_at_once():
    expected = [fi.normal(300_000, seed=i, num_threads=1) for i in range(4)]
    wrong = []

    def work(i):
        for _ in range(10):
            if not np.array_equal(fi.normal(300_000, seed=i, num_threads=2), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_failure_in_a_worker_stops_the_fill(monkeypatch):
    def broken(*args):
        raise RuntimeError("broken on purpose")

    w = np.empty(2**22, "f4")
    with monkeypatch.context() as patch:
        patch.setattr(fill_module._kernels, "fill", broken)
        with pytest.raises(RuntimeError, match="on purpose"):
            fi.normal_(w, seed=0, num_threads=2)
    assert np.array_equal(fi.normal_(w, seed=0, num_threads=2), fi.normal(2**22, seed=0, num_threads=1))


def test_no_thread_to_be_had(monkeypatch):
    def refuse(*args):
        raise RuntimeError("can't start new thread")

    expected = fi.normal(2**22, seed=0, num_threads=1)
    monkeypatch.setattr(fill_module, "_get_pool", refuse)
    assert np.array_equal(fi.normal(2**22, seed=0, num_threads=2), expected)


INTERRUPTED = """
import time, numpy as np, fastinit as fi
w = np.zeros(2**28, "f4")
print("ready", flush=True)
try:
    while True:
        fi.normal_(w, seed=0, num_threads=2)
except KeyboardInterrupt:
    print(time.time(), np.array_equal(fi.normal_(w[:5000], seed=0), fi.normal(5000, seed=0)), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_is_answered_soon():
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        answered, right = process.stdout.readline().split()
    assert float(answered) - sent < 0.2 and right == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_after_threads():
    code = """
import os, warnings, numpy as np, fastinit as fi
warnings.simplefilter("ignore")  # of forking with threads, which is the point
a = fi.normal(2**22, seed=0, num_threads=2)
pid = os.fork()
if pid == 0:
    os._exit(0 if np.array_equal(fi.normal(2**22, seed=0, num_threads=2), a) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's numbering of rounding modes and MXCSR")
def test_the_callers_floating_point_environment_does_not_show():
    libm = ctypes.CDLL("libm.so.6")
    expected = {name: getattr(fi, name)(np.empty(5000, "f4"), *args, seed=1) for name, args in LAWS}
    before = libm.fegetround()
    for mode in (0x400, 0x800, 0xC00) if os.uname().machine == "x86_64" else (0x400000, 0x800000, 0xC00000):
        got = {name: np.empty(5000, "f4") for name, _ in LAWS}
        plans = {name: args for name, args in LAWS}
        assert libm.fesetround(mode) == 0
        try:
            for name, args in plans.items():
                getattr(fi, name)(got[name], *args, seed=1)
            assert libm.fegetround() == mode
        finally:
            libm.fesetround(before)
        assert all(np.array_equal(got[name], expected[name]) for name in got)


def test_extra_memory_is_small():
    code = """
import resource, numpy as np, fastinit as fi
w = np.zeros(2**24, "u2").reshape(4096, 4096)
fi.trunc_normal_(w[:8, ::2].T, dtype="bfloat16", seed=0, num_threads=2)
fi.trunc_normal_(w[:512], dtype="bfloat16", seed=0, num_threads=2)  # the pool is up
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fi.trunc_normal_(w, dtype="bfloat16", seed=0, num_threads=2)
fi.trunc_normal_(w[:, ::2].T, dtype="bfloat16", seed=0, num_threads=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    kib = int(subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert kib <= 1024
