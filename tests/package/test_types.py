"""What type checkers see: the stubs say what there is, the README's code passes, and slips are reported."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import stubs

ROOT = Path(__file__).resolve().parents[2]
README = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S))
RIGHT = """\
import array
from typing import Any
import numpy as np
import fastinit as fi
w: np.ndarray[Any, np.dtype[np.float32]] = fi.normal_(np.empty(4, "f4"), 0, 1.5, seed=fi.Rng(0))
a: array.array[float] = fi.trunc_normal_(array.array("f", [0.0]), bounds="std", seed=[1, 2])
v = fi.Rng(3).kaiming_normal((4, 3), nonlinearity="relu", groups=2, dtype="bfloat16").shape
fi.fill({"w": w}, [("*", fi.TruncNormal(std=0.02, b=1))], seed=0)
fi.explain(fi.sparse, (4, 4), 0.5).std
fi.INITIALIZERS["normal"].in_place(w)
"""
SLIPS = """\
fi.normal(3, sdt=0.02)
fi.normal_(w, std="big")
fi.normal_([1.0, 2.0])
fi.normal_(w, sed=3)
fi.normal(3, seed=0.5)
fi.constant(3)
fi.normal((3, 4.5))
fi.xavier_uniform((3, 4), group=2)
fi.kaiming_normal_(w, groups="2")
fi.Normal(sdt=1)
fi.Rng(0).normal(3, sdt=1)
fi.Rng(0).normal_(w, seed=1)
fi.fill(w, fi.Normal())
fi.calculate_gain("tanh", "0.1")
"""


def test_stubs_are_as_the_functions_are():
    for file, make in stubs.STUBS.items():
        if file.split("/")[0] in ("cuda", "dask", "torch"):
            pytest.importorskip(file.split("/")[0])
        assert (stubs.PACKAGE / file).read_text() == make(), f"python {stubs.__file__}"


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_slips_are_reported_and_nothing_else(tmp_path, checker):
    pytest.importorskip(checker)
    files = {"readme.py": README, "right.py": RIGHT, "slips.py": RIGHT + SLIPS}
    for name, code in files.items():
        (tmp_path / name).write_text(code)
    environment, found_at = dict(os.environ), stubs.PACKAGE.parent
    if "site-packages" not in found_at.parts:  # an editable installation, which type checkers do not follow
        environment["MYPYPATH"] = str(found_at)
        (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(found_at)]}))
    python = ["--pythonpath", sys.executable] * (checker == "pyright")  # it would take the one that is first in PATH
    told = subprocess.run([sys.executable, "-m", checker, *python, *files], cwd=tmp_path, env=environment,
                          capture_output=True, text=True).stdout
    reported = {(name, int(line)) for name, line in re.findall(r"(\w+\.py):(\d+)[:\d]* ?-? error", told)}
    first = RIGHT.count("\n") + 1
    assert reported == {("slips.py", line) for line in range(first, first + SLIPS.count("\n"))}, told
