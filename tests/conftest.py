"""Fixtures shared by the tests."""

import pytest
from commands import TINY

from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.models.architectures import ARCHITECTURES


@pytest.fixture(params=_kernels.AVAILABLE_ISAS)
def isa(request, monkeypatch):
    """Each instruction set that this CPU has, in turn, in use."""
    monkeypatch.setattr(core_memory, "isa", _kernels.ISAS.index(request.param))
    return request.param


@pytest.fixture
def tiny(monkeypatch):
    """An architecture of a few tensors, and the option that names it."""
    monkeypatch.setitem(ARCHITECTURES, "tiny", TINY)
    return "--model=tiny"
