"""The documentation: its Python runs, its API pages and docstrings are complete, its README tells the tree."""

import inspect
import re
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.example import SybilFailure
from sybil.parsers.myst import PythonCodeBlockParser

import fastinit as fi

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
PAGES = Sybil([PythonCodeBlockParser()])


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_pages_python_runs(page):
    """Each page in one namespace, from top to bottom."""
    for library in ("matplotlib", "torch", "jax", "dask"):
        if f"import {library}" in page.read_text() or f"fastinit.{library}" in page.read_text():
            pytest.importorskip(library)
    for example in PAGES.parse(page).examples():
        example.evaluate()


def test_a_wrong_example_is_seen(tmp_path):
    """The control of the test above."""
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 2\n```\n```python\n>>> x\n3\n```\n")
    with pytest.raises(SybilFailure):
        for example in PAGES.parse(page).examples():
            example.evaluate()


def test_the_readmes_python_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 2
    exec("".join(blocks), {})


def test_the_readmes_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)", re.sub("```.*?```", "", README, flags=re.S))
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


def files_named(text):
    """Paths from the top of the checkout; not the site, which is built."""
    named = re.findall(r"(?<![\w/.-])(?:benchmarks|docs|fastinit|src_c|tests)/[\w./-]*\w", text)
    return {name for name in named if not name.startswith("docs/build")}


def test_the_files_that_are_named_are_there():
    texts = [ROOT / "README.md", ROOT / "src_c" / "README.md", *DOCS.rglob("*.md"), *(ROOT / ".ci").iterdir(),
             *(ROOT / ".github" / "workflows").iterdir()]
    named = set().union(*(files_named(path.read_text()) for path in texts))
    assert {"tests/core/test_stream.py", "tests/deep/run.py", "src_c/fill.c"} <= named
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_readmes_tree_is_the_package():
    """Each line is a folder or files, two spaces before what they do."""
    told, folders = set(), []
    for line in re.search(r"```text\n(fastinit/.*?)```", README, re.S)[1].splitlines():
        depth, names = (len(line) - len(line.lstrip())) // 2, re.split(" {2,}", line.strip())[0].split(", ")
        if names[0].endswith("/"):
            folders[depth:] = names
        else:
            told |= {"".join(folders[:depth]) + name for name in names}
    for name in told:
        assert (ROOT / name).is_file(), name
    found = {path.relative_to(ROOT).as_posix() for end in ("py", "pyx") for path in (ROOT / "fastinit").rglob(f"*.{end}")}
    for name in found - told:
        assert name.endswith(("__init__.py", "__main__.py")), name


def test_every_public_name_has_a_page():
    listed = re.findall(r"^   (\w+)$", (DOCS / "api.rst").read_text(), re.M)
    assert len(listed) == len(set(listed))
    assert set(fi.__all__) - {*listed} == {"INITIALIZERS", "STREAM_VERSION", "Seed"}


def test_every_example_is_shown():
    shown = [name for page in ("integrations.md", "devices.md")
             for name in re.findall(r"literalinclude\} examples/(\w+\.py)$", (DOCS / page).read_text(), re.M)]
    assert sorted(shown) == sorted(path.name for path in (DOCS / "examples").glob("*.py"))


def test_every_public_docstring_is_complete():
    public = [getattr(fi, name) for name in fi.__all__]
    for function in (thing for thing in public if inspect.isfunction(thing)):
        for section in ("Returns", "Examples", *["Parameters", "Raises"][:2 * bool(inspect.signature(function).parameters)]):
            assert f"\n{section}\n---" in inspect.getdoc(function), (function.__name__, section)
    for kind in (thing for thing in public if inspect.isclass(thing)):
        assert "\nExamples\n---" in inspect.getdoc(kind) and ("\nAttributes\n---" in inspect.getdoc(kind)), kind


def test_every_rule_is_documented():
    for rule in fi.INITIALIZERS:
        doc = getattr(fi, rule.title().replace("_", "")).__doc__
        assert all(f"\n{section}\n---" in doc for section in ("Parameters", "Returns", "Raises", "Examples"))
