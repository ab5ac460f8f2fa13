"""The examples in the docstrings, of the package as it is installed."""

import doctest
import importlib
import inspect
import pkgutil
from importlib.util import find_spec

import pytest

import fastinit as fi
from fastinit.core.calls import INITIALIZERS

MODULES = ["fastinit", *(info.name for info in pkgutil.walk_packages(fi.__path__, "fastinit.", onerror=str)
                         if not info.name.endswith("__main__"))]
# Modules without an example; what users know by another module's name is found there.
SILENT = {
    "audit._scan", "audit.agreement", "audit.checks", "audit.intent", "audit.patterns", "audit.report", "audit.scan",
    "commands", "commands.against", "commands.arithmetic", "commands.bench", "commands.cli", "commands.progress",
    "commands.specs", "core", "core._bit_generator", "core._kernels", "core.calls", "core.config", "core.dtypes",
    "core.devices", "core.elementwise", "core.explain",
    "core.householder", "core.memory", "core.pages", "core.plan", "core.public", "core.structured",
    "core.truncation", "cuda", "cuda.compiling", "cuda.launching", "dask.arrays",
    "formats", "formats.publish", "formats.read", "models",
    "models.architectures", "models.presets", "models.rules", "torch.deferral", "torch.dispatch", "torch.init", "torch.tensors",
    "torch.parametrized", "torch.transforms", "weights",
}


def run(found):
    """How many examples there were; that all gave what they say."""
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
    return runner.tries


def examples_of(module):
    """Those that doctest finds; and of classes whose methods are written elsewhere, and of what is imported on demand."""
    finder = doctest.DocTestFinder()
    yield from finder.find(module)
    for name in getattr(module, "__all__", []):
        thing = getattr(module, name)
        if inspect.isclass(thing) and thing.__module__ == module.__name__:
            yield from finder.find(thing, name, module=False, globs=vars(module))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    for library in ("torch", "jax", "dask", "cuda"):
        if name.startswith(f"fastinit.{library}") and find_spec(library) is None:
            pytest.skip(f"needs {library}")
    assert bool(run(examples_of(importlib.import_module(name)))) == (name.removeprefix("fastinit.") not in SILENT)


def test_initializers_presets_and_generators_are_among_them():
    found = {test.name for name in ("fastinit", "fastinit.presets") for test in examples_of(importlib.import_module(name))
             if test.examples}
    assert {"fastinit.normal", "fastinit.normal_", "fastinit.XavierNormal", "BitGenerator", "Preset.rules"} <= found


def test_a_wrong_example_is_seen():
    def wrong():
        """
        >>> 1 + 1
        3
        """

    with pytest.raises(AssertionError):
        run(doctest.DocTestFinder().find(wrong, "wrong", module=False))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_is_documented(name):
    for function in (INITIALIZERS[name], INITIALIZERS[name].in_place):
        for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
            assert f"{section}\n{'-' * len(section)}\n" in function.__doc__, section
