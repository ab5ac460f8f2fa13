"""What ``import fastinit`` brings along, and what it costs."""

import os
import subprocess
import sys

OPTIONAL = ("torch", "jax", "dask", "cuda", "safetensors", "ml_dtypes", "matplotlib", "scipy", "tqdm", "rich")

# In parts of what NumPy takes in the same process, as one processor is twice as fast as another. CPU time, which others
# disturb less than they do the clock; of this thread, as those of numpy's BLAS may be spinning.
COST = """
import time
start = time.thread_time()
import numpy
between = time.thread_time()
import fastinit
print((time.thread_time() - between) / (between - start))
"""


def run(code, **variables):
    """In an interpreter that may keep byte code, as an installed package's is kept."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""} | variables
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def test_nothing_optional_is_imported():
    loaded = "import sys, {}; print(sorted({{name.split('.')[0] for name in sys.modules}} & set({})))"
    assert run(loaded.format("fastinit", OPTIONAL)) == "[]\n"
    assert run(loaded.format("fastinit, fastinit.safetensors", OPTIONAL)) == "[]\n", "the format needs no library"
    assert run(loaded.format("json", ("json",))) == "['json']\n", "the control"


def test_it_takes_a_quarter_of_numpys_time():
    """The best of eleven, after one that compiles."""
    more = COST.replace("import fastinit", "import fastinit, asyncio, http.client, sqlite3, unittest.mock")
    assert min(float(run(COST)) for _ in range(12)) < 0.25
    assert min(float(run(more)) for _ in range(3)) > 0.25, "the control, with more to import, is not seen"
