"""The header of a safetensors file: its length as eight little-endian bytes, then JSON, in UTF-8, of each
tensor's dtype, shape and place.

The format is Hugging Face's (https://github.com/huggingface/safetensors, "Format"). The library's NumPy side has no bfloat16,
reads a tensor whole and writes from memory; here files larger than memory are read and filled in place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any, NamedTuple

from ..core.arguments import integers
from ..core.dtypes import DTYPES, DType

__all__ = ["Entry", "decode", "encode"]

MAX_BYTES = 100_000_000  # of the JSON; what the safetensors library allows
CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
_DTYPES = {code: DTYPES[name] for name, code in CODES.items()}


class Entry(NamedTuple):
    """One tensor: bytes [start, end) of those that follow the header; `dtype` is None for what is none of the four floats."""

    name: str
    code: str
    dtype: DType | None
    shape: tuple[int, ...]
    start: int
    end: int


def encode(tensors: Iterable[tuple[str, DType, tuple[int, ...]]], metadata: Mapping[str, str]) -> bytes:
    """The header of tensors that lie one behind the other, padded with spaces to eight bytes.

    Raises
    ------
    ValueError
        For so many tensors that it would be longer than 100 MB: nobody would read it.

    Examples
    --------
    >>> header = encode([("w", DTYPES["float32"], (2, 3))], {"format": "pt"})
    >>> len(header), int.from_bytes(header[:8], "little"), header[8:].rstrip()[-56:]
    (96, 88, b'"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}')
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, dtype, shape in tensors:
        offsets = [end, end := end + math.prod(shape) * dtype.itemsize]
        header[name] = {"dtype": CODES[dtype.name], "shape": shape, "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_BYTES:
        raise ValueError(f"expected a header of at most {MAX_BYTES} bytes, got {len(text)}: more files have shorter ones")
    return len(text).to_bytes(8, "little") + text


def decode(file: IO[bytes], size: int) -> tuple[list[Entry], int]:
    """The tensors of a file of so many bytes, and where the bytes behind its header begin.

    Raises
    ------
    ValueError
        A header longer than the file or 100 MB; one that is not JSON of the format; a float tensor whose bytes are not within
        the file, or not as many as its shape takes.

    Examples
    --------
    >>> import io
    >>> header = encode([("w", DTYPES["float32"], (2, 3))], {})
    >>> entries, first = decode(io.BytesIO(header), len(header) + 24)
    >>> entries[0].name, entries[0].shape, (entries[0].start, entries[0].end), first == len(header)
    ('w', (2, 3), (0, 24), True)
    """
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(MAX_BYTES, size - 8):
        raise ValueError(f"expected a safetensors file, got a header of {length} bytes")
    try:
        header = json.loads(file.read(length).decode())
        entries = [_entry(name, entry) for name, entry in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("expected a safetensors file, got a header that is not its JSON") from None
    first = 8 + length
    for name, _, dtype, shape, start, end in entries:
        if not 0 <= start <= end <= size - first or (dtype and end - start != math.prod(shape) * dtype.itemsize):
            raise ValueError(f"tensor {name!r}: expected its bytes within the file, got [{start}, {end})")
    return entries, first


def _entry(name: str, entry: Mapping[str, Any]) -> Entry:
    start, end = integers(entry["data_offsets"], "data_offsets", -math.inf)
    code = str(entry["dtype"])
    return Entry(name, code, _DTYPES.get(code), integers(entry["shape"], "shape"), start, end)
