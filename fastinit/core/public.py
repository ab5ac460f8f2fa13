"""What users know by a name of the package, and what they are told of arguments that fit no parameter."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from .arguments import shown

__all__ = ["check_arguments", "check_types", "lists_parameters", "public", "public_in"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


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


def check_arguments(name: str, signature: inspect.Signature, args: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Refuses what a function has no parameter for, by the function's name, and says what there is."""
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        known = [parameter for parameter in signature.parameters if parameter != "self"]
        raise TypeError(f"{name}() {error}: its parameters are {', '.join(known) or 'none'}") from None


def check_types(signature: inspect.Signature, args: Sequence[Any], options: Mapping[str, Any]) -> None:
    """Refuses arguments that cannot even be asked for their type: which raise, on that, what nobody expects."""
    try:
        bound = signature.bind_partial(*args, **options).arguments
    except TypeError:
        return
    for name, value in bound.items():
        try:
            isinstance(value, int)
        except Exception as error:
            raise TypeError(f"{name}: expected an object whose type can be told, got {shown(value)}") from error


def lists_parameters(function: F) -> F:
    """A decorator that lets a call with arguments that fit no parameter say which there are. Python's own error names one
    parameter at the most, and a function that is made within another by that one's name."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def told(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except TypeError:
            check_arguments(told.__qualname__.removesuffix(".__init__"), signature, args, options)
            raise
        except Exception:
            check_types(signature, args, options)
            raise

    return cast(F, told)
