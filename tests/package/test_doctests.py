"""The examples in the docstrings, of the package as it is installed."""

import doctest
import importlib
import pkgutil

import pytest

import fastinit
from fastinit.core.calls import INITIALIZERS

MODULES = [info.name for info in pkgutil.walk_packages(fastinit.__path__, "fastinit.", onerror=str)
           if not info.name.endswith(("__main__", "_kernels"))]


@pytest.mark.parametrize("name", ["fastinit", *MODULES])
def test_examples(name):
    for library in ("torch", "jax", "dask"):
        if name.startswith(f"fastinit.{library}"):
            pytest.importorskip(library)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_has_an_example(name):
    for function in (INITIALIZERS[name], INITIALIZERS[name].in_place):
        assert doctest.DocTestFinder().find(function, name)[0].examples
        for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
            assert f"{section}\n{'-' * len(section)}\n" in function.__doc__, section
