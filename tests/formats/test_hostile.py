"""Files that were made to do harm: each is answered as tests/formats/hostile.py says, within its time and memory."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import hostile
import numpy as np
import pytest

from fastinit.commands import cli
from fastinit.formats.safetensors_header import decode


def answered(folder, *options):
    command = [sys.executable, str(Path(hostile.__file__)), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return int(re.search(r"(\d+) files, 0 answered wrong", done.stdout)[1])


def test_hostile_files_are_answered(tmp_path):
    assert answered(tmp_path) >= 200


@pytest.mark.slow
def test_all_hostile_files_are_answered(tmp_path):
    assert answered(tmp_path, "--all") >= 5000


def test_a_wrong_answer_is_seen(tmp_path):
    good = next(hostile.npy_files())
    assert hostile.answer(good, tmp_path) == ""
    assert "exit code" in hostile.answer(good._replace(codes=(1,)), tmp_path)
    assert "exit code" in hostile.answer(good._replace(content=b"", codes=(0, 1)), tmp_path)


def test_headers_are_judged_as_the_library_judges_them():
    """What the library refuses ours refuses; beyond that, a name that comes twice and an entry that is no table."""
    pytest.importorskip("safetensors")
    stricter = set()
    files = [file for file in (*hostile.safetensors_files(), *hostile.changed()) if file.name.endswith("safetensors")]
    for file in files:
        try:
            decode(io.BytesIO(file.content), len(file.content))
            own = True
        except ValueError:
            own = False
        assert hostile.verdict(file.content) >= own, file.name
        if hostile.verdict(file.content) != own:
            stricter.add(file.name)
    assert len(files) > 500 and stricter == {"twice.safetensors", "array.safetensors"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors", ".pt", ".bin"])
def test_pipes_and_devices_are_not_waited_for(tmp_path, capsys, suffix):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    os.symlink("/dev/zero", tmp_path / f"device{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    for name in ("pipe", "device", "folder"):
        assert cli.main(["audit", str(tmp_path / f"{name}{suffix}")]) == 2
        out, err = capsys.readouterr()
        assert out == "" and f"{name}{suffix}" in err and err.count("\n") == 1
    os.mkfifo(tmp_path / "spec.json")
    assert cli.main(["init", str(tmp_path / "spec.json"), str(tmp_path / "m.npz")]) == 2


def test_the_others_are_reported(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.ones((9, 9), np.float32))
    (tmp_path / "b.npy").write_bytes(b"")
    np.save(tmp_path / "c.npy", np.arange(9, dtype=np.float32))
    paths = [str(tmp_path / f"{name}.npy") for name in "abc"]
    assert cli.main(["audit", *paths]) == 2
    out, err = capsys.readouterr()
    assert "constant" in out and "2 tensors" in out and err.count("\n") == 1 and "b.npy" in err
    assert cli.main(["audit", *paths, "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [tensor["name"] for tensor in report["tensors"]] == ["a", "c"]
    assert [entry["file"] for entry in report["refused"]] == [paths[1]] and paths[1] in report["refused"][0]["reason"]
    assert cli.main(["audit", paths[0], paths[2]]) == 1


def test_a_layout_that_is_none_is_refused_whatever_the_shapes(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.ones(9, np.float32))
    assert cli.main(["audit", str(tmp_path / "a.npy"), "--layout", "OOI"]) == 2
    assert "layout" in capsys.readouterr().err
