"""Options of the benchmarks, and what their JSON says of the machine."""

import peers
import pytest
from jobs import MEMORY, SIZES

DEFAULTS = {"elements": "64,256Ki", "memory": ",".join(MEMORY), "num_threads": "1,2"}


def pytest_addoption(parser):
    group = parser.getgroup("fastinit benchmarks")
    for name, default in DEFAULTS.items():
        hint = f" or all ({', '.join(SIZES)})" if name == "elements" else ""
        group.addoption(f"--{name}", default=default, help=f"comma-separated{hint}; default: {default}")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """What is measured runs in one process, whatever the tests' options are."""
    if config.option.benchmark_only:
        config.option.numprocesses = 0


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["fastinit"] = peers.about(peers.libraries())
