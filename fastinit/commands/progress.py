"""What passes by on standard error while a command works."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

__all__ = ["progress", "progress_of_bytes"]

T = TypeVar("T")
Sized = TypeVar("Sized", bound="HasBytes")


class HasBytes(Protocol):
    @property
    def nbytes(self) -> int: ...


def progress(items: Iterable[T], unit: str = "tensors", total: int | None = None) -> Iterable[T]:
    """The items, with a bar on standard error if that is a terminal and tqdm is there; of so many bytes, if `total` says so."""
    if not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    options = {"unit": f" {unit}"} if total is None else {"unit": unit, "unit_scale": True, "total": total}
    return tqdm(items, leave=False, ncols=79, **options)


def progress_of_bytes(items: Iterable[Sized], total: int) -> Iterator[Sized]:
    """The items, with a bar of their bytes, out of so many, and of the time left."""
    bar: Iterable[Any] = progress([], "B", total)
    update = getattr(bar, "update", None)  # of a bar, if there is one
    for item in items:
        yield item
        if update:
            update(item.nbytes)
    if update:
        bar.close()  # type: ignore[attr-defined]
