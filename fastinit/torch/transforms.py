"""Whether torch runs a function otherwise than once, for its values: then what it draws is torch's to decide."""

from __future__ import annotations

import inspect
import sys
from types import CodeType
from typing import Any

import torch
from torch.utils import checkpoint

__all__ = ["is_transformed"]

_modes = getattr(torch._C, "_TorchDispatchModeKey", None)
_RECORDING = [getattr(_modes, name) for name in ("PROXY", "FAKE", "FUNCTIONAL") if hasattr(_modes, name)]


def _codes() -> frozenset[CodeType]:
    """Of what runs a function that will be run again, and of what runs it again. Its draws must be those of a generator whose
    state torch keeps."""
    generator: Any = getattr(checkpoint, "_checkpoint_without_reentrant_generator", None)
    inner = inspect.unwrap(generator).__code__.co_consts if generator else ()
    again = [code for code in inner if isinstance(code, CodeType) and code.co_name == "recompute_fn"]
    return frozenset([inspect.unwrap(checkpoint.checkpoint).__code__, checkpoint.CheckpointFunction.backward.__code__, *again])


_CHECKPOINTED = _codes()


def is_transformed() -> bool:
    """Within torch.compile, torch.export, torch.func's transforms, torch.jit.trace, make_fx, FakeTensorMode, or
    torch.utils.checkpoint."""
    if torch.compiler.is_compiling():
        return True
    if torch._C._functorch.peek_interpreter_stack() is not None or torch._C._get_tracing_state() is not None:
        return True
    return any(torch._C._get_dispatch_mode(mode) is not None for mode in _RECORDING) or _is_checkpointed()


def _is_checkpointed() -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code in _CHECKPOINTED:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False
