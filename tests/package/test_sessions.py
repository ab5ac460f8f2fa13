"""The command lines that the documentation shows run as they are printed; what takes long starts."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SESSIONS = re.findall(r"```console\n(.*?)```", "".join(path.read_text() for path in sorted(DOCS.glob("*.md"))), re.S)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.splitlines()[-1][2:40])
def test_console_sessions_run(tmp_path, session):
    """As printed, in an empty directory; the five minutes of the quick start among them."""
    if "--plot" in session or "fastinit plot" in session:
        pytest.importorskip("matplotlib")
    for line in session.splitlines():
        assert line.startswith("$ ")
        command = shlex.split(line[2:])
        if command[:2] == ["pip", "install"]:
            continue
        command[:1] = [sys.executable] if command[0] == "python" else [sys.executable, "-m", "fastinit"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), (line, done.stdout)
        assert done.stdout


def test_the_five_minutes_are_a_session():
    first = next(session for session in SESSIONS if "pip install" in session)
    for step in ("fastinit init", "fastinit audit", "fastinit plot symmetry", "fastinit plot depth", "fi.normal"):
        assert step in first


@pytest.mark.parametrize("command", ["tests/deep/run.py --list", "tests/cross.py --help", "benchmarks/compare.py --help",
                                     "benchmarks/bound.py --help"])
def test_the_scripts_start(command):
    """With what they import from beside them."""
    for name in ("ml_dtypes", "mpmath", "scipy"):
        pytest.importorskip(name)
    script, *options = command.split()
    done = subprocess.run([sys.executable, DOCS.parent / script, *options], capture_output=True, text=True, timeout=120,
                          env=os.environ | {"PYTHONSAFEPATH": ""})
    assert (done.returncode, done.stderr) == (0, "") and done.stdout
