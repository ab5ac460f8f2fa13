"""Files larger than memory: what other libraries read of them, how much memory they take, that they are whole or not there."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastinit as fi
from fastinit import files
from fastinit.core.dtypes import DTYPES
from fastinit.safetensors import create

ml_dtypes = pytest.importorskip("ml_dtypes")
safe_open = pytest.importorskip("safetensors").safe_open

SPEC = {"h.weight": (500, 333), "h.bias": (333,), "half": ((7, 11, 5), "float16"), "brain": ((40, 30), "bfloat16"),
        "wide": ((31, 17), "float64"), "none": (3, 0, 2), "scalar": (), "square": (20, 30), "row": [50]}
RULES = {"*.bias": fi.Zeros(), "square": fi.Orthogonal(), "brain": fi.TruncNormal(std=0.02, bounds="std"),
         "scalar": fi.Normal(), "row": fi.Uniform(-1, 1), "*": fi.Normal(std=0.02)}


def filled(seed):
    """What `fastinit.fill` makes of the same."""
    arrays = {}
    for name, value in SPEC.items():
        shape, dtype = value if len(value) == 2 and isinstance(value[1], str) else (value, "float32")
        arrays[name] = np.empty(shape, ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    return fi.fill(arrays, RULES, seed=seed)


def tensors(paths):
    """All tensors of safetensors files, by the official library."""
    found = {}
    for path in paths:
        with safe_open(path, "numpy") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}
    return found


def same(made, expected):
    assert made.keys() == expected.keys()
    for name, array in expected.items():
        assert made[name].dtype == array.dtype and made[name].shape == array.shape
        assert made[name].tobytes() == array.tobytes(), name


@pytest.mark.parametrize("chunk", [2**12, files.CHUNK])
@pytest.mark.parametrize("seed", [3, [1, 2], "rng"])
def test_safetensors_has_what_fill_makes(tmp_path, monkeypatch, seed, chunk):
    monkeypatch.setattr(files, "CHUNK", chunk)
    made = create(tmp_path / "m.safetensors", SPEC, RULES, seed=fi.Rng(1) if seed == "rng" else seed)
    assert made == [tmp_path / "m.safetensors"]
    same(tensors(made), filled(fi.Rng(1) if seed == "rng" else seed))


@pytest.mark.parametrize("shards", [2, 3, len(SPEC)])
def test_shards_have_the_same_values_and_an_index(tmp_path, shards):
    *parts, index = create(tmp_path / "m.safetensors", SPEC, RULES, seed=3, shards=shards)
    assert [path.name for path in parts] == [f"m-{i + 1:05d}-of-{shards:05d}.safetensors" for i in range(shards)]
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in (*parts, index))
    expected = filled(3)
    same(tensors(parts), expected)
    listed = json.loads(index.read_text())
    assert index.name == "m.safetensors.index.json"
    assert listed["metadata"]["total_size"] == sum(array.nbytes for array in expected.values())
    assert listed["weight_map"] == {name: path.name for path in parts for name in tensors([path])}


def test_shards_are_even():
    def split(sizes, shards):
        made = [files.request(str(i), n, "float32", fi.Zeros()) for i, n in enumerate(sizes)]
        return [[tensor.shape[0] for tensor in part] for part in fi.safetensors._split(made, shards)]

    assert split([1] * 12, 4) == [[1] * 3] * 4
    assert split([100, 1, 1, 1], 2) == [[100], [1, 1, 1]]
    assert split([1, 1, 1, 100], 3) == [[1, 1], [1], [100]]
    assert split([0, 0, 5], 3) == [[0], [0], [5]]
    assert split([5, 0, 0], 3) == [[5], [0], [0]]


def test_header(tmp_path):
    (path,) = create(tmp_path / "m.safetensors", SPEC, RULES, seed=3, metadata={"note": "drawn"})
    with safe_open(path, "numpy") as file:
        assert file.metadata() == {"format": "pt", "note": "drawn"}
    blob = path.read_bytes()
    length = int.from_bytes(blob[:8], "little")
    assert length % 8 == 0
    header = json.loads(blob[8:8 + length])
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
    for name in SPEC:
        start, end = header[name]["data_offsets"]
        assert start % sizes[header[name]["dtype"]] == 0, "aligned to its elements"
        assert end - start == sizes[header[name]["dtype"]] * math.prod(header[name]["shape"])


def test_torch_reads_it(tmp_path):
    pytest.importorskip("torch")
    load_file = pytest.importorskip("safetensors.torch").load_file
    (path,) = create(tmp_path / "m.safetensors", SPEC, RULES, seed=3)
    loaded, expected = load_file(path), filled(3)
    assert loaded.keys() == expected.keys()
    assert all(np.array_equal(loaded[name].double().numpy(), expected[name].astype("f8")) for name in expected)


def test_empty(tmp_path):
    assert tensors(create(tmp_path / "m.safetensors", {}, {})) == {}


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), 7, (300, 21), (3, 5000)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_npy(tmp_path, monkeypatch, shape, dtype):
    monkeypatch.setattr(files, "CHUNK", 2**12)
    path = files.create_npy(tmp_path / "w.npy", shape, fi.TruncNormal(std=2), dtype=dtype, seed=3, name="w")
    expected = fi.trunc_normal(shape, std=2, dtype=dtype, seed=3, name="w")
    read = np.load(path)
    assert read.dtype == expected.dtype and read.shape == expected.shape and np.array_equal(read, expected)
    np.save(tmp_path / "own.npy", expected)
    assert path.read_bytes() == (tmp_path / "own.npy").read_bytes(), "to the byte what NumPy writes"
    if expected.size:
        assert np.array_equal(np.lib.format.open_memmap(path, "r"), expected)


def test_npy_of_what_is_made_whole(tmp_path):
    path = files.create_npy(tmp_path / "w.npy", (30, 20), fi.Orthogonal(), seed=3)
    assert np.array_equal(np.load(path), fi.orthogonal((30, 20), seed=3))


MAKERS = {
    "safetensors": lambda path, **options: create(path, SPEC, RULES, seed=3, **options)[0],
    "shards": lambda path, **options: create(path, SPEC, RULES, seed=3, shards=3, **options)[-1],
    "npy": lambda path, **options: files.create_npy(path, (300, 21), fi.Normal(), seed=3, **options),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_no_file_is_replaced_unless_told(tmp_path, make):
    path = make(tmp_path / "file")
    before = path.read_bytes()
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        make(tmp_path / "file")
    assert path.read_bytes() == b"mine"
    assert make(tmp_path / "file", overwrite=True).read_bytes() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_after_a_failure_nothing_is_left_and_nothing_lost(tmp_path, monkeypatch, make, error):
    old = make(tmp_path / "file")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(files, "CHUNK", 2**12)
    own, calls = files.Request.fill, []

    def failing(*args):
        calls.append(args)
        if len(calls) == 5:
            raise error
        assert old.read_bytes() == before[old.name], "the old file is there until the new one is whole"
        return own(*args)

    monkeypatch.setattr(files.Request, "fill", failing)
    with pytest.raises(error):
        make(tmp_path / "file", overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    assert MAKERS["npy"](tmp_path / "w.npy").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("options, error, text", [
    ({"spec": 3}, TypeError, "spec"), ({"spec": {"__metadata__": (3,)}}, ValueError, "__metadata__"),
    ({"spec": {3: (3,)}}, TypeError, "name"), ({"spec": {"a": (3, -1)}}, ValueError, "tensor 'a'.*shape"),
    ({"spec": {"a": ((3,), "int8")}}, TypeError, "tensor 'a'.*dtype"), ({"rules": {"b": fi.Zeros()}}, ValueError, "rules"),
    ({"rules": {"*": fi.XavierNormal()}}, ValueError, "tensor 'a'.*2 dimensions"), ({"rules": {"*": 3}}, TypeError, "rules"),
    ({"shards": 2}, ValueError, "shards"), ({"shards": 0}, ValueError, "shards"), ({"shards": 1.0}, TypeError, "shards"),
    ({"seed": -1}, ValueError, "seed"), ({"metadata": {"a": 1}}, TypeError, "metadata"),
    ({"dtype": "int8"}, TypeError, "dtype"), ({"num_threads": 0}, ValueError, "num_threads"),
])
def test_refusals(tmp_path, options, error, text):
    options = {"spec": {"a": (3,)}, "rules": {"*": fi.Normal()}} | options
    with pytest.raises(error, match=text):
        create(tmp_path / "m.safetensors", **options)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("args, options, error, text", [
    ((3, fi.normal), {}, TypeError, "rule"), ((3, fi.Normal(std=-1)), {}, ValueError, "std"),
    ((-3, fi.Normal()), {}, ValueError, "shape"), ((3, fi.Normal()), {"dtype": "int8"}, TypeError, "dtype"),
    ((3, fi.Normal()), {"name": 3}, TypeError, "name"),
])
def test_npy_refusals(tmp_path, args, options, error, text):
    with pytest.raises(error, match=text):
        files.create_npy(tmp_path / "w.npy", *args, **options)
    assert not any(tmp_path.iterdir())


def run(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file size limits as Linux has them")
def test_too_little_room_is_told_before_a_byte_is_filled(tmp_path):
    code = """
import resource, sys, fastinit as fi
from fastinit.files import create_npy
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    create_npy(sys.argv[1], 2**20, fi.Normal(), seed=0)
except OSError as error:
    print(error.strerror, error.filename)
"""
    told = f"4194432 bytes are needed, more than this process may write, 1048576 bytes, in one file {tmp_path}/w.npy\n"
    assert run(code, tmp_path / "w.npy") == told
    assert not any(tmp_path.iterdir())


# The peak of this process alone: ru_maxrss may be the parent's, whose memory a forked child begins with.
PEAK = """
import sys, fastinit as fi, fastinit.safetensors
from fastinit import files
folder, gib, chunk = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
files.CHUNK = chunk or files.CHUNK
columns = int(gib * 2**28) // 4096
spec = {"large": (4096, columns * 3 // 4), **{f"small.{i}": ((1024, columns // 2), "bfloat16") for i in range(4)}}
made = fi.safetensors.create(folder + "/m.safetensors", spec, {"large": fi.TruncNormal(), "*": fi.Normal()}, seed=0, shards=2)
print(sum(path.stat().st_size for path in made) / 2**30)
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
@pytest.mark.parametrize("gib", [0.3, pytest.param(4, marks=pytest.mark.slow)])
def test_at_most_100_mib_of_memory(tmp_path, gib):
    size, peak = map(float, run(PEAK, tmp_path, gib, 0).split())
    assert size > 0.97 * gib and peak < 100
    with safe_open(tmp_path / "m-00001-of-00002.safetensors", "numpy") as file:
        part = file.get_slice("large")
        shape = tuple(part.get_shape())
        for row in (0, 1234, 4095):
            assert np.array_equal(part[row:row + 1], fi.trunc_normal_(
                np.empty((1, shape[1]), "f4"), seed=0, name="large", global_shape=shape, offset=(row, 0)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_the_peak_is_seen(tmp_path):
    """The control: what is filled in larger pieces counts."""
    assert float(run(PEAK, tmp_path, 0.2, 2**26).split()[1]) > 150


def test_example(tmp_path):
    printed = run((Path(__file__).parents[2] / "docs" / "examples" / "checkpoint.py").read_text(), tmp_path)
    assert [line.split()[0] for line in printed.splitlines()] == [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
