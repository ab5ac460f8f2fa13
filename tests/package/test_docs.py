"""The documentation: its commands run, its API pages are complete, its site builds without a warning and without a dead link.

Its Python is run by pytest itself, through docs/conftest.py.
"""

import inspect
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import fastinit as fi

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
BUILDERS = ("sphinx", "numpydoc", "myst_parser", "pydata_sphinx_theme", "matplotlib", "torch", "jax", "dask")
SESSIONS = re.findall(r"```console\n(.*?)```", "".join(path.read_text() for path in sorted(DOCS.glob("*.md"))), re.S)


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory):
    """The folder and the process that builds the site in it, beside the tests that come first; None where it cannot."""
    if not all(find_spec(name) for name in BUILDERS):
        yield None
        return
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "trees"), str(DOCS),
               str(folder / "html")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as build:
        try:
            yield folder / "html", build
        finally:
            build.kill()


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.splitlines()[-1][2:40])
def test_console_sessions_run(tmp_path, session):
    """As printed, in an empty directory; the five minutes of the quick start among them."""
    if ".safetensors" in session:
        pytest.importorskip("fastinit.safetensors")
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


def test_the_readmes_python_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) == 2
    exec("".join(blocks), {})


def test_the_readmes_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)", re.sub("```.*?```", "", README, flags=re.S))
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target


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
    shown = re.findall(r"literalinclude\} examples/(\w+\.py)$", (DOCS / "integrations.md").read_text(), re.M)
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


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}


def test_site_builds_and_has_no_dead_links(site):
    for name in BUILDERS:
        pytest.importorskip(name)
    folder, build = site
    told = build.communicate(timeout=300)[1]
    assert (build.returncode, told) == (0, "")
    pages = {path: Links(path.read_text("utf-8")) for path in folder.rglob("*.html") if "_static" not in path.parts}
    assert len(pages) > 90
    for page, links in pages.items():
        for target in links.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            to = (page.parent / unquote(url.path)).resolve() if url.path else page
            assert to.exists(), (page.name, target)
            if url.fragment and to in pages:
                assert unquote(url.fragment) in pages[to].anchors | {"top", ""}, (page.name, target)
