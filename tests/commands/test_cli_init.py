"""The command `init`: files of filled tensors."""

import json
import re

import numpy as np
import pytest
from cli_helpers import TINY, refused, run_json

import fastinit as fi
from fastinit import files
from fastinit.commands import cli
from fastinit.core.dtypes import DTYPES


def filled(dtype, seed):
    arrays = {name: np.empty(shape, DTYPES[dtype].storage) for name, shape in TINY.tensors().items()}
    return fi.fill(arrays, TINY.rules(), seed=seed, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_npz_holds_the_values_of_fill(tiny, tmp_path, capsys, dtype):
    path = tmp_path / "model.npz"
    report = run_json(capsys, "init", "tiny", str(path), "--dtype", dtype, "--seed", "11", "--num-threads", "2")
    assert report["files"] == [str(path)] and report["parameters"] == TINY.parameters()
    arrays = filled(dtype, 11)
    np.savez(tmp_path / "own.npz", **arrays)
    assert path.read_bytes() == (tmp_path / "own.npz").read_bytes(), "to the byte what NumPy writes"
    (tmp_path / "own.npz").unlink()
    with np.load(path) as written:
        assert set(written.files) == set(arrays)
        for name, array in arrays.items():
            assert written[name].dtype == array.dtype and written[name].shape == array.shape
            assert written[name].tobytes() == array.tobytes(), name
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_safetensors(tiny, tmp_path, capsys, dtype):
    safetensors = pytest.importorskip("safetensors", minversion="0.8")
    path = tmp_path / "model.safetensors"
    run_json(capsys, "init", "tiny", str(path), "--dtype", dtype)
    code = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16"}[dtype]
    found = dict(safetensors.deserialize(path.read_bytes()))
    arrays = filled(dtype, 0)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name]["dtype"], tuple(found[name]["shape"])) == (code, array.shape)
        assert bytes(found[name]["data"]) == array.tobytes(), name


def test_safetensors_in_shards(tiny, tmp_path, capsys):
    report = run_json(capsys, "init", "tiny", str(tmp_path / "model.safetensors"), "--shards", "3")
    assert sorted(report["files"]) == sorted(map(str, tmp_path.iterdir())) and len(report["files"]) == 4  # and the index


SPEC = {
    "dtype": "float16",
    "tensors": {"block.<0-1>.weight": [30, 20], "head": {"shape": [7], "dtype": "float64"}},
    "rules": {"block.*": {"initializer": "kaiming_normal", "nonlinearity": "relu"}, "*": "zeros"},
}
TOML = """
dtype = "float16"
[tensors]
"block.<0-1>.weight" = [30, 20]
head = { shape = [7], dtype = "float64" }
[rules]
"block.*" = { initializer = "kaiming_normal", nonlinearity = "relu" }
"*" = "zeros"
"""


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_spec_files(tmp_path, capsys, suffix):
    (tmp_path / f"spec{suffix}").write_text(TOML if suffix == ".toml" else json.dumps(SPEC))
    report = run_json(capsys, "init", str(tmp_path / f"spec{suffix}"), str(tmp_path / "m.npz"), "--seed", "3")
    assert (report["tensors"], report["parameters"], report["bytes"]) == (3, 1207, 2456)
    with np.load(tmp_path / "m.npz") as written:
        assert written["head"].dtype == np.float64 and not written["head"].any()
        for name in ("block.0.weight", "block.1.weight"):
            asked = fi.kaiming_normal((30, 20), nonlinearity="relu", dtype="float16", seed=3, name=name)
            assert (written[name] == asked).all()


@pytest.mark.parametrize(("change", "told"), [
    ({"tensors": {}}, "spec.json: tensors: "),
    ({"rules": None}, "spec.json: rules: "),
    ({"seed": 3}, "seed"),
    ({"dtype": "int8"}, "int8"),
    ({"tensors": {"w": [3, -1]}}, "tensors.w"),
    ({"tensors": {"w": {"size": [3]}}}, "size"),
    ({"rules": {"*": "magic"}}, "magic"),
    ({"rules": {"*": {"initializer": "normal", "width": 3}}}, "width"),
    ({"rules": {"nothing": "zeros"}}, "block.0.weight"),
])
def test_bad_specs(tmp_path, capsys, change, told):
    (tmp_path / "spec.json").write_text(json.dumps(SPEC | change))
    assert told in refused(capsys, "init", str(tmp_path / "spec.json"), str(tmp_path / "m.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


def test_npy_is_one_tensor(tiny, tmp_path, capsys):
    (tmp_path / "one.json").write_text(json.dumps({"tensors": {"w": [300, 20]}, "rules": {"*": "normal"}}))
    run_json(capsys, "init", str(tmp_path / "one.json"), str(tmp_path / "w.npy"), "--seed", "5")
    assert (np.load(tmp_path / "w.npy") == fi.normal((300, 20), seed=5, name="w")).all()
    assert "one tensor" in refused(capsys, "init", "tiny", str(tmp_path / "m.npy"))


@pytest.mark.parametrize("names", [["a\0b", "a\0c"], ["a", "a.npy"], ["a.npy", "a"], ["n" * 65_532]])
def test_names_that_an_npz_file_does_not_keep_are_refused(tmp_path, capsys, names):
    (tmp_path / "spec.json").write_text(json.dumps({"tensors": dict.fromkeys(names, [3]), "rules": {"*": "zeros"}}))
    assert "numpy.load" in refused(capsys, "init", str(tmp_path / "spec.json"), str(tmp_path / "m.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


def test_an_npz_file_keeps_every_other_name(tmp_path, capsys):
    names = ["", "a.npy.npy", "é/ü", "b\n", "n" * 60_000, "../up"]
    (tmp_path / "spec.json").write_text(json.dumps({"tensors": dict.fromkeys(names, [3]), "rules": {"*": "normal"}}))
    run_json(capsys, "init", str(tmp_path / "spec.json"), str(tmp_path / "m.npz"))
    with np.load(tmp_path / "m.npz") as written:
        assert written.files == names
        for name in names:
            assert (written[name] == fi.normal(3, seed=0, name=name)).all()


def test_no_file_is_replaced_unasked(tiny, tmp_path, capsys):
    path = tmp_path / "model.npz"
    path.write_text("precious")
    assert "exists" in refused(capsys, "init", "tiny", str(path))
    assert path.read_text() == "precious"
    run_json(capsys, "init", "tiny", str(path), "--force")
    assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("name", ["model", "model.pt", "model.npz.gz", "missing/model.npz"])
def test_bad_output(tiny, tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(files, "write_filled", None)  # refused before the work
    assert name in refused(capsys, "init", "tiny", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_interrupt(tiny, tmp_path, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.Request, "fill", interrupted)
    assert cli.main(["init", "tiny", str(tmp_path / "model.npz")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_failing_system(tiny, tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Request, "fill", full)
    assert cli.main(["init", "tiny", str(tmp_path / "model.npz")]) == 3
    assert re.search(r"Errno 28\] \d+ bytes are needed, \d+ bytes are free: '.*model\.npz'", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def spec_of(text, tmp_path, suffix=".json"):
    path = tmp_path / f"spec{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode() if isinstance(text, str) else json.dumps(text).encode())
    return str(path)


RULES = {"*": "zeros"}


@pytest.mark.parametrize(("spec", "told"), [
    ({"tensors": {"a.<5-1>": [3]}, "rules": RULES}, "tensors.a.<5-1>: expected a range that goes up"),
    ({"tensors": {"a.<0-99999999>": [3]}, "rules": RULES}, "tensors.a.<0-99999999>: expected at most 262144 tensors"),
    ({"tensors": {"a.<0-511><0-512>": [3]}, "rules": RULES}, "got 262656"),
    ({"tensors": {"a.<0-" + "9" * 40 + ">": [3]}, "rules": RULES}, "18 digits"),
    ({"tensors": {"a.<0-3>": [3], "a.<3-4>": [3]}, "rules": RULES}, "tensors.a.<3-4>: expected names of its own, got 'a.3'"),
    ({"tensors": {"a.<0-262142>": [3]}, "rules": {f"*{i}": "zeros" for i in range(33)}}, "rules: expected at most 32"),
    ({"tensors": {"w": [int("9" * 4000)]}, "rules": RULES}, "tensors.w: shape: expected ints"),
    ({"tensors": {"w": [2**40, 2**40]}, "rules": RULES}, "tensors.w: shape: expected at most 2^48 elements"),
    ({"tensors": {"w": [2**62, 0, 2**62]}, "rules": RULES}, "tensors.w: shape: expected at most 2^48 elements"),
    ({"tensors": {"w": [1] * 33}, "rules": RULES}, "tensors.w: shape: expected at most 32 axes"),
    ({"tensors": {"w": None}, "rules": RULES}, "tensors.w: shape"), ({"tensors": {"w": "3"}, "rules": RULES}, "tensors.w"),
    ({"tensors": {"w": [True]}, "rules": RULES}, "tensors.w: shape"), ({"tensors": {"w": [3.0]}, "rules": RULES}, "tensors.w"),
    ({"tensors": {"w": {"shape": [3], "dtype": ["float32"]}}, "rules": RULES}, "tensors.w: dtype"),
    ({"tensors": {"w": {"shape": [3], "dtype": "f4"}}, "rules": RULES}, "tensors.w: dtype"),
    ({"tensors": {"w": [3]}, "rules": {"*": 3}}, "rules.*: expected a table, got 3"),
    ({"tensors": {"w": [3]}, "rules": {"*": {"initializer": ["normal"]}}}, "rules.*: initializer: expected a str"),
    ({"tensors": {"w": [3]}, "rules": {"*": {}}}, "rules.*: initializer"),
    ({"tensors": ["w"], "rules": RULES}, "tensors: expected a table"), ([], "the top level: expected a table"),
    ('{"tensors": {"w": [3], "w": [4]}, "rules": {"*": "zeros"}}', "the key 'w' twice"),
    ('{"tensors": {"w": [3]}, "rules": {"*": "ones", "*": "zeros"}}', "the key '*' twice"),
    ('{"tensors": {"w": [' + "9" * 5000 + "]}}", "5000 digits"), ('{"tensors": {"w": [NaN]}}', "NaN"),
    ('{"tensors": {"w": [1e999]}}', "1e999"), ('{"tensors": {"\\ud800": [1]}, "rules": {"*": "zeros"}}', "surrogates"),
    ("[" * 10**5, "too deeply"), ("", "Expecting value"), (b"\xff\xfe{}", "utf-8"), (b"\xef\xbb\xbf{}", "BOM"),
    (b" " * (2**24 + 1), "16777216 bytes"),
])
def test_specs_that_cannot_be_meant_are_refused_by_the_entry(tmp_path, capsys, spec, told):
    err = refused(capsys, "init", spec_of(spec, tmp_path), str(tmp_path / "m.npz"))
    assert "spec.json: " in err and told in err and err.count("\n") == 1 and len(err) < 2200
    assert [path.name for path in tmp_path.iterdir()] == ["spec.json"]


@pytest.mark.parametrize(("spec", "told"), [
    ('[tensors]\nw = [3]\nw = [4]\n', "overwrite"), ('[tensors]\n"a.<5-1>" = [3]\n[rules]\n"*" = "zeros"', "tensors.a.<5-1>"),
    ('[tensors]\nw = [3]\n[rules]\n"*" = { initializer = "normal", std = nan }', "std"), ("x = " + "[" * 10**5, "too deeply"),
    ('[tensors]\nw = [' + "9" * 5000 + "]", "spec.toml"), (b"\xff", "utf-8"), ("x", "spec.toml"),
])
def test_toml_that_cannot_be_meant_is_refused(tmp_path, capsys, spec, told):
    err = refused(capsys, "init", spec_of(spec, tmp_path, ".toml"), str(tmp_path / "m.npz"))
    assert told in err and err.count("\n") == 1 and len(err) < 2200


def test_a_name_that_no_writer_has_is_refused_in_one_sentence(tmp_path, capsys):
    assert refused(capsys, "init", "gpt2", str(tmp_path / "x.foo")).endswith("in .safetensors, .npz, .npy\n")
    assert "2 shards" in refused(capsys, "init", "gpt2", str(tmp_path / "x.npz"), "--shards", "2")
