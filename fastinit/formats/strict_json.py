"""JSON as its standard has it (RFC 8259), for files from anywhere."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

__all__ = ["check_once", "loads"]


def loads(text: str) -> Any:
    """A JSON text's value, without what Python's reader lets pass: a key twice, of which the last would win; NaN and
    infinities; numbers beyond float64; half of a surrogate pair, which no file can be written with.

    Raises
    ------
    ValueError
        With what it got.

    Examples
    --------
    >>> loads('{"w": [3, 4]}')
    {'w': [3, 4]}
    >>> loads('{"w": 1, "w": 2}')
    Traceback (most recent call last):
    ValueError: got the key 'w' twice
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_real, parse_int=_integer)
        if re.search(r"\\u[dD]", text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("got lists or tables nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        check_once((key for key, _ in pairs), "key")
    return found


def check_once(names: Iterable[str], what: str) -> None:
    """Refuse a name that comes twice: readers differ on which of the two counts."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"got the {what} {name!r} twice")
        seen.add(name)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"got {text}, which JSON does not have")


def _real(text: str) -> float:
    if math.isinf(value := float(text)):
        raise ValueError(f"got a number beyond float64, {text[:20]}")
    return value


def _integer(text: str) -> float:
    """-0 is a real number, as in all readers that tell the two apart."""
    if len(text) > 4300:  # what CPython converts at most
        raise ValueError(f"got a number of {len(text)} digits")
    return -0.0 if text == "-0" else int(text)
