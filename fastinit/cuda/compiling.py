"""The kernel text as machine code for a device: by NVRTC, on first use, kept on disk by cuda.core."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from cuda.core import ObjectCode, Program, ProgramOptions
from cuda.core.utils import FileStreamProgramCache

__all__ = ["code_for", "compiled", "kernel_text"]

_PACKAGE = Path(__file__).resolve().parents[1]
# In an installation beside this folder; in a checkout where the C core has it.
_SOURCES = next((path for path in (_PACKAGE / "src_c", _PACKAGE.parent / "src_c") if (path / "cuda.cu").exists()), _PACKAGE)
# Every operation is IEEE's, one at a time: none fused, none flushed to zero, roots and quotients rounded. No function says that
# it is a device's, as the text is the CPU's too.
_OPTIONS: dict[str, Any] = {"std": "c++17", "fma": False, "ftz": False, "prec_sqrt": True, "prec_div": True,
                            "device_as_default_execution_space": True, "name": "fastinit"}
_INCLUDE = re.compile(r'^\s*#include ["<](.*)[">]\n', re.MULTILINE)


@functools.cache
def kernel_text() -> str:
    """All of it as one text, as NVRTC has no files; of the system's headers it has what it needs built in."""
    seen: set[str] = set()

    def text_of(name: str) -> str:
        return _INCLUDE.sub(lambda match: included(match[1]), (_SOURCES / name).read_text(encoding="utf-8"))

    def included(name: str) -> str:
        if not (_SOURCES / name).exists() or name in seen and not name.endswith(".inc.h"):
            return "\n"
        seen.add(name)
        return text_of(name)

    return text_of("cuda.cu")


def compiled(arch: str, cache: Any = None) -> ObjectCode:
    """The kernels for an architecture, such as ``sm_90``; no device is needed."""
    return Program(kernel_text(), "c++", ProgramOptions(arch=arch, **_OPTIONS)).compile("cubin", cache=cache)


@functools.cache
def code_for(arch: str) -> ObjectCode:
    """The same, from the disk if it was compiled before: in cuda.core's folder, beside what other packages keep there."""
    try:
        with FileStreamProgramCache() as cache:
            return compiled(arch, cache)
    except OSError:  # nowhere to keep it
        return compiled(arch)
