"""What this installation is and runs on."""

from __future__ import annotations

from typing import Any

from . import _kernels
from . import memory as _memory
from .public import public

__all__ = ["on_demand", "show_config"]


def _version() -> str:
    from importlib.metadata import version  # 14 ms

    return version("fastinit-kernels")


@public
def show_config() -> dict[str, Any]:
    """What this installation runs on.

    Returns
    -------
    dict
        ``version``, ``isa`` (the instruction set in use) and ``compiler``, as str; ``stream_version`` and ``num_threads`` (the
        most that a fill takes by default), as int >= 1; ``isas``, a list of the instruction sets that this CPU can run.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        The package lies on the path without having been installed.

    Notes
    -----
    ``FASTINIT_ISA``, ``FASTINIT_NUM_THREADS`` and ``OMP_NUM_THREADS`` count as they were when fastinit was imported.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.show_config()["stream_version"]
    1
    """
    return {"version": _version(), "stream_version": _kernels.STREAM_VERSION, "isa": _kernels.ISAS[_memory.isa],
            "isas": list(_kernels.AVAILABLE_ISAS), "compiler": _kernels.COMPILER,
            "num_threads": _memory.resolve_threads(None)}


def on_demand(name: str) -> Any:
    """An attribute of the package that costs milliseconds to import."""
    if name == "BitGenerator":
        from . import _bit_generator

        return _bit_generator.BitGenerator
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'fastinit' has no attribute {name!r}")
