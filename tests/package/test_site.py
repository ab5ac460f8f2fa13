"""The documentation's site builds without a warning and has no dead link."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BUILDERS = ("sphinx", "numpydoc", "myst_parser", "pydata_sphinx_theme", "matplotlib", "torch", "jax", "dask")


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}


def test_site_builds_and_has_no_dead_links(tmp_path):
    for name in BUILDERS:
        pytest.importorskip(name)
    folder = tmp_path / "html"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "trees"), str(DOCS),
               str(folder)]
    build = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    assert (build.returncode, build.stderr) == (0, "")
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
