"""Every Python example of these pages runs under pytest: each page in one namespace, from top to bottom."""

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

pytest_collect_file = Sybil([PythonCodeBlockParser()], patterns=["*.md"]).pytest()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A page's examples in one process."""
    for item in items:
        if item.path.suffix == ".md":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
