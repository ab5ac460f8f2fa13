"""The dtypes that are filled: one registry, with the rounding each needs. NumPy has no bfloat16: its memory is uint16."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _kernels
from .arguments import shown

__all__ = ["DTYPES", "DType", "resolve"]


@dataclass(frozen=True, eq=False)
class DType:
    """One element type.

    Attributes
    ----------
    name : str
        As users write it.
    code : int
        Index into the C core's list.
    storage : numpy.dtype
        What its memory is to NumPy.
    real : numpy.dtype
        The type the kernels compute in: float64 for float64, float32 for all others.
    max, tiny : float
        Largest finite value; smallest normal value of `real`.
    """

    name: str
    code: int
    storage: np.dtype
    real: np.dtype
    max: float
    tiny: float = field(init=False)
    itemsize: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiny", float(np.finfo(self.real).tiny))
        object.__setattr__(self, "itemsize", self.storage.itemsize)

    def encode(self, values: Any) -> np.ndarray:
        """Values to this dtype's memory, rounded once from `real` to nearest even; NaN and infinities kept."""
        with np.errstate(over="ignore"):
            values = np.asarray(values).astype(self.real)
            if self.name != "bfloat16":
                return values.astype(self.storage, copy=False)
        bits = values.view(np.uint32)
        rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
        quiet = (bits >> np.uint32(16)) | np.uint32(0x40)
        return np.where(np.isnan(values), quiet, rounded).astype(np.uint16)

    def decode(self, memory: np.ndarray) -> np.ndarray:
        """This dtype's memory to values in `real`: exact."""
        if self.name == "bfloat16":
            return (memory.view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
        return memory.view(self.storage).astype(self.real)

    def nearest(self, x: float) -> float:
        return float(self.decode(self.encode(x)))

    def at_least(self, x: float) -> float:
        """The smallest value of this dtype that is >= x."""
        value = self.nearest(x)
        return value if value >= x else self._next_up(value)

    def at_most(self, x: float) -> float:
        return -self.at_least(-x)

    def below(self, x: float) -> float:
        """The largest value of this dtype that is < x."""
        value = self.at_most(x)
        return value if value < x else -self._next_up(-value)

    def _next_up(self, value: float) -> float:
        unsigned = np.dtype(f"u{self.itemsize}")
        bits = int(self.encode(value + 0.0).view(unsigned))  # + 0.0: -0.0 steps up as +0.0 does
        bits += -1 if math.copysign(1.0, value + 0.0) < 0 else 1
        return float(self.decode(np.array(bits, unsigned)))


def _registry() -> dict[str, DType]:
    bfloat16_max = (2 - 2**-7) * 2.0**127
    names = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16"}
    found = {}
    for code, short in enumerate(_kernels.DTYPES):
        name = names[short]
        storage = np.dtype(np.uint16 if name == "bfloat16" else name)
        real = np.dtype(np.float64 if name == "float64" else np.float32)
        found[name] = DType(name, code, storage, real, bfloat16_max if name == "bfloat16" else float(np.finfo(name).max))
    return found


DTYPES = _registry()
BY_NUMPY = {dtype.storage: dtype for dtype in DTYPES.values() if dtype.name != "bfloat16"}


def resolve(dtype: Any, memory: np.dtype | None = None) -> DType:
    """The registry's entry for what a user or an array calls its dtype.

    Parameters
    ----------
    dtype : str, numpy dtype, scalar type or None
        None: whatever `memory` is.
    memory : numpy.dtype, optional
        The dtype of the array to fill, which must then agree; bfloat16 may be asked for by name over uint16.

    Raises
    ------
    TypeError
        For every dtype that is not in the registry or does not agree with the array's.
    """
    if memory is None:
        return _asked(dtype)
    found = _known(memory)
    if dtype is None:
        if found is None:
            raise TypeError(f"tensor: expected dtype {_wanted()}, got {memory} ({memory.str}){_hint(memory)}")
        return found
    asked = _asked(dtype)
    if found is not asked and not (asked.name == "bfloat16" and memory == np.uint16 and memory.isnative):
        raise TypeError(f"dtype: {asked.name!r} was asked for, but the tensor's memory is {memory} ({memory.str})")
    return asked


def _known(dtype: np.dtype) -> DType | None:
    """NumPy's own, or ml_dtypes' bfloat16, which goes by its name."""
    return BY_NUMPY.get(dtype) or (DTYPES["bfloat16"] if dtype.name == "bfloat16" and dtype.isnative else None)


def _asked(dtype: Any) -> DType:
    if isinstance(dtype, str) and dtype in DTYPES:
        return DTYPES[dtype]
    try:
        found = None if dtype is None else _known(np.dtype(dtype))  # None would be NumPy's float64
    except Exception:  # NumPy looks for a dtype in whatever has one to tell
        found = None
    if found is None:
        raise TypeError(f"dtype: expected {_wanted()}, got {shown(dtype)}")
    return found


def _wanted() -> str:
    return "one of " + ", ".join(DTYPES)


def _hint(memory: np.dtype) -> str:
    if memory == np.uint16:
        return '; for bfloat16 bits in uint16 memory say dtype="bfloat16"'
    if memory.itemsize == 1 and memory.kind in "iuS":
        return "; view raw bytes as an array of the dtype first"
    if not memory.isnative:
        return "; byte-swapped memory is not filled"
    return ""
