"""The command line; `init` has a file of its own."""

import io
import json
import math
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from cli_helpers import PUBLISHED, TINY, refused, run_json

import fastinit as fi
from fastinit.commands import bench, cli
from fastinit.commands.progress import progress
from fastinit.core.dtypes import DTYPES


# ---- bench


def test_gpt2_in_a_process():
    command = [sys.executable, "-m", "fastinit", "--no-compare", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    report = json.loads(done.stdout)
    assert done.stderr == ""
    assert (report["model"], report["dtype"], report["seed"]) == ("gpt2", "float32", 0)
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
    message = refused(capsys, "bench", "--model=llama-3-8b", "--dtype=bfloat16")
    assert "16.13 GB" in message and "8.00 GB are available" in message


def test_unknown_memory_is_no_refusal(tiny, capsys, monkeypatch):
    monkeypatch.setattr(bench, "available_memory", lambda: None)
    run_json(capsys, "bench", tiny, "--no-compare")


def test_available_memory():
    free = bench.available_memory()
    assert free is None or free > 1 << 20


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
              "num_threads": 1, "seconds": [1e-6]}
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


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("command", [["bench", "--model=tiny", "--no-compare"], ["init", "tiny", "m.npz"]])
def test_progress_only_on_a_terminal(tiny, tmp_path, capsys, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main([*command, "--json"]) == 0
    assert ("/4 [" if command[0] == "bench" else "/9 [") in sys.stderr.getvalue()  # kinds; tensors
    json.loads(capsys.readouterr().out)


def test_no_progress_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", Terminal())
    items = [1, 2]
    assert progress(items) is items and sys.stderr.getvalue() == ""


def test_numpy_is_all_it_needs(tmp_path):
    code = """if True:
        import sys
        for name in ("torch", "matplotlib", "tqdm", "safetensors", "ml_dtypes", "scipy"):
            sys.modules[name] = None
        from fastinit.commands.cli import main
        for line in sys.argv[1:]:
            if status := main(line.split()):
                sys.exit(f"{line}: {status}")
        """
    lines = ("init resnet50 m.npz --dtype float16", "audit m.npz", "info", "explain normal 3", "bench --model resnet50",
             "words --count 3")
    done = subprocess.run([sys.executable, "-c", code, *lines], cwd=tmp_path, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b""), done


def test_the_core_does_not_import_it():
    code = "import sys, fastinit; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"fastinit", "fastinit.core.calls"} <= set(found)
    apart = tuple(f"fastinit.{name}" for name in ("commands", "audit", "formats", "viz", "files", "weights", "safetensors"))
    assert not [name for name in found if name.startswith(apart)]
    assert all(find_spec(name) for name in apart), "they are called so"


@pytest.mark.parametrize("args", [["--seed=-1"], ["--seed=0.5"], ["--num-threads=0"], ["--dtype=int8"], ["--model=alexnet"]])
def test_bad_arguments(args, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["bench", *args])
    assert stop.value.code == 2
    assert args[0].split("=")[0] in capsys.readouterr().err


def test_without_a_command_it_tells_what_there_is(capsys):
    assert cli.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10 and max(map(len, lines)) <= 80
    told = {line.split()[1] for line in lines if line.startswith("  fastinit")}
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert told == set(re.findall(r"^    (\w+) ", capsys.readouterr().out, re.M))
    examples = re.findall(r"^  fastinit (.+?)  ", cli.SUMMARY, re.M)
    assert len(examples) == len(told)
    for example in examples:
        cli.build_parser().parse_args(example.partition(" | ")[0].split())


def test_the_module_without_a_command_is_bench(capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(cli, "run_bench", lambda args: seen.append((args.model, args.no_compare)) or 0)
    assert [cli.main(args, default="bench") for args in ([], ["--no-compare"], ["bench", "--model=resnet50"])] == [0, 0, 0]
    assert seen == [("gpt2", False), ("gpt2", True), ("resnet50", False)]
    assert cli.main(["info"], default="bench") == 0 and len(seen) == 3
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"], default="bench")
    assert stop.value.code == 0 and "explain" in capsys.readouterr().out


def test_options_without_a_command_are_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--no-compare"])
    assert stop.value.code == 2 and "command" in capsys.readouterr().err


def test_entry_point():
    script = os.path.join(os.path.dirname(sys.executable), "fastinit")
    if not os.path.exists(script):
        pytest.skip("not installed with its script")
    assert subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout.startswith("fastinit ")


@pytest.mark.parametrize(("args", "told"), [
    (["explain", "normal", "1.5x2"], "'1.5x2'"), (["explain", "normal", "64x-32"], "'64x-32'"),
    (["explain", "normal", "abc"], "'abc'"), (["explain", "normal", "3x"], "'3x'"), (["explain", "normal", ""], "got ''"),
    (["explain", "normal", "9" * 4000], "19 digits"), (["explain", "normal", "3,4x5"], "'3,4x5'"),
    (["init", "gpt2", "x.npz", "--seed=x"], "expected an integer >= 0, got 'x'"),
    (["init", "gpt2", "x.npz", "--shards=1_0"], "expected an integer >= 1, got '1_0'"),
    (["words", "--count=" + "9" * 5000], "expected an integer >= 0"), (["audit", "x", "--\x1b[2K\n"], r"\x1b[2K\n"),
])
def test_arguments_that_cannot_be_read_are_refused_whole(args, told, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(args)
    assert stop.value.code == 2
    *usage, error = capsys.readouterr().err.splitlines()
    assert told in error and "error:" in error and len(error) < 2200
    assert not usage or usage[0].startswith("usage: ") and all(line.startswith(" ") for line in usage[1:])


@pytest.mark.parametrize(("options", "told"), [
    (["std=1", "std=2"], "std: expected once"), (["std=" + "-" * 3000 + "1"], "std: expected a real number"),
    (["std=" + "[" * 3000], "std: expected a real number"), (["std=" + "9" * 5000], "std"), (["std=\x1b[2K\n"], r"\x1b[2K\n"),
])
def test_options_that_cannot_be_read_are_refused(options, told, capsys):
    err = refused(capsys, "explain", "normal", "3", *options)
    assert told in err and err.count("\n") == 1 and len(err) < 2200


def test_data_that_is_no_benchmark_is_refused(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for text in ("", "[]", "{}", '{"records": 3}', '{"records": [{}]}', "[" * 10**5):
        (tmp_path / "d.json").write_text(text)
        assert "d.json: expected what" in refused(capsys, "plot", "speed", str(tmp_path / "p.png"), "--data",
                                                  str(tmp_path / "d.json"))


def test_reports_are_printed_in_any_encoding(tmp_path):
    np.savez(tmp_path / "w.npz", **{"wé\x1b[2K": np.arange(3.0), "l" * 30: np.arange(3.0)})
    done = subprocess.run([sys.executable, "-m", "fastinit", "audit", "w.npz"], cwd=tmp_path, capture_output=True, check=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"}, timeout=60)
    assert rb"w\xe9\x1b[2K " in done.stdout and rb"\u2026llll" in done.stdout
