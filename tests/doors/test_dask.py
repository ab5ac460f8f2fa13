"""fastinit.dask: the single array's values, for any chunks and any scheduler."""

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastinit as fi
from fastinit.core.calls import INITIALIZERS

da = pytest.importorskip("dask.array")
fd = importlib.import_module("fastinit.dask")

ARGUMENTS = {"constant": (0.5,), "sparse": (0.3,)}
SHAPES = {"sparse": (30, 21), "eye": (30, 21), "dirac": (30, 20, 7), "delta_orthogonal": (30, 20, 7), "bilinear": (5, 4, 6, 7)}


@pytest.mark.parametrize("chunks", [-1, 9, "uneven"])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_chunks_do_not_show(name, chunks):
    shape, args = SHAPES.get(name, (30, 20, 7)), ARGUMENTS.get(name, ())
    if chunks == "uneven":
        chunks = tuple((1, n - 3, 2) for n in shape)
    for dtype in ("float64", "bfloat16"):
        array = getattr(fd, name)(shape, *args, chunks=chunks, dtype=dtype, seed=2, name="w")
        expected = getattr(fi, name)(shape, *args, dtype=dtype, seed=2, name="w")
        made = array.compute(scheduler="synchronous")
        assert array.dtype == made.dtype == expected.dtype and np.array_equal(made, expected)
        assert array.chunks == da.core.normalize_chunks(chunks, shape, dtype=array.dtype)


def test_a_chunk_alone_and_rechunked():
    x, expected = fd.kaiming_normal((50, 40), chunks=(7, 9), seed=0), fi.kaiming_normal((50, 40), seed=0)
    assert np.array_equal(x.blocks[3, 2].compute(), expected[21:28, 18:27])
    assert np.array_equal(x.rechunk((11, 40))[20:].compute(), expected[20:])
    assert not np.array_equal(fi.kaiming_normal((7, 9), seed=0), expected[21:28, 18:27]), "the control: a chunk as a whole"


def test_seeds():
    rng = fi.Rng(1)
    a, b = fd.normal(50, chunks=20, seed=rng), fd.normal(50, chunks=30, seed=rng)
    twin = fi.Rng(1)
    assert np.array_equal(a.compute(), twin.normal(50)) and np.array_equal(b.compute(), twin.normal(50))
    assert np.array_equal(a.compute(), a.compute())
    source = np.random.default_rng(5)
    assert np.array_equal(fd.normal(50, chunks=20, seed=source).compute(), fi.normal(50, seed=np.random.default_rng(5)))
    assert fd.normal(50, seed=1).name == fd.normal(50, seed=1).name
    assert fd.normal(50).name != fd.normal(50).name


def test_ml_dtypes():
    dtype = pytest.importorskip("ml_dtypes").bfloat16
    assert fd.normal(50, chunks=20, dtype=dtype, seed=1).compute().dtype == dtype


def test_shapes_without_elements_or_axes():
    assert fd.normal((0, 3), seed=1).compute().shape == (0, 3)
    assert fd.normal((), seed=1).compute() == fi.normal((), seed=1)


@pytest.mark.parametrize("options, error, text", [
    ({"std": -1}, ValueError, "std"), ({"num_threads": 2}, TypeError, "num_threads"), ({"offset": (1,)}, TypeError, "offset"),
    ({"seed": -1}, ValueError, "seed"), ({"name": 3}, TypeError, "name"), ({"dtype": "int8"}, TypeError, "dtype"),
    ({"chunks": (2, 2)}, ValueError, "[Cc]hunks"), ({"typo": 1}, TypeError, "typo"),
])
def test_refused_before_there_is_a_graph(options, error, text):
    with pytest.raises(error, match=text):
        fd.normal((5,), **options)


def test_schedulers():
    """Threads, and a cluster of processes."""
    distributed = pytest.importorskip("distributed")
    shape = (1000, 700)
    arrays = {"normal": fd.normal(shape, chunks=(300, 200), seed=3), "orthogonal": fd.orthogonal(shape, chunks=300, seed=3),
              "trunc_normal": fd.trunc_normal(shape, chunks=(37, 700), dtype="bfloat16", seed=3)}
    expected = {"normal": fi.normal(shape, seed=3), "orthogonal": fi.orthogonal(shape, seed=3),
                "trunc_normal": fi.trunc_normal(shape, dtype="bfloat16", seed=3)}
    assert all(np.array_equal(arrays[name].compute(scheduler="threads"), expected[name]) for name in ("normal", "trunc_normal"))
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, \
            distributed.Client(cluster) as client:
        assert len(set(client.run(lambda: __import__("os").getpid()).values())) == 2
        for name, array in arrays.items():
            assert np.array_equal(array.compute(), expected[name]), name


def test_example():
    example = Path(__file__).parents[2] / "docs" / "examples" / "dask_cluster.py"
    run = subprocess.run([sys.executable, example], check=True, stdout=subprocess.PIPE, text=True)
    assert run.stdout.split() == ["0.015620436519384384", "True"]
