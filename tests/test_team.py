"""Threads that share one run in C: parts, interrupts, and what they cost when there is nothing to do."""

import importlib
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

import fastinit as fi
from fastinit import _kernels
from fastinit.calls import INITIALIZERS
from fastinit.dtypes import DTYPES

fill_module = importlib.import_module("fastinit.fill")
KEY = bytes(range(32))


def shared(w, start=0, part=4096, awake=2, asleep=2, often=1, stream=False):
    _kernels.fill_shared(plan(w), KEY, fill_module.isa, stream, start, w, w.itemsize, part, awake, asleep, often)
    return w


def plan(w):
    return INITIALIZERS["trunc_normal"].law(w.shape, DTYPES[str(w.dtype)]).plan.kernel


def alone(w, start=0):
    _kernels.fill(plan(w), KEY, fill_module.isa, False, start, w.size, 0, 1, w, 0, 0, w.itemsize)
    return w


@pytest.mark.parametrize("part", [1, 77, 4096, 10**6])
@pytest.mark.parametrize(("awake", "asleep"), [(1, 1), (3, 1), (2, 2), (5, 3), (9, 9)])
def test_any_parts_and_threads(part, awake, asleep):
    for start, n, dtype in [(0, 5000, "float32"), (2**33 + 5, 4999, "float64"), (3, 1, "float16")]:
        expected = alone(np.empty(n, dtype), start)
        for stream in (False, True):
            found = shared(np.zeros(n, dtype), start, part, awake, asleep, stream=stream)
            assert found.tobytes() == expected.tobytes()


def test_call_follows_call():
    """Helpers are handed work while they look out for it, fall asleep, or wake: gaps around the time that they stay awake."""
    expected = alone(np.empty(20_000, "f4"))
    w = np.empty_like(expected)
    for i in range(3000):
        w[:] = 0
        shared(w, part=1000, awake=3, asleep=i % 4)
        assert np.array_equal(w, expected)
        end = time.perf_counter() + i % 16 * 1e-5
        while time.perf_counter() < end:
            pass


class Interrupted(Exception):
    pass


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")
def test_an_exception_from_a_signal_handler_ends_the_fill():
    def interrupt(*_):
        raise Interrupted

    w = np.empty(2**22)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(20):
            w[:] = 0
            signal.setitimer(signal.ITIMER_REAL, 2e-3)
            with pytest.raises(Interrupted):
                while True:
                    shared(w, awake=4, asleep=4)
            after = w.copy()
            time.sleep(1e-3)
            assert np.array_equal(after, w)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert np.array_equal(shared(w), alone(np.empty_like(w)))


def script(code):
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout.split()


START = """
import os, time, numpy as np, fastinit as fi
w = np.empty(2**22, "f4")
fill = lambda threads: fi.normal_(w, seed=0, num_threads=threads)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc, affinity")


@linux
def test_threads_are_kept_and_no_more_than_asked_for():
    code = START + """
count = lambda: len(os.listdir("/proc/self/task"))
first = count()
for threads in (1, 2, 2, 4, 3, 4):
    fill(threads)
    print(count() - first)
"""
    assert script(code) == ["0", "1", "1", "3", "3", "3"]


def test_idle_helpers_sleep():
    """Time of the processor, over all threads, in half a second after a fill."""
    idle, *_ = map(float, script(START + """
for _ in range(20):
    fill(2)
start = time.process_time()
time.sleep(0.5)
print(time.process_time() - start)
"""))
    assert idle < 0.05


@linux
def test_one_processor_for_all_threads():
    code = START + """
expected = fill(1).copy()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
start = time.perf_counter()
for _ in range(20):
    fill(4)
print(np.array_equal(w, expected), time.perf_counter() - start)
"""
    right, seconds = script(code)
    assert right == "True"
    assert float(seconds) < 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_has_helpers_of_its_own():
    code = START + """
expected = fill(4).copy()
pid = os.fork()
if pid == 0:
    w[:] = 0
    fill(4)
    os._exit(np.array_equal(w, expected) and len(os.listdir("/proc/self/task")) in (4, 0))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""".replace('len(os.listdir("/proc/self/task")) in (4, 0)', 'len(os.listdir("/proc/self/task")) == 4' if sys.platform == "linux"
            else "True")
    assert script(code) == ["1"]


def test_many_calls_at_once():
    """From threads of Python that want the same helpers."""
    import threading

    expected, wrong = alone(np.empty(50_000, "f4")), []

    def work():
        w = np.empty_like(expected)
        for i in range(300):
            w[:] = 0
            if not np.array_equal(shared(w, part=1000 + i, awake=4, asleep=4), expected):
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
