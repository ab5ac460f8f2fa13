"""One check for each kind of argument, and one kind of error for each kind of mistake.

A value of the wrong type is a TypeError, one of the right type that cannot be taken a ValueError; both name the argument, what
was expected and what came. A dtype is a type: `fastinit.core.dtypes` has its own.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

__all__ = ["boolean", "check_name", "choice", "finite", "integer", "integers", "number", "text"]

_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, str, bytes, np.ndarray)


def integer(value: Any, name: str, least: float = 0, most: float = math.inf) -> int:
    """An integer in [least, most] as Python's own, from whatever can be an index; bools are none.

    Examples
    --------
    >>> integer(np.int8(3), "groups", 1)
    3
    >>> integer(3.0, "groups", 1)
    Traceback (most recent call last):
    TypeError: groups: expected an int >= 1, got 3.0
    """
    if type(value) is int:
        found = value
    elif isinstance(value, bool) or getattr(value, "dtype", None) == np.bool_:
        raise TypeError(f"{name}: expected an int{_range(least, most)}, got the bool {value!r}")
    else:
        try:
            found = operator.index(value)
        except TypeError:
            raise TypeError(f"{name}: expected an int{_range(least, most)}, got {value!r}") from None
    if not least <= found <= most:
        raise ValueError(f"{name}: expected an int{_range(least, most)}, got {found}")
    return found


def integers(value: Any, name: str, least: float = 0, most: float = math.inf) -> tuple[int, ...]:
    """Integers in [least, most], given as one or as an iterable: a shape, an index, axes.

    Examples
    --------
    >>> integers(3, "shape"), integers([2, 4], "shape")
    ((3,), (2, 4))
    """
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name}: expected ints{_range(least, most)}, got {value!r}")
    if hasattr(value, "__iter__") and not (isinstance(value, np.ndarray) and value.ndim == 0):
        values = tuple(value)
        try:
            return tuple([integer(item, name, least, most) for item in values])
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: expected ints{_range(least, most)}, got {values!r}") from None
    return (integer(value, name, least, most),)


def _range(least: float, most: float) -> str:
    if most != math.inf:
        return f" in [{least}, {most}]"
    return "" if least == -math.inf else f" >= {least}"


def number(value: Any, name: str, nan: bool = False) -> float:
    """A real number as float, infinite ones too; bools, text, complex numbers and arrays are none, NaN only if allowed.

    Examples
    --------
    >>> number(np.float32(0.5), "b"), number(float("inf"), "b")
    (0.5, inf)
    """
    if type(value) is not float:
        scalar = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
        if isinstance(scalar, _NO_NUMBERS) or not hasattr(scalar, "__float__"):
            raise TypeError(f"{name}: expected a real number, got {value!r}")
        try:
            value = float(scalar)
        except (OverflowError, ValueError):
            raise ValueError(f"{name}: expected a number within float64's range, got {value!r}") from None
    if value != value and not nan:
        raise ValueError(f"{name}: expected a number, got nan")
    return value


def finite(value: Any, name: str, least: float = -math.inf) -> float:
    """A finite real number >= least as float.

    Examples
    --------
    >>> finite(2, "std", 0)
    2.0
    """
    found = number(value, name)
    if math.isinf(found):
        raise ValueError(f"{name}: expected a finite number, got {found}")
    if found < least:
        raise ValueError(f"{name}: expected a number >= {least:g}, got {found}")
    return found


def boolean(value: Any, name: str) -> bool:
    """True or False, NumPy's too; no other thing that has a truth value."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected a bool, got {value!r}")
    return bool(value)


def text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {value!r}")
    return value


def choice(value: Any, name: str, *options: str) -> str:
    """One of some words."""
    if text(value, name) not in options:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, options))}, got {value!r}")
    return value


def check_name(name: Any) -> None:
    """Refuses what cannot be the name of a stream: its key is hashed from UTF-8."""
    try:
        if not text(name, "name").isascii():
            name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"name: expected text that UTF-8 can encode, got {name!r}") from None
