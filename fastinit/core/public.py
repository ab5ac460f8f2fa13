"""What users know by a name of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["public", "public_in"]

T = TypeVar("T")


def public_in(module: str) -> Callable[[T], T]:
    """A decorator that says by which module's name users know a thing: pickles and tracebacks name that, and not where it is
    written."""
    def named(thing: T) -> T:
        thing.__module__ = module
        return thing

    return named


def public(thing: T) -> T:
    """`public_in` the package itself."""
    return public_in("fastinit")(thing)
