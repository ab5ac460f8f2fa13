"""The decomposition behind `orthogonal`: right by LAPACK and the law, and the same whatever computes it."""

import os
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
import reference
from scipy import stats

import fastinit as fi
from fastinit.core import _kernels, householder
from fastinit.core import memory as core_memory

SHAPES = [(1, 1), (5, 1), (5, 5), (63, 9), (64, 64), (65, 65), (100, 33), (200, 130), (1024, 64), (1025, 16), (2100, 70)]


def gaussian(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def factor(a, threads=1):
    q = a.copy()
    householder.orthogonalize(q, 1.0, threads)
    return q


def lapack(a):
    q, r = np.linalg.qr(a)
    return q * np.copysign(1, np.diagonal(r))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_against_lapack(shape):
    """Q is the only one that leaves R a positive diagonal; what rounding makes of it depends on how far a is from singular."""
    a = gaussian(shape)
    q = factor(a)
    assert abs(q - lapack(a)).max() < 1e-15 * np.linalg.cond(a) + 1e-14
    assert abs(q.T @ q - np.eye(shape[1])).max() < 1e-14
    r = q.T @ a
    assert abs(np.tril(r, -1)).max() < 1e-13 * abs(a).max() * shape[0] ** 0.5 and (np.diagonal(r) > 0).all()
    single = a.astype("f4")
    assert (factor(single) == factor(single.astype("f8")).astype("f4")).all(), "rounded once"


def test_large_ones_stay_orthogonal():
    q = factor(gaussian((1500, 1200)), 2)
    assert abs(q.T @ q - np.eye(1200)).max() < 2e-14


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (66, 66), (1026, 2), (130, 70)], ids=str)
def test_against_twin(isa, shape):
    a = gaussian(shape)
    assert (factor(a) == reference.orthogonal(a)).all()


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (66, 65)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_an_initializer_against_twin(shape, dtype):
    """From the words to the dtype: gaussians of the tall shape, their Q, which wide ones transpose."""
    real, (m, n) = (np.float64 if dtype == "float64" else np.float32), sorted(shape)[::-1]
    numbers = {"scale": real(1), "shift": real(0)}
    a = reference.normal(reference.keys([3], "w")[0], 0, m * n, numbers, real).reshape(m, n)
    q = (reference.orthogonal(a) * 0.7).astype(real)
    expected = reference.store(q if shape[0] >= shape[1] else q.T, dtype)
    assert (fi.orthogonal(shape, 0.7, seed=3, name="w", dtype=dtype) == expected).all()


def test_a_column_of_zeros():
    a = gaussian((70, 66))
    a[:, 0] = a[:, 65] = 0
    q = factor(a)
    assert abs(q.T @ q - np.eye(66)).max() < 1e-14 and (factor(a) == reference.orthogonal(a)).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_threads_and_instruction_sets(shape, monkeypatch):
    """More threads than processors, handed parts however small they are."""
    monkeypatch.setattr(core_memory, "cpus", lambda: 8)
    a, digests = gaussian(shape), set()
    for name in _kernels.AVAILABLE_ISAS:
        monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index(name))
        for threads, ns in [(1, 0.05), (2, 50.0), (5, 50.0), (8, 1e6)]:
            monkeypatch.setitem(householder.MULTIPLY_NS, name, ns)
            digests.add(factor(a, threads).tobytes())
    assert len(digests) == 1


@pytest.mark.parametrize("environment", [{"OPENBLAS_NUM_THREADS": "1"}, {"OPENBLAS_CORETYPE": "Haswell"},
                                         {"OMP_NUM_THREADS": "1"}, {"FASTINIT_ISA": "scalar"}], ids=str)
def test_processes(environment):
    """What LAPACK's bits change with."""
    code = "import fastinit as fi; print(fi.orthogonal((300, 200), seed=1).tobytes().hex()[:4000])"
    run, environment = [sys.executable, "-c", code], os.environ | environment
    there = subprocess.run(run, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert there.strip() == fi.orthogonal((300, 200), seed=1).tobytes().hex()[:4000]


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (2, 6)], ids=str)
def test_uniform_by_haars_measure(shape):
    """Of 4,000 matrices. A column or row of n numbers is uniform on the sphere: squares are Beta(1/2, (n - 1)/2), signs and
    determinants are fair. Each of the p-values is below 1e-6 with that probability."""
    rows, columns, n = *shape, max(shape)
    w = np.stack([fi.orthogonal(shape, seed=i, dtype="float64") for i in range(4000)])
    p = [stats.kstest(w[:, i, j] ** 2, stats.beta(0.5, (n - 1) / 2).cdf).pvalue for i, j in np.ndindex(*shape)]
    p += [stats.binomtest(int((w[:, i, j] > 0).sum()), 4000).pvalue for i, j in np.ndindex(*shape)]
    if rows == columns:
        p.append(stats.binomtest(int((np.linalg.det(w) > 0).sum()), 4000).pvalue)
    assert min(p) > 1e-6


def test_an_interrupt_is_answered():
    class Interrupted(Exception):
        pass

    def interrupt(*_):
        raise Interrupted

    w, before = np.zeros((5000, 5000), "f4"), signal.signal(signal.SIGALRM, interrupt)
    try:
        tries = []
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            start = time.perf_counter()
            with pytest.raises(Interrupted):
                fi.orthogonal_(w, seed=0)
            tries.append(time.perf_counter() - start - 0.3)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert min(tries) < 0.2 and not w.any(), "the tensor is written at the end"


FORKS = """
import os, signal, sys, fastinit as fi
sys.modules["fastinit.core.memory"].cpus = lambda: 2
make, pids = lambda threads: fi.orthogonal((2000, 1500), seed=1, num_threads=threads).tobytes(), []
expected = make(1)
signal.signal(signal.SIGALRM, lambda *_: pids.append(os.fork()))
signal.setitimer(signal.ITIMER_REAL, 0.05)
right = make(2) == expected
if pids == [0]:
    os._exit(0 if right else 1)
print(right, os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_from_a_signal_handler():
    """The child goes on alone, with all that was done."""
    told = subprocess.run([sys.executable, "-c", FORKS], check=True, stdout=subprocess.PIPE, text=True, timeout=100).stdout
    assert told.split() == ["True", "0"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("shape, rows, columns", [
    ((4096, 512), 4096, 512), ((512, 4096), 4096, 512), ((256, 2, 1024), 2048, 256), ((200_000, 1), 200_000, 1),
    ((1, 200_000), 200_000, 1), ((9, 100_000), 100_000, 9), ((2048, 1024, 1), 2048, 1024)], ids=str)
def test_memory(shape, rows, columns, dtype):
    """Beyond the tensor: what docs/performance.md says, and 1 MiB."""
    fill = fi.delta_orthogonal_ if shape[-1] == 1 and len(shape) == 3 else fi.orthogonal_
    padded = -(-columns // 8) * 8
    told = (8 if dtype == "float64" else 4) * rows * columns + padded * (8 * rows + 512 * (rows // 1024 + 2))
    w = fi.zeros(shape, dtype=dtype)
    fill(w, seed=0, dtype=dtype)
    tracemalloc.start()
    try:
        fill(w, seed=0, dtype=dtype)
        assert tracemalloc.get_traced_memory()[1] < told + 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_the_callers_floating_point_errors_do_not_stop_it_half_way(dtype):
    expected = fi.orthogonal((600, 600), seed=0, gain=1e-3, dtype=dtype)
    with np.errstate(all="raise"):
        assert (fi.orthogonal((600, 600), seed=0, gain=1e-3, dtype=dtype) == expected).all()


def test_the_largest_gain_gives_no_infinity():
    most = np.finfo("f8").max
    with pytest.raises(ValueError, match="gain"):
        fi.orthogonal((1, 1), gain=most, dtype="float64")
    assert all(np.isfinite(fi.orthogonal((1, 1), gain=most * (1 - 2.0**-40), dtype="float64", seed=seed)) for seed in range(99))
    assert all(np.isfinite(fi.orthogonal((1, 1), gain=np.finfo("f4").max, seed=seed)) for seed in range(99))



def test_what_does_not_fit_is_refused():
    panels, work = (householder.aligned(n) for n in _kernels.orthogonal_sizes(5, 3))
    negative = np.zeros(3, np.uint8)
    for rows, columns, a, b, c in [(3, 5, panels, work, negative), (5, 0, panels, work, negative),
                                   (5, 3, panels[1:], work, negative), (5, 3, panels, work[:-1], negative),
                                   (5, 3, panels, work, negative[:2]), (6, 3, panels, work, negative)]:
        with pytest.raises(ValueError, match="expected"):
            _kernels.orthogonal(rows, columns, a, b, c, 0, 1, 1.0)
