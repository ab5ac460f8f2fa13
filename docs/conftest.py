"""Every Python example of these pages runs under pytest: each page in one namespace, from top to bottom."""

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

pytest_collect_file = Sybil([PythonCodeBlockParser()], patterns=["*.md"]).pytest()


def pytest_itemcollected(item):
    """A page's examples in one process."""
    if item.path.suffix == ".md":
        item.add_marker(pytest.mark.xdist_group(str(item.path)))
