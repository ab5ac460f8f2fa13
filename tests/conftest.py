"""Fixtures shared by the tests, and which copy of the package they test: the one that is installed."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _import_package():
    """fastinit, or the end of the run in one sentence. `python -m pytest` puts the directory it is called in before everything
    else; where that is a checkout that was not built in place, it is passed over."""
    for _ in range(2):
        spec = importlib.util.find_spec("fastinit")
        try:
            return importlib.import_module("fastinit.core._kernels")
        except ImportError as error:
            came = error
        for name in [name for name in sys.modules if name.split(".")[0] == "fastinit"]:
            del sys.modules[name]
        sys.path[:] = [path for path in sys.path if Path(path or os.getcwd()).resolve() != ROOT]
    found = f"in {Path(spec.origin).parent}" if spec and spec.origin else "nowhere"
    pytest.exit(f"fastinit is found {found}, and not as an installed package ({came}): run pip install '.[test]' first", 4)


_kernels = _import_package()
# What tests start with `python -c` imports the same copy, whatever directory they are called in (CPython 3.11 and newer).
os.environ["PYTHONSAFEPATH"] = "1"

from cli_helpers import TINY  # noqa: E402

from fastinit.core import memory as core_memory  # noqa: E402
from fastinit.models.architectures import ARCHITECTURES  # noqa: E402


def pytest_collection_modifyitems(items):
    """The files that take longest first, so that both processes end at about the same time."""
    slow = ["test_sessions.py", "test_site.py", "test_types.py"]
    items.sort(key=lambda item: slow.index(item.path.name) if item.path.name in slow else len(slow))


@pytest.fixture(params=_kernels.AVAILABLE_ISAS)
def isa(request, monkeypatch):
    """Each instruction set that this CPU has, in turn, in use."""
    monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index(request.param))
    return request.param


@pytest.fixture
def tiny(monkeypatch):
    """An architecture of a few tensors, and the option that names it."""
    monkeypatch.setitem(ARCHITECTURES, "tiny", TINY)
    return "--model=tiny"
