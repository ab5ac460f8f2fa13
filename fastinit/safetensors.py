"""Checkpoints larger than memory: safetensors files whose header is written first, and whose tensors are filled in place."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .core.arguments import integer, integers
from .core.dtypes import resolve
from .core.streams import Seed, pin
from .files import Request, fill_tensors, refuse_existing, replacing, to_disk
from .formats.safetensors_header import encode
from .models.rules import Rules, rule_for, rule_pairs

__all__ = ["create"]


def create(path: str | os.PathLike[str], spec: Mapping[str, Any], rules: Rules, *, dtype: Any = "float32", seed: Seed = None,
           shards: int = 1, overwrite: bool = False, metadata: Mapping[str, str] | None = None,
           num_threads: int | None = None) -> list[Path]:
    """Write a checkpoint, which may be larger than memory, filled by rules as `fastinit.fill` fills arrays.

    Parameters
    ----------
    path : path
        Of the file, or, with shards, of what it would be: "model.safetensors" becomes "model-00001-of-00002.safetensors" and
        so on, and "model.safetensors.index.json", as Hugging Face's libraries name and read them.
    spec : mapping of str to shape, or to (shape, dtype)
        The tensors by name; `dtype` is that of tensors without one of their own.
    rules : mapping of str to Rule, or sequence of such pairs
        As for `fastinit.fill`: patterns as in `fnmatch`, the first that matches a name decides.
    dtype : str or dtype
        float32, float64, float16 or bfloat16.
    seed, num_threads
        As for `fastinit.fill`, which gives the same values.
    shards : int >= 1
        In how many files: consecutive tensors, about as many bytes in each, at least one tensor.
    overwrite : bool
        Whether files of these names are replaced; otherwise that is a FileExistsError.
    metadata : mapping of str to str, optional
        For the headers, beside the ``{"format": "pt"}`` that transformers asks for.

    Returns
    -------
    list of Path
        The files, the index last.

    Raises
    ------
    TypeError, ValueError
        Naming the tensor or argument, what was expected and what came, before a file is made.
    OSError
        Of the file system, such as too little space for a file; then no file of these is left behind.

    Notes
    -----
    All that is held in memory is the headers and a window of 16 MiB, except for initializers that are not elementwise
    (`orthogonal`, `sparse` and the like), which need their whole tensor. In a file, wider dtypes come first and the header is
    padded to 8 bytes, so that every tensor is aligned to its elements. Files appear under their names, the index last, once
    all are on the disk.

    Examples
    --------
    >>> import fastinit as fi, fastinit.safetensors, tempfile
    >>> spec = {"fc.weight": (100, 50), "fc.bias": (100,)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = fi.safetensors.create(f"{folder}/model.safetensors", spec, {"*.bias": fi.Zeros(), "*": fi.XavierUniform()},
    ...                                   dtype="bfloat16", seed=0)
    ...     print(files[0].name, files[0].stat().st_size)
    model.safetensors 10384
    """
    parts = _split(_tensors(spec, rules, dtype), shards)
    aligned = [sorted(part, key=lambda tensor: -tensor.dtype.itemsize) for part in parts]
    extra = {"format": "pt"} | dict(metadata or {})
    for item in extra.items():
        if not all(isinstance(text, str) for text in item):
            raise TypeError(f"metadata: expected str for str, got {item!r}")
    headers = [encode([(tensor.name, tensor.dtype, tensor.shape) for tensor in part], extra) for part in aligned]
    paths = _paths(Path(path), len(parts))
    for file in paths:
        refuse_existing(file, overwrite)
    seed = pin(seed)
    with contextlib.ExitStack() as stack:  # files get their names as it unwinds: the index, entered first, gets its last
        if len(parts) > 1:
            with open(stack.enter_context(replacing(paths[-1], overwrite)), "x") as listing:
                json.dump(_index(parts, paths), listing, indent=2)
                to_disk(listing)
        for part, header, file in zip(aligned, headers, paths):
            with open(stack.enter_context(replacing(file, overwrite)), "x+b") as checkpoint:
                checkpoint.write(header)
                fill_tensors(checkpoint, part, seed, num_threads)
    return paths


def _tensors(spec: Mapping[str, Any], rules: Rules, dtype: Any) -> list[Request]:
    """The tensors with their rules, all checked."""
    if not isinstance(spec, Mapping):
        raise TypeError(f"spec: expected a mapping of names to shapes, got {type(spec).__name__}")
    pairs, tensors = rule_pairs(rules), []
    for name, value in spec.items():
        paired = isinstance(value, (tuple, list)) and len(value) == 2 and not hasattr(value[1], "__index__")
        rule = rule_for(name, pairs)
        if name == "__metadata__":
            raise ValueError("spec: '__metadata__' is not a tensor's name in this format")
        try:
            shape, asked = value if paired else (value, dtype)
            tensor = Request(name, integers(shape, "shape"), resolve(asked), rule)
            tensor.explain()
        except (TypeError, ValueError, NotImplementedError) as error:
            raise type(error)(f"tensor {name!r}, rule {rule}, {error}") from error
        tensors.append(tensor)
    return tensors


def _split(tensors: list[Request], shards: Any) -> list[list[Request]]:
    """Consecutive tensors, each shard ending nearest to its share of all bytes."""
    shards = integer(shards, "shards", 1, max(1, len(tensors)))
    parts: list[list[Request]] = [[] for _ in range(shards)]
    total, before, at = sum(tensor.nbytes for tensor in tensors), 0, 0
    for left, tensor in zip(range(len(tensors), 0, -1), tensors):
        middle = before + tensor.nbytes / 2
        full = middle * shards > total * (at + 1)
        if parts[at] and at + 1 < shards and (full or left < shards - at):
            at += 1
        parts[at].append(tensor)
        before += tensor.nbytes
    return parts


def _paths(path: Path, shards: int) -> list[Path]:
    """The files of so many shards; of several also their index, last."""
    if shards == 1:
        return [path]
    numbered = [path.with_name(f"{path.stem}-{i:05d}-of-{shards:05d}{path.suffix}") for i in range(1, shards + 1)]
    return [*numbered, path.with_name(path.name + ".index.json")]


def _index(parts: list[list[Request]], paths: list[Path]) -> dict[str, Any]:
    """Which file has which tensor, as Hugging Face's libraries look for it."""
    return {"metadata": {"total_size": sum(tensor.nbytes for part in parts for tensor in part)},
            "weight_map": {tensor.name: file.name for part, file in zip(parts, paths) for tensor in part}}
