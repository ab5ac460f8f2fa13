"""The pass over a tensor in C, against the same in NumPy."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import fastinit as fi
from fastinit.audit import audit, scan
from fastinit.audit.scan import Anchors, Scan, power_sums
from fastinit.core import memory
from fastinit.core.dtypes import DTYPES
from fastinit.weights import Tensor, of_array, read

ODD = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-40, 65504.0, 3e38, -3e38, 0.02]


def seen(array, dtype):
    return Scan(array, DTYPES[dtype], Anchors(), 0)


def reference(found, values):
    """What NumPy finds with the same median, scale and reach."""
    with np.errstate(all="ignore"):
        finite = values[np.isfinite(values)]
        kept = finite[finite != 0] if found.sparse else finite
        t = (kept - found.median) / found.scale
        inside = abs(t) <= found.reach
        bins = ((t[inside] + found.reach) * (scan.BINS / 2 / found.reach)).astype(int)
        histogram = np.bincount(bins, minlength=scan.BINS + 1)[: scan.BINS]
        return finite, t, inside, histogram, power_sums(t[inside]), power_sums(t[~inside])


@hypothesis.settings(max_examples=200, derandomize=True, deadline=None,
                     suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(st.sampled_from(list(DTYPES)), st.integers(1, 3000),
                  st.lists(st.tuples(st.integers(0), st.sampled_from(ODD))), st.booleans(), st.integers(0, 2**32))
def test_sums_are_those_of_numpy(isa, dtype, size, changes, sparse, seed):
    entry = DTYPES[dtype]
    values = entry.decode(fi.normal(size, 0.01, 0.02, dtype=dtype, seed=seed)).copy()
    for place, value in changes:
        values[place % size] = value
    if sparse:
        values[::3] = 0
    array = entry.encode(values)
    with np.errstate(all="ignore"):
        found = seen(array, dtype)
    finite, t, inside, histogram, bulk, outliers = reference(found, entry.decode(array).astype(np.float64))
    assert (found.finite, found.nans) == (finite.size, np.isnan(values).sum())
    if finite.size:
        assert (found.low, found.high) == (finite.min(), finite.max())
        assert (found.low_count, found.high_count) == ((finite == finite.min()).sum(), (finite == finite.max()).sum())
    assert found.zeros == (found.sparse and int((finite == 0).sum()))
    assert abs(found.histogram - histogram).sum() <= 2 + size / 500  # what lies on an edge may be rounded to either side
    assert found.histogram.sum() == inside.sum() == found.bulk_sums[0]
    np.testing.assert_allclose(found.bulk_sums, bulk, rtol=1e-10, atol=1e-10 * size)
    np.testing.assert_allclose(found.outlier_sums, outliers, rtol=1e-10, atol=1e-10)
    if inside.any():
        ends = t[inside].min(), t[inside].max()
        np.testing.assert_allclose((found.bulk_low, found.bulk_high), ends, rtol=1e-12, atol=1e-15)


def scanned(array):
    """By C alone, unscaled."""
    plan = scan._scan.ScanPlan(DTYPES[str(array.dtype)].code, memory.isa, False, 0.0, 1.0, 1.0, 0, scan._factors())
    return plan.scan(array.view(np.uint8), 0, 0)[0].fields()


def test_every_float16_is_decoded(isa):
    for value in np.arange(2**16, dtype=np.uint16).view(np.float16)[:, None]:
        found = scanned(value)
        assert (found["low"] == found["high"] == value[0] if np.isfinite(value[0]) else found["finite"] == 0), value


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_subnormals_count_where_the_caller_flushes_them(isa, dtype):
    torch = pytest.importorskip("torch")
    array = np.full(9, np.finfo(dtype).smallest_subnormal, dtype)
    if not torch.set_flush_denormal(True):
        pytest.skip("not on this processor")
    try:
        found = scanned(array)
        flushed = bool(np.multiply(np.float32(1e-40), np.float32(1)) == 0)
    finally:
        torch.set_flush_denormal(False)
    assert flushed and found["low"] == float(array[0]) > 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_pieces_and_threads_change_nothing_but_rounding(isa, dtype, monkeypatch):
    array = fi.normal((700, 333), std=0.02, dtype=dtype, seed=1)
    whole = seen(array, dtype)
    monkeypatch.setattr(scan, "PIECE", 1000)  # cuts rows, anywhere
    parts = seen(array, dtype)
    assert (whole.row_hashes == parts.row_hashes).all() and (whole.row_alive == parts.row_alive).all()
    assert (whole.histogram == parts.histogram).all() and whole.low_count == parts.low_count
    np.testing.assert_allclose(whole.bulk_sums, parts.bulk_sums, rtol=1e-9)
    strided = seen(np.asfortranarray(array), dtype)
    assert (whole.row_hashes == strided.row_hashes).all() and (whole.histogram == strided.histogram).all()


@pytest.mark.parametrize("width", [2, 7, 1023, 1024, 1025, 3000])
def test_equal_rows_have_equal_hashes_wherever_they_lie(isa, width):
    for dtype in DTYPES:
        array = fi.normal((40, width), dtype=dtype, seed=2)
        array[33] = array[2]
        hashes = seen(array, dtype).row_hashes
        assert hashes[33] == hashes[2] and (width < 7 or len(set(hashes.tolist())) == 39)


def test_rows_of_one_hash_are_compared(monkeypatch):
    """With factors that are all 0 every row has the same hash."""
    monkeypatch.setattr(scan, "_factors", lambda: np.zeros(1024, np.uint32))
    w = fi.normal((300, 200), seed=3)
    report, = audit([of_array("w", w)])
    assert report.faults == []
    w[1] = w[0]
    report, = audit([of_array("w", w)])
    assert [finding.kind for finding in report.faults] == ["equal rows"] and "1 of 300" in report.faults[0].text


def test_rows_that_differ_in_signs_are_not_equal():
    signs = fi.uniform((2000, 64), -1, 1, seed=4)
    report, = audit([of_array("w", np.copysign(np.float32(0.02), signs))])
    assert "equal rows" not in report.kinds


@pytest.mark.parametrize("suffix", [".npy", ".npz", "+.npz", ".safetensors"])
def test_files_are_seen_as_arrays_are(tmp_path, monkeypatch, suffix):
    """Also where they are read in pieces: the same report."""
    w = fi.normal((900, 700), std=0.02, seed=5)
    w[800:] = w[:100]
    path = tmp_path / f"w{suffix}"
    if suffix == ".safetensors":
        pytest.importorskip("safetensors.numpy").save_file({"w": w}, path)
    else:
        save = {".npy": np.save, ".npz": np.savez, "+.npz": np.savez_compressed}[suffix]
        save(path, w) if suffix == ".npy" else save(path, w=w)
    wanted, = audit([Tensor("w", w, DTYPES["float32"], "float32")])
    found, = audit(read(path))
    assert found.findings == wanted.findings and found.law == wanted.law and found.std == wanted.std
    monkeypatch.setattr(scan, "SMALL", 2**10)
    monkeypatch.setattr(scan, "HELD", 2**10)
    monkeypatch.setattr(scan, "PIECE", 10_000)
    found, = audit(read(path))
    assert [f.kind for f in found.findings] == ["equal rows"] and found.law == wanted.law
    assert found.std == pytest.approx(wanted.std, rel=1e-12)
