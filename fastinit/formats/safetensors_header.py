"""The header of a safetensors file: its length as eight little-endian bytes, then JSON, in UTF-8, of each
tensor's dtype, shape and place.

The format is Hugging Face's (https://github.com/huggingface/safetensors, "Format"). The library's NumPy side has no bfloat16,
reads a tensor whole and writes from memory; here files larger than memory are read and filled in place.
"""

from __future__ import annotations

import itertools
import json
import math
import operator
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..core.arguments import integers
from ..core.dtypes import DTYPES, DType
from . import strict_json

__all__ = ["Entry", "check", "decode", "encode"]

MAX_BYTES = 100_000_000  # of the JSON; what the safetensors library allows
CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
# All codes of the format, and the bits of an element.
BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6} | dict.fromkeys(
    ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8) | dict.fromkeys(
    ("I16", "U16", "F16", "BF16"), 16) | dict.fromkeys(("I32", "U32", "F32"), 32) | dict.fromkeys(
    ("I64", "U64", "F64", "C64"), 64)
MAX_DEPTH = 127  # of nested JSON
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

    What the safetensors library refuses is refused here too; beyond that, tensors of one name, and entries that are no tables.

    Raises
    ------
    ValueError
        A header longer than the file or `MAX_BYTES`; one that is not JSON of the format; a tensor whose bytes are not as many
        as its shape takes; tensors that overlap, leave a hole or do not end where the file does.

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
        header = strict_json.loads(file.read(length).decode())
        _check_metadata(header.pop("__metadata__", None))
        entries = [_entry(name, entry) for name, entry in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"expected a safetensors file, got a header that is not its JSON: {told}") from None
    first = 8 + length
    _check_places(entries, size - first)
    return entries, first


def check(path: Path) -> None:
    """The safetensors library's own verdict, where it is installed.

    Raises
    ------
    ValueError
        With its reason.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        return
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise ValueError(f"the safetensors library refuses it: {error}") from None


def _entry(name: str, entry: Any) -> Entry:
    if not isinstance(entry, dict):
        raise TypeError(f"tensor {name!r}: expected a table, got {entry!r}")
    code = entry["dtype"]
    if code not in BITS:
        raise ValueError(f"tensor {name!r}: dtype: expected one of {', '.join(BITS)}, got {code!r}")
    shape, offsets = (_sizes(name, key, entry[key]) for key in ("shape", "data_offsets"))
    if len(offsets) != 2:
        raise ValueError(f"tensor {name!r}: data_offsets: expected two, got {len(offsets)}")
    for key in entry.keys() - {"dtype", "shape", "data_offsets"}:
        if _depth(entry[key]) > MAX_DEPTH - 2:
            raise ValueError(f"tensor {name!r}: {key}: nested too deeply")
    return Entry(name, code, _DTYPES.get(code), shape, *offsets)


def _sizes(name: str, key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise TypeError(f"tensor {name!r}: {key}: expected a list, got {value!r}")
    return integers(value, f"tensor {name!r}: {key}", 0, 2**64 - 1)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _check_metadata(metadata: Any) -> None:
    if metadata is not None and not (isinstance(metadata, dict) and all(isinstance(text, str) for text in metadata.values())):
        raise TypeError(f"__metadata__: expected text by name, got {metadata!r}")


def _check_places(entries: list[Entry], size: int) -> None:
    """That the tensors, in the order of their bytes, fill the file."""
    end = 0
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.end)):
        name, code, _, shape, start, stop = entry
        counts = list(itertools.accumulate(shape, operator.mul, initial=1))
        bits = counts[-1] * BITS[code]
        if max(*counts, bits) >= 2**64:  # also where a later 0 would make it 0: others stop there
            raise ValueError(f"tensor {name!r}: expected a shape of fewer than 2^64 bits, got {shape}")
        if bits % 8 or stop - start != bits // 8:
            raise ValueError(f"tensor {name!r}: expected {bits / 8:g} bytes for {code} of shape {shape}, got [{start}, {stop})")
        if start != end:
            raise ValueError(f"tensor {name!r}: expected its bytes from {end} on, where those before it end, "
                             f"got [{start}, {stop})")
        end = stop
    if end != size:
        raise ValueError(f"expected {end} bytes of tensors, got {size} behind the header")
