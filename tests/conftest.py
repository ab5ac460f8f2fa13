"""Fixtures shared by the tests."""

import importlib

import pytest
from commands import TINY

from fastinit import _kernels
from fastinit.layouts import LAYOUTS

fill_module = importlib.import_module("fastinit.fill")


@pytest.fixture(params=_kernels.AVAILABLE_ISAS)
def isa(request, monkeypatch):
    """Each instruction set that this CPU has, in turn, in use."""
    monkeypatch.setattr(fill_module, "isa", _kernels.ISAS.index(request.param))
    return request.param


@pytest.fixture
def tiny(monkeypatch):
    """A layout of a few tensors, and the option that names it."""
    monkeypatch.setitem(LAYOUTS, "tiny", TINY)
    return "--layout=tiny"
