"""The examples in the docstrings, of the package as it is installed."""

import doctest
import importlib
import pkgutil

import pytest

import fastinit
from fastinit.calls import INITIALIZERS

MODULES = [info.name for info in pkgutil.iter_modules(fastinit.__path__) if info.name not in ("__main__", "_kernels")]


@pytest.mark.parametrize("name", ["", *MODULES])
def test_examples(name):
    if name in ("torch", "jax", "dask"):
        pytest.importorskip(name)
    module = importlib.import_module(f"fastinit.{name}".rstrip("."))
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_has_an_example(name):
    for function in (INITIALIZERS[name], INITIALIZERS[name].in_place):
        assert doctest.DocTestFinder().find(function, name)[0].examples
        for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
            assert f"{section}\n{'-' * len(section)}\n" in function.__doc__, section
