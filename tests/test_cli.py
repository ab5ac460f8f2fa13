"""The embedded layouts, and ``python -m fastinit``."""

import fnmatch
import io
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import fastinit as fi
from fastinit import __main__ as cli
from fastinit.layouts import LAYOUTS, Layout, Row

# Parameters and tensors as torchvision 0.28 and transformers 5.23 report them for these models.
PUBLISHED = {
    "gpt2": (124_439_808, 148),
    "resnet50": (25_557_032, 161),
    "vit-b-16": (86_567_656, 152),
    "llama-3-8b": (8_030_261_248, 291),
}

TINY = Layout(
    "nobody",
    (
        Row("dense", "block.<0-1>.weight", (300, 200), ("kaiming_normal", {"nonlinearity": "relu"})),
        Row("dense", "wide.weight", (300, 400), ("xavier_uniform", {})),
        Row("cut", "cut.<0-1>.<3-4>", (40_000,), ("trunc_normal", {"std": 0.1, "a": -0.2, "b": 0.2})),
        Row("norm", "norm.weight", (200,), ("ones", {})),
        Row("bias", "norm.bias", (200,), ("zeros", {})),
    ),
)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(LAYOUTS, "tiny", TINY)
    return "--layout=tiny"


def run_json(capsys, *args):
    assert cli.main([*args, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # not a terminal: no progress
    return json.loads(out)


# ---- layouts


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(name):
    tensors = LAYOUTS[name].tensors()
    assert (sum(map(math.prod, tensors.values())), len(tensors)) == PUBLISHED[name]
    assert LAYOUTS[name].parameters() == PUBLISHED[name][0]
    assert len(list(LAYOUTS[name].items())) == len(tensors)  # no name twice


def test_every_layout_is_listed():
    assert LAYOUTS.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_first_matching_rule_is_the_rows_own(name):
    rules = LAYOUTS[name].rules()
    own = {row.pattern: row.rule for row in LAYOUTS[name].rows}
    assert rules.keys() == own.keys()
    for tensor, row in LAYOUTS[name].items():
        first = next(pattern for pattern in rules if fnmatch.fnmatchcase(tensor, pattern))
        assert own[first] == row.rule, tensor


@pytest.mark.parametrize(
    ("layout", "tensor", "std"),
    [
        ("gpt2", "h.11.attn.c_attn.weight", 0.02),
        ("gpt2", "h.0.mlp.c_proj.weight", 0.02 / math.sqrt(24)),
        ("gpt2", "h.0.mlp.c_proj.bias", 0.0),
        ("resnet50", "conv1.weight", math.sqrt(2 / (64 * 49))),
        ("resnet50", "layer4.2.conv3.weight", math.sqrt(2 / 2048)),
        ("resnet50", "layer2.0.downsample.0.weight", math.sqrt(2 / 512)),
        ("resnet50", "fc.weight", 1 / math.sqrt(3 * 2048)),
        ("resnet50", "fc.bias", 1 / math.sqrt(3 * 2048)),
        ("vit-b-16", "conv_proj.weight", 1 / math.sqrt(768)),
        ("vit-b-16", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight", math.sqrt(2 / (4 * 768))),
        ("vit-b-16", "encoder.layers.encoder_layer_0.self_attention.out_proj.weight", 1 / math.sqrt(3 * 768)),
        ("vit-b-16", "encoder.layers.encoder_layer_11.mlp.3.weight", math.sqrt(2 / (5 * 768))),
        ("vit-b-16", "encoder.layers.encoder_layer_11.mlp.0.bias", 1e-6),
        ("llama-3-8b", "model.layers.31.mlp.down_proj.weight", 0.02),
    ],
)
def test_published_std(layout, tensor, std):
    row = dict(LAYOUTS[layout].items())[tensor]
    assert cli.mean_std(cli.asked_sums(row))[1] == pytest.approx(std, rel=1e-9)


def test_ranges_multiply():
    assert list(TINY.rows[2].expand()) == ["cut.0.3", "cut.0.4", "cut.1.3", "cut.1.4"]


# ---- the command


def test_gpt2_in_a_process():
    command = [sys.executable, "-m", "fastinit", "--no-compare", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert (report["layout"], report["dtype"], report["seed"]) == ("gpt2", "float32", 0)
    assert (report["total"]["parameters"], report["total"]["tensors"]) == PUBLISHED["gpt2"]
    assert report["total"]["bytes"] == 4 * PUBLISHED["gpt2"][0]
    assert "numpy" not in report["total"]
    for kind in report["kinds"]:
        off = abs(kind["fastinit"]["std"] - kind["asked_std"])
        assert off <= 6 * kind["asked_std"] / math.sqrt(2 * kind["parameters"]), kind  # |z| < 6


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_all_fillers_do_the_asked_job(tiny, capsys, dtype):
    report = run_json(capsys, tiny, "--dtype", dtype, "--seed", "7")
    assert [kind["kind"] for kind in report["kinds"]] == ["dense", "cut", "norm", "bias"]
    fillers = {"fastinit", "numpy", "torch"} & report["total"].keys()
    assert fillers >= {"fastinit", "numpy"}
    for kind in report["kinds"]:
        for filler in fillers:
            assert kind[filler]["std"] == pytest.approx(kind["asked_std"], rel=0.02), (kind["kind"], filler)
            assert kind[filler]["mean"] == pytest.approx(kind["asked_mean"], abs=0.002), (kind["kind"], filler)
            assert kind[filler]["seconds"] > 0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_values_are_those_of_fill(tiny, tmp_path, capsys, dtype):
    path = tmp_path / "model.npz"
    report = run_json(capsys, tiny, "--dtype", dtype, "--seed", "11", "--threads", "2", "--out", str(path))
    assert report["out"] == str(path)
    storage = "uint16" if dtype == "bfloat16" else dtype
    arrays = {name: np.empty(shape, storage) for name, shape in TINY.tensors().items()}
    fi.fill(arrays, TINY.rules(), seed=11, dtype="bfloat16" if dtype == "bfloat16" else None)
    with np.load(path) as written:
        assert set(written.files) == set(arrays)
        for name, array in arrays.items():
            assert written[name].dtype == array.dtype and written[name].shape == array.shape
            assert written[name].tobytes() == array.tobytes(), name
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_safetensors(tiny, tmp_path, capsys, dtype):
    safetensors = pytest.importorskip("safetensors", minversion="0.8")
    path = tmp_path / "model.safetensors"
    run_json(capsys, tiny, "--dtype", dtype, "--no-compare", "--out", str(path))
    storage = "uint16" if dtype == "bfloat16" else dtype
    arrays = {name: np.empty(shape, storage) for name, shape in TINY.tensors().items()}
    fi.fill(arrays, TINY.rules(), seed=0, dtype="bfloat16" if dtype == "bfloat16" else None)
    code = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16"}[dtype]
    found = dict(safetensors.deserialize(path.read_bytes()))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name]["dtype"], tuple(found[name]["shape"])) == (code, array.shape)
        assert bytes(found[name]["data"]) == array.tobytes(), name


def test_tables_fit_80_columns(tiny, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "proc_field", lambda file, field: "a CPU" if file == "cpuinfo" else None)
    assert cli.main([tiny, "--dtype", "bfloat16", "--out", str(tmp_path / "m.npz")]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "wrote" in out and "bfloat16 as uint16" in out
    table = [line for line in out.splitlines() if "wrote" not in line]
    assert max(map(len, table)) <= 80, out
    for word in ("a CPU", "seed 0", "stream version", "asked std", "numpy", "total", *(row.kind for row in TINY.rows)):
        assert word in out


def test_progress_only_on_a_terminal(tiny, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main([tiny, "--no-compare", "--json"]) == 0
    assert "fastinit: dense" in sys.stderr.getvalue()
    json.loads(capsys.readouterr().out)


# ---- refusals


def refused(capsys, *args):
    assert cli.main(list(args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_memory_is_checked_first(capsys, monkeypatch):
    monkeypatch.setattr(cli, "available_memory", lambda: 8 * 10**9)
    monkeypatch.setattr(np, "empty", None)  # nothing may be allocated
    message = refused(capsys, "--layout=llama-3-8b", "--dtype=bfloat16")
    assert "16.13 GB" in message and "8.00 GB are available" in message


def test_unknown_memory_is_no_refusal(tiny, capsys, monkeypatch):
    monkeypatch.setattr(cli, "available_memory", lambda: None)
    run_json(capsys, tiny, "--no-compare")


def test_available_memory():
    free = cli.available_memory()
    assert free is None or free > 1 << 20


@pytest.mark.parametrize("name", ["model", "model.pt", "model.npz.gz", "missing/model.npz"])
def test_bad_output(tiny, tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(fi, "fill", None)  # refused before the work
    assert name in refused(capsys, tiny, "--out", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_safetensors_missing(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert "pip install" in refused(capsys, tiny, "--out", str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize("args", [["--seed=-1"], ["--seed=0.5"], ["--threads=0"], ["--dtype=int8"], ["--layout=alexnet"]])
def test_bad_arguments(args, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(args)
    assert stop.value.code == 2
    assert args[0].split("=")[0] in capsys.readouterr().err


def test_interrupt(tiny, tmp_path, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    assert cli.main([tiny, "--out", str(tmp_path / "model.npz")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
