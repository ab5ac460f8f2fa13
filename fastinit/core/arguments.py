"""One check for each kind of argument, and one kind of error for each kind of mistake.

A value of the wrong type is a TypeError, one of the right type that cannot be taken a ValueError; both name the argument, what
was expected and what came. A dtype is a type: `fastinit.core.dtypes` has its own. What an argument's own methods raise when
they are asked for a number is a TypeError too, with that as its cause.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["boolean", "check_name", "choice", "finite", "integer", "integers", "is_sequence", "items", "number", "shown",
           "sizes", "text", "threads"]

# What float() would take, or NumPy gives a __float__, and is no real number. A class has the methods of its instances.
_NO_NUMBERS = (bool, np.bool_, complex, np.complexfloating, np.datetime64, np.timedelta64, np.flexible, np.ndarray, str, bytes,
               type)
_NO_SEQUENCES = (str, bytes, bytearray, memoryview, Mapping)
# The most axes of an array.
_AXES = 64 if int(np.__version__.split(".")[0]) > 1 else 32
# Of a shown value, at either end.
_SHOWN = 200


def shown(value: Any) -> str:
    """`repr` for an error's text: not longer than a few lines, and told by the type where it fails, as Python's own does for an
    int of more than 4,300 digits.

    Examples
    --------
    >>> shown("a"), shown(10**5000), shown([10**5000])
    ("'a'", 'an int of 16610 bits', 'a list that has no repr')
    """
    try:
        text = repr(value)
    except Exception:
        if type(value) is int:
            return f"an int of {value.bit_length()} bits"
        return f"a {type(value).__name__} that has no repr"
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}...{text[-_SHOWN:]}"


def integer(value: Any, name: str, least: float = 0, most: float = math.inf) -> int:
    """An integer in [least, most] as Python's own, from whatever can be an index, as NumPy takes it: its integers and arrays of
    one without axes, too. Bools are none.

    Examples
    --------
    >>> integer(np.int8(3), "groups", 1), integer(np.array(3), "groups", 1)
    (3, 3)
    >>> integer(3.0, "groups", 1)
    Traceback (most recent call last):
    TypeError: groups: expected an int >= 1, got 3.0
    """
    if type(value) is int:
        found = value
    else:
        try:
            if isinstance(value, bool) or getattr(value, "dtype", None) == np.bool_:
                raise TypeError("a bool")
            found = operator.index(value)
        except Exception as error:
            raise TypeError(f"{name}: expected an int{_range(least, most)}, got {shown(value)}") from error
    if not least <= found <= most:
        raise ValueError(f"{name}: expected an int{_range(least, most)}, got {shown(found)}")
    return found


def is_sequence(value: Any) -> bool:
    """Whether it is what lists are, items in an order that can be read again: tuples, ranges, arrays with an axis. Text, bytes
    and mappings are none, nor are sets and generators."""
    try:
        return (hasattr(type(value), "__len__") and hasattr(type(value), "__getitem__")
                and not isinstance(value, _NO_SEQUENCES) and getattr(value, "ndim", 1) != 0)
    except Exception:
        return False


def items(value: Any, name: str, expected: str, most: float = math.inf) -> tuple[Any, ...]:
    """What a sequence of at most so many holds."""
    try:
        if is_sequence(value) and len(value) <= most:
            return tuple(value)
    except Exception as error:
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}") from error
    if is_sequence(value):
        raise ValueError(f"{name}: expected {expected}, {most} at the most, got {shown(value)}")
    raise TypeError(f"{name}: expected {expected}, got {shown(value)}")


def integers(value: Any, name: str, least: float = 0, most: float = math.inf, count: float = math.inf) -> tuple[int, ...]:
    """Integers in [least, most], given as one or as a sequence of at most `count`: an offset, axes.

    Examples
    --------
    >>> integers(3, "offset"), integers([2, 4], "offset")
    ((3,), (2, 4))
    """
    if not is_sequence(value) and not isinstance(value, (str, bytes)):
        return (integer(value, name, least, most),)
    expected = f"ints{_range(least, most)}"
    values = items(value, name, expected, count)
    try:
        return tuple([integer(item, name, least, most) for item in values])
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: expected {expected}, got {shown(values)}") from error


def sizes(value: Any, name: str, most: int = 2**60) -> tuple[int, ...]:
    """A shape that an array can have. NumPy multiplies all sizes but 0 with that of an element, of at most 8 bytes.

    Examples
    --------
    >>> sizes(3, "shape"), sizes([2, 4], "shape")
    ((3,), (2, 4))
    """
    found = integers(value, name, count=_AXES)
    if math.prod([n for n in found if n]) >= most:
        raise ValueError(f"{name}: expected sizes whose product, without zeros, is less than {most:.0e}, got {shown(found)}")
    return found


def threads(num_threads: Any) -> int | None:
    """The most threads to use, or None."""
    return None if num_threads is None else integer(num_threads, "num_threads", 1)


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
        try:
            scalar = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
            if isinstance(scalar, _NO_NUMBERS) or not hasattr(type(scalar), "__float__"):
                raise TypeError("no real number")
            value = float(scalar)
        except OverflowError as error:
            raise ValueError(f"{name}: expected a number within float64's range, got {shown(value)}") from error
        except Exception as error:
            raise TypeError(f"{name}: expected a real number, got {shown(value)}") from error
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
        raise TypeError(f"{name}: expected a bool, got {shown(value)}")
    return bool(value)


def text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a str, got {shown(value)}")
    return value


def choice(value: Any, name: str, *options: str) -> str:
    """One of some words."""
    if text(value, name) not in options:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, options))}, got {shown(value)}")
    return value


def check_name(name: Any) -> None:
    """Refuses what cannot be the name of a stream: its key is hashed from UTF-8."""
    try:
        if not text(name, "name").isascii():
            name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"name: expected text that UTF-8 can encode, got {shown(name)}") from None
