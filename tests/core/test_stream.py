"""The stream against its specification: known answers, the reference twin, and what must not be seen in the values."""

import ast
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import reference
from cases import CASES, MATRICES, N
from cross import WRITES_FMA, fused
from golden import digest_of, edited, load
from hypothesis import given, settings
from hypothesis import strategies as st

import fastinit as fi
from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.core.calls import INITIALIZERS
from fastinit.core.dtypes import DTYPES
from fastinit.core.streams import material, stream_key

ROOT = Path(__file__).parents[2]
BASE = [case for case in CASES if case.seed == 0]
# Around every border: lane, group (32 words), block (1024 words) and chunk (4096 elements, of float64 2048).
LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 511, 512, 513, 1000, 1023, 1024, 1025, 2047, 2048,
           2049, 4095, 4096, 4097, 8193]


def seeded(seed: int, sequence: int) -> tuple[int, int]:
    """(state, increment) as the PCG library seeds them."""
    inc = (sequence << 1 | 1) & reference.MASK
    return ((inc + seed) * reference.MULT + inc) & reference.MASK, inc


def kernel_words(state: int, inc: int, start: int, n: int, isa: str) -> np.ndarray:
    out = np.empty(n, np.uint32)
    key = b"".join(part.to_bytes(8, "little") for part in (state, inc, 0, 0))
    _kernels.words(key, _kernels.ISAS.index(isa), start, out)
    return out


def test_known_answers(isa):
    # setseq_dxsm_64_32, seed 42, sequence 54: pcg-cpp, and the tests of Rust's rand_pcg.
    expected = [2517356991, 3792124711, 1671170184, 682388248, 3329158020, 526178334]
    assert kernel_words(*seeded(42, 54), 0, 6, isa).tolist() == expected
    assert reference.words(seeded(42, 54), 0, 6).tolist() == expected


@pytest.mark.parametrize("start", [0, 1, 31, 32, 33, 2**31 - 5, 2**32 - 5, 2**40 + 3, 2**48 - 300])
def test_words_against_twin(isa, start):
    for seed in range(5):
        key = seeded(seed, seed * 7919)
        assert (kernel_words(*key, start, 300, isa) == reference.words(key, start, 300)).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 2**47), st.integers(0, 2**47), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_jump_algebra(a, b, state, inc):
    """Jumping a and then b is jumping a + b; the bare scalar recurrence agrees for small ones."""
    there = int(reference.states(state, inc, a, 1)[0])
    for isa in _kernels.AVAILABLE_ISAS:
        assert (kernel_words(state, inc, a + b, 5, isa) == kernel_words(there, inc, b, 5, isa)).all()
    s = state
    for _ in range(a % 50):
        s = (s * reference.MULT + (inc | 1)) & reference.MASK
    assert s == int(reference.states(state, inc, a % 50, 1)[0])


KEYS = [([0], ""), ([0], "wte"), ([1], "wte"), ([2**64], "wte"), ([2**128 - 1], "é"), ([1, 2], ""), ([258], ""),
        ([], "a" * 300)]


@pytest.mark.parametrize("seed, name", KEYS)
def test_keys_against_twin(seed, name):
    for call in (None, 0, 3):
        (s, i), (rs, ri) = reference.keys(seed, name, "words", call)
        ours = stream_key(material(tuple(seed), call), name)
        assert ours == b"".join(part.to_bytes(8, "little") for part in (s, i, rs, ri))


def test_keys_do_not_run_together():
    different = [((1,), None, "ab", "c"), ((1,), None, "a", "bc"), ((1,), None, "abc", ""), ((1, 2), None, "ab", "c"),
                 ((1,), 2, "ab", "c"), ((513,), None, "ab", "c")]
    assert len({stream_key(material(seed, call), name, purpose) for seed, call, name, purpose in different}) == len(different)


def twin(case, n, start=0):
    """The case by the reference alone, from the plan's final numbers."""
    p = INITIALIZERS[case.initializer].definition((start + n,), DTYPES[case.dtype], **case.options).plan.kernel.fields()
    dist = _kernels.DISTS[p["dist"]]
    if dist == "constant":
        unsigned = np.dtype(f"u{DTYPES[case.dtype].itemsize}")
        return np.full(n, p["bits"], unsigned).view(DTYPES[case.dtype].storage)
    return reference.elements(dist, reference.keys([case.seed], case.name), start, n, p, case.dtype)


@pytest.mark.parametrize("case", BASE, ids=lambda case: case.id)
def test_values_against_twin(case, isa):
    expected = twin(case, LENGTHS[-1])
    for n in LENGTHS:
        assert (case.values(n) == expected[:n]).all(), n


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bound", [0.125, 0.03125])
def test_nearly_all_rejected(isa, dtype, bound):
    """Narrower bounds than a plan has with this proposal: several batches of rejects to a chunk of 4096 and, where one
    candidate in forty is accepted, elements whose redraws are used up: they have the bound itself."""
    kernel = _kernels.Plan(_kernels.DISTS.index("trunc_normal"), DTYPES[dtype].code, scale=1, low=-bound, high=bound,
                           least=-bound, most=bound)
    x, start = np.empty(9000, DTYPES[dtype].storage), 5
    _kernels.fill(kernel, stream_key(material((1,))), _kernels.ISAS.index(isa), False, start, x.size, 0, 1, x, 0, 0)
    assert (x == reference.elements("trunc_normal", reference.keys([1]), start, x.size, kernel.fields(), dtype)).all()
    assert dtype in ("float16", "bfloat16") or (abs(x) == bound).any() == (bound < 0.1)


@pytest.mark.parametrize("case", [*CASES, *MATRICES], ids=lambda case: case.id)
def test_golden(case, isa):
    assert digest_of(case.values()) == load()[case.id]


def test_digests_are_only_added():
    changed = edited()
    if changed is None:
        pytest.skip("no git history here")
    assert not changed


def test_every_distribution_and_dtype_is_golden():
    pinned = {(_kernels.DISTS[int(case.line().split()[0])], case.dtype) for case in CASES}
    assert pinned == {(dist, dtype) for dist in _kernels.DISTS for dtype in DTYPES}
    assert load().keys() == {case.id for case in [*CASES, *MATRICES]}


@pytest.mark.parametrize("case", BASE, ids=lambda case: case.id)
def test_threads_and_pieces(case, isa, monkeypatch):
    expected = case.values(num_threads=1)
    for limit in ("SMALL_NS", "THREAD_NS", "THREAD_NS_AWAKE"):
        monkeypatch.setattr(core_memory, limit, 1e-3)
    monkeypatch.setattr(core_memory, "cpus", lambda: 8)
    for threads, piece in [(2, 1024), (3, 100_003), (8, 77_777)]:
        monkeypatch.setattr(core_memory, "PIECE", piece)
        assert (case.values(num_threads=threads) == expected).all()


@pytest.mark.parametrize("case", BASE, ids=lambda case: case.id)
def test_far_elements_against_twin(case):
    """Offsets around 2^31, 2^32, 2^40 and the last block of the largest tensor."""
    for start in (2**31 - 40, 2**32 - 40, 2**40 - 40, case.cap - 80):
        got = case.values(80, global_shape=(case.cap,), offset=(start,))
        assert (got == twin(case, 80, start)).all()


@pytest.mark.parametrize("initializer, options", [(c.initializer, c.options) for c in BASE[::4] if c.initializer != "constant"])
def test_low_precision_is_rounded_float32(initializer, options):
    f32 = getattr(fi, initializer)(N, seed=3, **options)
    plan = {d: INITIALIZERS[initializer].definition((N,), DTYPES[d], **options).plan.kernel.fields()
            for d in ("float16", "bfloat16")}
    for dtype, p in plan.items():
        low = getattr(fi, initializer)(N, seed=3, dtype=dtype, **options)
        inside = np.clip(DTYPES[dtype].decode(DTYPES[dtype].encode(f32)), p["least"], p["most"])
        assert (DTYPES[dtype].decode(low) == inside).all()


def test_lists_are_in_their_frozen_order():
    """An index into one is what Python hands to C, and what tests/harness.c reads."""
    assert _kernels.DISTS == ("constant", "uniform", "normal", "trunc_normal", "trunc_narrow", "trunc_tail")
    assert _kernels.DTYPES == ("f32", "f64", "f16", "bf16")
    assert [dtype.code for dtype in DTYPES.values()] == list(range(len(_kernels.DTYPES)))


def build_flags(setup):
    """The compiler's flags, as setup.py assigns them."""
    return next(ast.literal_eval(node.value) for node in ast.parse(setup).body
                if isinstance(node, ast.Assign) and node.targets[0].id == "FLAGS")


def test_contraction_is_off():
    """a * b + c written as such is rounded twice, fma() once, and the build says so."""
    assert "-ffp-contract=off" in build_flags((ROOT / "setup.py").read_text())
    assert "-ffp-contract=off" not in build_flags('# -ffp-contract=off\nFLAGS = ["-O3"]'), "the control"
    # z in f32 with scale and shift where the two differ: products of 24-bit numbers are inexact almost always.
    z = fi.normal(4096, seed=1)
    got = fi.normal(4096, 0.3, 0.7, seed=1)
    once = reference.fma(z, np.float32(0.7), np.float32(0.3), np.float32)
    twice = (z * np.float32(0.7)) + np.float32(0.3)
    assert (got == once).all() and (got != twice).any()


@pytest.mark.skipif(not shutil.which("objdump") or not shutil.which("cc"), reason="needs binutils and a C compiler")
def test_only_written_fmas_are_in_the_machine_code(tmp_path):
    assert all(WRITES_FMA.match(function) for function in fused(Path(_kernels.__file__)))
    source = tmp_path / "control.c"
    source.write_text("double product_and_sum(double a, double b, double c) { return a * b + c; }\n")
    flags = ["-O2", "-ffp-contract=fast", *(["-mfma"] if platform.machine() == "x86_64" else [])]
    subprocess.run(["cc", *flags, "-c", str(source), "-o", str(tmp_path / "control.o")], check=True)
    assert fused(tmp_path / "control.o") == {"product_and_sum": 1}
