"""Fixtures shared by the tests."""

import pytest
from commands import TINY

from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.models.architectures import LAYOUTS


@pytest.fixture(params=_kernels.AVAILABLE_ISAS)
def isa(request, monkeypatch):
    """Each instruction set that this CPU has, in turn, in use."""
    monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index(request.param))
    return request.param


@pytest.fixture
def tiny(monkeypatch):
    """A layout of a few tensors, and the option that names it."""
    monkeypatch.setitem(LAYOUTS, "tiny", TINY)
    return "--layout=tiny"
