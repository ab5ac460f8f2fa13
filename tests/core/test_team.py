"""Threads that share one run in C: parts, interrupts, and what they cost when there is nothing to do."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastinit as fi
from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.core.calls import INITIALIZERS
from fastinit.core.dtypes import DTYPES

KEY = bytes(range(32))
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc, affinity")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


def plan(w):
    return INITIALIZERS["trunc_normal"].definition(w.shape, DTYPES[str(w.dtype)]).plan.kernel


def shared(w, start=0, part=4096, awake=2, asleep=2, nontemporal=False, isa=None):
    work = _kernels.Jobs()
    work.add(plan(w), KEY, start, w, nontemporal, 1, 0)
    work.fill(core_memory.isa if isa is None else isa, awake, asleep, 0, 1e9, part)
    return w


def alone(w, start=0):
    _kernels.fill(plan(w), KEY, core_memory.isa, False, start, w.size, 0, 1, w, 0, 0)
    return w


@pytest.mark.parametrize("part", [1, 77, 4096, 10**6])
@pytest.mark.parametrize(("awake", "asleep"), [(1, 1), (3, 1), (2, 2), (5, 3), (9, 9)])
def test_any_parts_and_threads(part, awake, asleep):
    for start, n, dtype in [(0, 5000, "float32"), (2**33 + 5, 4999, "float64"), (3, 1, "float16"), (0, 0, "float32")]:
        expected = alone(np.empty(n, dtype), start)
        for nontemporal in (False, True):
            found = shared(np.zeros(n, dtype), start, part, awake, asleep, nontemporal)
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


def test_many_calls_at_once():
    """From threads of Python that want the same helpers."""
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


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("count", [1, 7, 500])
def test_many_jobs_are_one_work(count):
    """Of several dtypes, contiguous and in strides; each has its own key."""
    targets, work = [], _kernels.Jobs()
    for i in range(count):
        w = np.zeros((3 + i % 50, 8), ["f4", "f8", "f2"][i % 3])
        key, part = bytes([i % 256, i // 256] * 16), w if i % 4 else w[:, ::2].T
        axes = None if i % 4 else [(4, part.shape[1], part.strides[0]), (part.shape[1], 1, part.strides[1])]
        work.add(plan(w), key, i, part, False, 1, 3, axes)
        targets.append((w, part, key, i))
    work.fill(core_memory.isa, 3, 3, 600, 1e9, 100)
    for w, part, key, start in targets:
        expected = np.zeros_like(w)
        right = expected if start % 4 else expected[:, ::2].T
        made = np.empty(part.shape, w.dtype)
        _kernels.fill(plan(w), key, core_memory.isa, False, start, made.size, 0, 1, made, 0, 0)
        right[...] = made
        assert w.tobytes() == expected.tobytes()


def test_jobs_stay_within_their_memory():
    w, work = np.zeros((4, 4), "f4"), _kernels.Jobs()
    for axes in ([(4, 4, 16), (5, 1, 4)], [(5, 4, 16)], [(2, 1, -4)]):
        with pytest.raises(IndexError, match="of a buffer that has"):
            work.add(plan(w), KEY, 0, w, False, 1, 0, axes)
    work.fill(core_memory.isa, 1, 1, 100, 1e9, 100)
    assert not w.any()


def test_a_plan_of_another_size_is_refused():
    """Else a float64 plan would write behind float32 memory."""
    w, work, plan_of_doubles = np.zeros(8, "f4"), _kernels.Jobs(), plan(np.empty(1))
    for axes in (None, [(8, 1, 4)]):
        with pytest.raises(TypeError, match="target: expected elements of 8 bytes, got 4"):
            work.add(plan_of_doubles, KEY, 0, w, False, 1, 0, axes)
    with pytest.raises(TypeError, match="target: expected elements of 8 bytes, got 4"):
        _kernels.fill_small((plan_of_doubles, 0.0), core_memory.isa, w, 1.0, lambda *_: KEY, None, "")
    with pytest.raises(IndexError, match="of a buffer that has"):
        _kernels.fill(plan_of_doubles, KEY, core_memory.isa, False, 0, 8, 0, 1, w, 0, 0)
    work.fill(core_memory.isa, 1, 1, 100, 1e9, 100)
    assert not w.any()


def test_jobs_without_elements_or_axes():
    """Empty along any axis, contiguous or scattered, among others; and one element, which has no axis."""
    work, one, w = _kernels.Jobs(), np.zeros(()), np.zeros((4, 6))
    for axes in ([(0, 1, 8)], [(4, 6, 16), (0, 1, 48)], [(0, 6, 16), (3, 1, 48)], [(2, 1, 8), (0, 2, 16), (2, 4, 24)]):
        work.add(plan(w), KEY, 0, w, False, 1, 3, axes)
    work.add(plan(w), KEY, 5, one, False, 1, 3, [])
    work.add(plan(w), KEY, 0, w, False, 1, 3, [(4, 6, 48), (6, 1, 8)])
    work.add(plan(w), KEY, 0, w, False, 1, 3, [(3, 1, 16), (0, 3, 8)])
    work.fill(core_memory.isa, 2, 2, 0, 1e9, 7)
    assert np.array_equal(w, alone(np.empty((4, 6))))
    assert one == alone(np.empty(6))[5]


@pytest.mark.parametrize("threads", [1, 3, 100])
def test_staging_memory_holds_an_element_for_any_number_of_threads(threads):
    w, work = np.zeros((30, 40)), _kernels.Jobs()
    work.add(plan(w), KEY, 0, w, False, 1, 3, [(40, 30, 8), (30, 1, 320)])
    work.fill(core_memory.isa, threads, threads, 1, 1e9, 10**6)
    assert np.array_equal(w.T, alone(np.empty((40, 30))))


def strided(n):
    return np.zeros((n, 2))[:, 0]


def transposed(n):
    return np.zeros((n // 2**11, 2**11)).T


KINDS = {"contiguous": np.zeros, "strided": strided, "transposed": transposed,
         "block": lambda n: np.zeros((n // 100, 130))[:, :100],
         "model": lambda n: {str(i): np.zeros(n // 2**10) for i in range(2**10)}}


def interrupted(kind, n, after, raised):
    """A fill that is interrupted: the seconds to its answer, and how many elements were written then and some time later."""
    target = KINDS[kind](n)
    arrays = list(target.values()) if kind == "model" else [target]
    with pytest.raises(raised):
        signal.setitimer(signal.ITIMER_REAL, after)
        start = time.perf_counter()
        if kind == "model":
            fi.fill(target, {"*": fi.TruncNormal()}, seed=0, num_threads=4)
        else:
            fi.trunc_normal_(target, seed=0, num_threads=4)
    seconds = time.perf_counter() - start - after
    written = sum(int(np.count_nonzero(w)) for w in arrays)
    time.sleep(0.02)
    return seconds, written, sum(int(np.count_nonzero(w)) for w in arrays)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="POSIX timers")
@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_from_a_signal_handler_ends_the_fill(kind, monkeypatch):
    """Of a call that would take seconds; then no helper writes."""
    def interrupt(*_):
        raise Interrupted

    monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index("scalar"))
    monkeypatch.setattr(core_memory, "cpus", lambda: 4)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        tries = []  # another process may take the CPUs for longer than that
        while not tries or (tries[-1][0] > 0.2 and len(tries) < 5):
            tries.append(interrupted(kind, 2**25, 0.15, Interrupted))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert min(seconds for seconds, *_ in tries) <= 0.2 and max(seconds for seconds, *_ in tries) < 4
    assert all(0 < written == later < 2**25 for _, written, later in tries)
    w = np.zeros(10**5)
    assert np.array_equal(shared(w), alone(np.empty(10**5)))


def script(code):
    run = [sys.executable, "-W", "ignore", "-c", START + code]
    return subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout.split()


# As many threads as asked for, whatever the machine has.
START = """
import os, signal, sys, threading, time, numpy as np, fastinit as fi
sys.modules["fastinit.core.memory"].cpus = lambda: 8
w = np.empty(2**22, "f4")
fill = lambda threads: fi.normal_(w, seed=0, num_threads=threads)
tasks = lambda: set(os.listdir("/proc/self/task"))
first = tasks() if sys.platform == "linux" else set()
"""


@linux
def test_threads_are_kept_and_no_more_than_asked_for():
    seen = script("""
for threads in [1, 2, 2, 4, 3] + 20 * [4]:
    fill(threads)
    print(len(tasks() - first))
""")
    assert seen[:3] == ["0", "1", "1"]
    assert seen == sorted(seen)  # it may be that the work is done before all have been started
    assert "1" < seen[-1] <= "3"


@linux
def test_a_sleeping_helper_is_woken_and_works():
    """It has had more time of the processor than the 0.1 ms a call that it looks out for more. The program's signals are not
    for it."""
    works, blocked = script("""
w = np.empty(2**24, "f4")
fill(2)
helper, = tasks() - first
ran = lambda: int(open(f"/proc/self/task/{helper}/schedstat").read().split()[0])
time.sleep(0.02)
before, end, calls = ran(), time.monotonic() + 20, 0
while (works := ran() - before > 2e6 + 3e5 * calls) < 1 and time.monotonic() < end:
    fill(2)
    calls += 1
    time.sleep(0.002)
print(works)
blocked = next(line for line in open(f"/proc/self/task/{helper}/status") if line.startswith("SigBlk"))
print(bool(int(blocked.split()[1], 16) >> signal.SIGINT - 1 & 1) and not int(blocked.split()[1], 16) >> signal.SIGSEGV - 1 & 1)
""")
    assert works == "True"
    assert blocked == "True"


def test_idle_helpers_sleep():
    """Time of the processor, over all threads, in half a second after a fill."""
    idle, = script("""
for _ in range(20):
    fill(2)
start = time.process_time()
time.sleep(0.5)
print(time.process_time() - start)
""")
    assert float(idle) < 0.05


@linux
def test_one_processor_for_all_threads():
    right, seconds = script("""
expected = fill(1).copy()
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
start = time.perf_counter()
for _ in range(20):
    fill(4)
print(np.array_equal(w, expected), time.perf_counter() - start)
""")
    assert right == "True"
    assert float(seconds) < 5


@linux
def test_helpers_may_use_all_processors_again():
    assert script("""
for _ in range(50):
    fill(2)
    time.sleep(0.001)
time.sleep(0.2)
print(*{tuple(os.sched_getaffinity(int(task))) == tuple(os.sched_getaffinity(0)) for task in tasks()})
""") == ["True"]


@forks
def test_a_forked_child_has_helpers_of_its_own():
    assert script("""
expected = fill(4).copy()
pid = os.fork()
if pid == 0:
    signal.alarm(20)
    w[:] = 0
    fill(4)
    os._exit(0 if np.array_equal(w, expected) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""") == ["0"]


@forks
def test_a_fork_from_a_signal_handler():
    """In the midst of a fill: the child has lost the helpers and what they were about to write."""
    assert set(script("""
sys.modules["fastinit.core.memory"].isa = 0  # scalar: a tenth of a second
fill = lambda threads: fi.trunc_normal_(w, seed=0, num_threads=threads)
expected, pids, amid = fill(1).copy(), [], []
def fork(*_):
    amid.append(not w.all())
    pids.append(os.fork())
    if pids[-1] == 0:
        signal.alarm(10)
signal.signal(signal.SIGUSR1, fork)
for _ in range(5):
    w[:] = 0
    threading.Timer(0.005, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    fill(4)
    right = np.array_equal(w, expected)
    if 0 in pids:
        os._exit(0 if right else 1)
    print(right)
print(len(pids) == 5 and any(amid))
print(not any(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids))
""")) == {"True"}


def test_no_more_threads_than_processors(monkeypatch):
    monkeypatch.setattr(core_memory, "cpus", lambda: 3)
    monkeypatch.setattr(core_memory, "threads_from_environment", 64)
    assert [core_memory.resolve_threads(n) for n in (1, 2, 3, 4, 10**30, None)] == [1, 2, 3, 3, 3, 3]


def test_exit_amid_a_fill():
    """Of a daemon thread: the process ends at once, without a crash."""
    assert script("""
sys.modules["fastinit.core.memory"].isa = 0
big = np.empty(2**27, "f4")
threading.stack_size(2**26)  # more than glibc keeps of a thread that has ended
for _ in range(2):
    threading.Thread(target=fi.normal_, args=(big,), kwargs={"seed": 0, "num_threads": 4}, daemon=True).start()
time.sleep(0.05)
print("ended")
""") == ["ended"]
