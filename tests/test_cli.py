"""The embedded layouts, and the command line."""

import fnmatch
import io
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import fastinit as fi
from fastinit import bench, cli, specs
from fastinit.dtypes import DTYPES
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
    assert bench.mean_std(bench.asked_sums(row))[1] == pytest.approx(std, rel=1e-9)


def test_ranges_multiply():
    assert list(TINY.rows[2].expand()) == ["cut.0.3", "cut.0.4", "cut.1.3", "cut.1.4"]


# ---- bench


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


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_fillers_do_the_asked_job(tiny, capsys, dtype):
    report = run_json(capsys, "bench", tiny, "--dtype", dtype, "--seed", "7")
    assert [kind["kind"] for kind in report["kinds"]] == ["dense", "cut", "norm", "bias"]
    fillers = {"fastinit", "numpy", "torch"} & report["total"].keys()
    assert fillers >= {"fastinit", "numpy"}
    for kind in report["kinds"]:
        for filler in fillers:
            assert kind[filler]["std"] == pytest.approx(kind["asked_std"], rel=0.02), (kind["kind"], filler)
            assert kind[filler]["mean"] == pytest.approx(kind["asked_mean"], abs=0.002), (kind["kind"], filler)
            assert kind[filler]["seconds"] > 0


def test_sizes_are_measured_and_drawn(tiny, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(bench.measure_sizes, "__kwdefaults__", bench.measure_sizes.__kwdefaults__ | {"sizes": (4096, 65536)})
    report = run_json(capsys, "bench", tiny, "--no-compare", "--plot", str(tmp_path / "speed.png"))
    assert {"fastinit", "numpy", "ndarray.fill"} <= {record["library"] for record in report["sizes"]}
    assert {record["elements"] for record in report["sizes"]} == {4096, 65536}
    assert all(seconds > 0 for record in report["sizes"] for seconds in record["seconds"])
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def test_tables_fit_80_columns(tiny, capsys, monkeypatch):
    monkeypatch.setattr(bench, "proc_field", lambda file, field: "a CPU of a long name " * 5 if file == "cpuinfo" else None)
    assert cli.main(["bench", tiny, "--dtype", "bfloat16"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80, out
    for word in ("a CPU", "seed 0", "stream version", "asked std", "numpy", "total", *(row.kind for row in TINY.rows)):
        assert word in out


def test_memory_is_checked_first(capsys, monkeypatch):
    monkeypatch.setattr(bench, "available_memory", lambda: 8 * 10**9)
    monkeypatch.setattr(np, "empty", None)  # nothing may be allocated
    message = refused(capsys, "--layout=llama-3-8b", "--dtype=bfloat16")
    assert "16.13 GB" in message and "8.00 GB are available" in message


def test_unknown_memory_is_no_refusal(tiny, capsys, monkeypatch):
    monkeypatch.setattr(bench, "available_memory", lambda: None)
    run_json(capsys, tiny, "--no-compare")


def test_available_memory():
    free = bench.available_memory()
    assert free is None or free > 1 << 20


# ---- init


def filled(dtype, seed):
    arrays = {name: np.empty(shape, DTYPES[dtype].storage) for name, shape in TINY.tensors().items()}
    return fi.fill(arrays, TINY.rules(), seed=seed, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_npz_holds_the_values_of_fill(tiny, tmp_path, capsys, dtype):
    path = tmp_path / "model.npz"
    report = run_json(capsys, "init", "tiny", str(path), "--dtype", dtype, "--seed", "11", "--threads", "2")
    assert report["files"] == [str(path)] and report["parameters"] == TINY.parameters()
    with np.load(path) as written:
        arrays = filled(dtype, 11)
        assert set(written.files) == set(arrays)
        for name, array in arrays.items():
            assert written[name].dtype == array.dtype and written[name].shape == array.shape
            assert written[name].tobytes() == array.tobytes(), name
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_safetensors(tiny, tmp_path, capsys, dtype):
    safetensors = pytest.importorskip("safetensors", minversion="0.8")
    pytest.importorskip("fastinit.safetensors")
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
    pytest.importorskip("fastinit.safetensors")
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
    if suffix == ".toml":
        pytest.importorskip("tomllib")
    (tmp_path / f"spec{suffix}").write_text(TOML if suffix == ".toml" else json.dumps(SPEC))
    report = run_json(capsys, "init", str(tmp_path / f"spec{suffix}"), str(tmp_path / "m.npz"), "--seed", "3")
    assert (report["tensors"], report["parameters"], report["bytes"]) == (3, 1207, 2456)
    with np.load(tmp_path / "m.npz") as written:
        assert written["head"].dtype == np.float64 and not written["head"].any()
        for name in ("block.0.weight", "block.1.weight"):
            asked = fi.kaiming_normal((30, 20), nonlinearity="relu", dtype="float16", seed=3, name=name)
            assert (written[name] == asked).all()


@pytest.mark.parametrize(("change", "told"), [
    ({"tensors": {}}, "'tensors'"),
    ({"rules": None}, "'rules'"),
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


def test_no_file_is_replaced_unasked(tiny, tmp_path, capsys):
    path = tmp_path / "model.npz"
    path.write_text("precious")
    assert "exists" in refused(capsys, "init", "tiny", str(path))
    assert path.read_text() == "precious"
    run_json(capsys, "init", "tiny", str(path), "--force")
    assert path.read_bytes().startswith(b"PK")


@pytest.mark.parametrize("name", ["model", "model.pt", "model.npz.gz", "missing/model.npz"])
def test_bad_output(tiny, tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(specs, "fill", None)  # refused before the work
    assert name in refused(capsys, "init", "tiny", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_interrupt(tiny, tmp_path, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, "write_array", interrupted)
    assert cli.main(["init", "tiny", str(tmp_path / "model.npz")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_failing_system(tiny, tmp_path, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    assert cli.main(["init", "tiny", str(tmp_path / "model.npz")]) == 3
    assert "No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---- explain, words, info, plot


def test_explain(capsys):
    told = run_json(capsys, "explain", "kaiming_normal", "64x32x3x3", "nonlinearity=relu", "groups=2", "dtype=bfloat16")
    asked = fi.explain("kaiming_normal", (64, 32, 3, 3), nonlinearity="relu", groups=2, dtype="bfloat16")
    assert (told["fan_in"], told["std"], told["dtype"], told["low"]) == (asked.fan_in, asked.std, "bfloat16", None)
    assert cli.main(["explain", "xavier_uniform", "30,20"]) == 0
    out = capsys.readouterr().out
    assert "fan_in        20\n" in out and f"high          {(6 / 50) ** 0.5}\n" in out


@pytest.mark.parametrize("args", [["magic", "3x3"], ["kaiming_normal", "3"], ["normal", "3", "std"], ["normal", "3", "std=-1"]])
def test_explain_refuses(capsys, args):
    assert refused(capsys, "explain", *args)


@pytest.mark.parametrize("shards", [1, 3, 100, 8192])
def test_words_interleave_shards(capsys, shards):
    found = run_json(capsys, "words", "--seed", "9", "--name", "w", "--shards", str(shards), "--count", "20001")["words"]
    rows = -(-20001 // shards)
    wanted = [fi.words(rows, seed=9, name="w", offset=s * (2**40 // shards)) for s in range(shards)]
    assert found == np.stack(wanted, axis=1).ravel()[:20001].tolist()


def test_words_of_many_blocks():
    command = [sys.executable, "-m", "fastinit", "words", "--count", str(2**23 + 5)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert done.stdout == fi.words(2**23 + 5, seed=0).astype("<u4").tobytes() and done.stderr == b""


@pytest.mark.parametrize("command", [["words"], ["audit", "-v", "m.npz"]])
def test_broken_pipe_is_no_error(tmp_path, command):
    np.savez(tmp_path / "m.npz", **{f"{'long' * 20}.{i}": np.zeros(2) for i in range(2000)})
    with subprocess.Popen([sys.executable, "-m", "fastinit", *command], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_words_keep_off_terminals(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert "terminal" in refused(capsys, "words")
    assert "--count" in refused(capsys, "words", "--json")
    assert "--count" in refused(capsys, "words", "--count", str(2**40 + 1))
    assert "--count" in refused(capsys, "words", "--count", str(2**40), "--shards", "3")
    assert "--shards" in refused(capsys, "words", "--shards", str(2**17))


def test_info(capsys):
    report = run_json(capsys, "info")
    assert fi.show_config().items() <= report.items()
    assert report["numpy"] == np.__version__ and "torch" in report["optional"]
    assert cli.main(["info"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("picture", ["depth", "symmetry", "speed"])
def test_plots(tmp_path, capsys, picture):
    pytest.importorskip("matplotlib")
    record = {"library": "numpy", "distribution": "normal", "dtype": "float32", "elements": 4, "bytes": 16, "memory": "touched",
              "threads": 1, "seconds": [1e-6]}
    (tmp_path / "all.json").write_text(json.dumps({"records": [record, record | {"bytes": 64, "elements": 16}]}))
    report = run_json(capsys, "plot", picture, str(tmp_path / "p.png"), "--data", str(tmp_path / "all.json"))
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    if picture == "symmetry":
        assert all(a == b == c for a, b, c in report["constant"]["hidden"])
        assert not any(a == b for a, b, _ in report["Xavier"]["hidden"])
    assert cli.main(["plot", picture, str(tmp_path / "q.svg"), "--data", str(tmp_path / "all.json")]) == 0
    assert max(map(len, capsys.readouterr().out.replace(str(tmp_path), "").splitlines())) <= 80


@pytest.mark.parametrize("line", ["plot depth p.png", "bench --plot p.png", "explain normal 3 --plot p.png"])
def test_drawing_without_matplotlib(capsys, monkeypatch, line):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    monkeypatch.setattr(bench, "measure_model", None)  # refused before the work
    assert "pip install" in refused(capsys, *line.split())


def test_plot_of_speed_needs_data(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert "--data" in refused(capsys, "plot", "speed", str(tmp_path / "p.png"))


# ---- all commands


def refused(capsys, *args):
    assert cli.main(list(args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("command", [["bench", "--layout=tiny", "--no-compare"], ["init", "tiny", "m.npz"]])
def test_progress_only_on_a_terminal(tiny, tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    if command[0] == "init":
        pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main([*command, "--json"]) == 0
    assert ("fastinit: dense" if command[0] == "bench" else "/9 [") in sys.stderr.getvalue()
    json.loads(capsys.readouterr().out)


def test_numpy_is_all_it_needs(tmp_path):
    code = """if True:
        import sys
        for name in ("torch", "matplotlib", "tqdm", "safetensors", "ml_dtypes", "scipy"):
            sys.modules[name] = None
        from fastinit.cli import main
        for line in sys.argv[1:]:
            if status := main(line.split()):
                sys.exit(f"{line}: {status}")
        """
    lines = ("init resnet50 m.npz --dtype float16", "audit m.npz", "info", "explain normal 3", "bench --layout resnet50",
             "words --count 3")
    done = subprocess.run([sys.executable, "-c", code, *lines], cwd=tmp_path, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b""), done


def test_the_core_does_not_import_it():
    code = "import sys, fastinit; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "fastinit" in found
    assert not {f"fastinit.{name}" for name in ("cli", "audit", "viz", "bench", "specs", "weights")} & set(found)


@pytest.mark.parametrize("args", [["--seed=-1"], ["--seed=0.5"], ["--threads=0"], ["--dtype=int8"], ["--layout=alexnet"]])
def test_bad_arguments(args, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(args)
    assert stop.value.code == 2
    assert args[0].split("=")[0] in capsys.readouterr().err


def test_entry_point():
    script = os.path.join(os.path.dirname(sys.executable), "fastinit")
    if not os.path.exists(script):
        pytest.skip("not installed with its script")
    assert subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout.startswith("fastinit ")
