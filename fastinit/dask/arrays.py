"""How an initializer becomes a maker of Dask arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

import fastinit as fi

from ..core.arguments import check_name, integers
from ..core.calls import Initializer, empty
from ..core.public import public_in
from ..core.streams import pin

__all__ = ["for_dask"]

_OWN = ("num_threads", "global_shape", "offset", "index")  # Dask has the threads, and the blocks are its chunks


def _block(of: Initializer, shape: tuple[int, ...], args: tuple[Any, ...], dtype: Any, options: Mapping[str, Any],
           block_info: Mapping[Any, Any]) -> np.ndarray:
    """One chunk, in the process that wants it."""
    ranges = block_info[None]["array-location"]
    memory = empty([stop - start for start, stop in ranges], dtype)
    return of.in_place(memory, *args, dtype=dtype if isinstance(dtype, str) else None, num_threads=1, global_shape=shape,
                       offset=[start for start, _ in ranges], **options)


def for_dask(of: Initializer) -> Callable[..., da.Array]:
    def make(shape: Any, *args: Any, chunks: Any = "auto", dtype: Any = "float32", seed: Any = None, name: str = "",
             **options: Any) -> da.Array:
        for key in _OWN:
            if key in options:
                raise TypeError(f"{key}: expected none, as Dask shares out the work, got {options[key]!r}")
        shape = integers(shape, "shape")
        elementwise = fi.explain(of, shape, *args, dtype=dtype, **options).elementwise
        check_name(name)
        storage = empty((0,) * len(shape), dtype)
        sizes = da.core.normalize_chunks(chunks, shape, dtype=storage.dtype)
        options |= {"seed": pin(seed), "name": name}
        made = sizes if elementwise else tuple((n,) for n in shape)
        key = f"fastinit-{of.__name__}-{tokenize(made, args, str(dtype), options)}"
        array = da.map_blocks(_block, of, shape, args, dtype, options, chunks=made, dtype=storage.dtype, meta=storage, name=key)
        return array.rechunk(sizes)

    signature = inspect.signature(of)
    own = [parameter for parameter in signature.parameters.values() if parameter.name not in _OWN]
    at = [parameter.name for parameter in own].index("seed")
    chunks = inspect.Parameter("chunks", inspect.Parameter.KEYWORD_ONLY, default="auto", annotation="Any")
    make.__signature__ = signature.replace(parameters=[*own[:at], chunks, *own[at:]])  # type: ignore[attr-defined]
    public_in("fastinit.dask")(make)
    make.__name__ = make.__qualname__ = of.__name__
    make.__doc__ = f"""`fastinit.{of.__name__}` as a Dask array.

    Parameters
    ----------
    shape, seed, name, dtype and the rest
        As for `fastinit.{of.__name__}`. An `Rng` counts one call, a generator is advanced once, now.
    chunks : int, tuple, dict or str, keyword-only
        As for `dask.array.normalize_chunks`. An initializer that is not elementwise makes its array whole, on one worker, and
        cuts it.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came, before a graph is made.
    """
    return make

