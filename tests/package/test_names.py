"""Names: what the documentation imports is there, public things say so, and no private name crosses a module."""

import ast
import importlib
import inspect
import pickle
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import fastinit as fi

ROOT = Path(__file__).parents[2]
PACKAGE = Path(fi.__file__).parent
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "docs" / "examples").glob("*.py")),
         *sorted(PACKAGE.rglob("*.py"))]
OPTIONAL = ("torch", "jax", "dask", "cuda")


def named(text):
    """Dotted names of the package in text, and those that it imports or looks up in `fi`."""
    found = set(re.findall(r"\bfastinit(?:\.[A-Za-z_]\w*)+", text))
    found |= {f"fastinit.{name}" for name in re.findall(r"\bfi\.([A-Za-z_][\w.]*\w)", text)}
    for module, names in re.findall(r"from (fastinit[\w.]*) import ([\w, ]+)", text):
        found |= {f"{module}.{name.strip()}" for name in names.split(",")}
    return {name for name in found if not name.endswith((".py", ".pyi", ".pyx"))}


def resolve(name):
    """The thing of a dotted name; its modules are imported on the way."""
    thing, parts = fi, name.split(".")[1:]
    for i, part in enumerate(parts, 1):
        if not hasattr(thing, part):
            importlib.import_module(".".join(["fastinit", *parts[:i]]))
        thing = getattr(thing, part)
    return thing


def test_what_documentation_and_docstrings_name_is_there():
    names = set().union(*(named(path.read_text()) for path in TEXTS))
    assert len(names) > 30
    for name in sorted(names):
        library = name.split(".")[1]
        if library not in OPTIONAL or find_spec(library):
            resolve(name)


def test_the_api_pages_name_what_is_there():
    names = re.findall(r"^   (\w+)$", (ROOT / "docs" / "api.rst").read_text(), re.M)
    assert len(names) > 60
    for name in names:
        if name not in OPTIONAL or find_spec(name):
            resolve(f"fastinit.{name}")


def test_a_name_that_is_missing_is_seen():
    assert named("`fastinit.slices.nothing`, fi.normal_(w)\nfrom fastinit.audit import audit, x") == {
        "fastinit.slices.nothing", "fastinit.normal_", "fastinit.audit.audit", "fastinit.audit.x", "fastinit.audit"}
    with pytest.raises((AttributeError, ImportError)):
        resolve("fastinit.slices.nothing")


@pytest.mark.parametrize("name", [name for name in fi.__all__ if callable(getattr(fi, name)) and name != "Seed"])
def test_public_things_say_that_they_are(name):
    thing = getattr(fi, name)
    assert (thing.__module__, thing.__name__) == ("fastinit", name)
    assert pickle.loads(pickle.dumps(thing)) is thing
    if inspect.isfunction(thing):
        assert thing.__qualname__ == name


@pytest.mark.parametrize("door", ["audit", "files", "presets", "recipes", "safetensors", "slices", "viz", "weights"])
def test_public_things_of_a_door_say_its_name(door):
    module = importlib.import_module(f"fastinit.{door}")
    things = [thing for thing in (getattr(module, name) for name in module.__all__) if callable(thing)]
    assert {thing.__module__ for thing in things} <= {module.__name__}


def crossings(tree):
    """Private names that are imported from another module, or looked up in one that is imported."""
    modules = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level
               for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield from (alias.name for alias in node.names if node.module and alias.name.startswith("_"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            if node.attr.startswith("_") and not node.attr.startswith("__"):
                yield f"{node.value.id}.{node.attr}"


def test_no_private_name_crosses_a_module():
    for path in PACKAGE.rglob("*.py"):
        assert not [*crossings(ast.parse(path.read_text()))], path.name
    assert [*crossings(ast.parse("from . import a\nfrom .b import _c\na._d"))] == ["_c", "a._d"], "the control"


@pytest.mark.parametrize("name", ["chunks", "shards"])
def test_unknown_keywords_of_slices(name):
    """Refused by the function's name, with the parameters that there are."""
    function = getattr(fi.slices, name)
    expected = ", ".join(inspect.signature(function).parameters)
    with pytest.raises(TypeError, match=rf"^{name}\(\) .*: its parameters are {expected}$"):
        function(4, 2, no_such=1)
