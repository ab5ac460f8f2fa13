"""Fixtures shared by the tests."""

import importlib

import pytest

from fastinit import _kernels

fill_module = importlib.import_module("fastinit.fill")


@pytest.fixture(params=_kernels.AVAILABLE_ISAS)
def isa(request, monkeypatch):
    """Each instruction set that this CPU has, in turn, in use."""
    monkeypatch.setattr(fill_module, "isa", _kernels.ISAS.index(request.param))
    return request.param
