"""Checkpoints larger than memory: safetensors files whose header is written first, and whose tensors are filled in place."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .core.arguments import boolean, integer, sizes
from .core.streams import Seed, pin
from .files import Request, request, write_filled
from .formats.publish import publishing
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
        Whether a checkpoint at `path` is replaced, one file or shards: its index, and the shards that this names, go as well.
        Otherwise that is a FileExistsError, also if one appears while this one is made.
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
        Of the file system, such as too little space, before a byte is filled; then no file of these is left behind, and those
        that were there are as they were.

    Notes
    -----
    All that is held in memory is the headers and 4 MiB, except for initializers that are not elementwise (`orthogonal`,
    `sparse` and the like), which need their whole tensor. In a file, wider dtypes come first and the header is padded to 8
    bytes, so that every tensor is aligned to its elements. Files appear under their names, the index last, once all are on
    the disk. While shards are replaced there is no index, so that none names files of two runs; if the process is killed in
    between, the next that makes a file in that folder brings the old checkpoint back.

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
    extra = _metadata(metadata)
    headers = [encode([(tensor.name, tensor.dtype, tensor.shape) for tensor in part], extra) for part in aligned]
    boolean(overwrite, "overwrite")
    if num_threads is not None:
        integer(num_threads, "num_threads", 1)
    paths, seed = _paths(Path(path), len(parts)), pin(seed)
    sizes = [len(header) + sum(tensor.nbytes for tensor in part) for header, part in zip(headers, parts)]
    index = json.dumps(_index(parts, paths), indent=2).encode() if len(parts) > 1 else b""
    with publishing(dict(zip(paths, [*sizes, len(index)])), overwrite, lambda: _former(Path(path))) as files:
        for file, header, part in zip(files, headers, aligned):
            file.write(header)
            write_filled(file.write, part, seed, num_threads)
        files[-1].write(index)
    return paths


def _tensors(spec: Mapping[str, Any], rules: Rules, dtype: Any) -> list[Request]:
    """The tensors with their rules, all checked."""
    if not isinstance(spec, Mapping):
        raise TypeError(f"spec: expected a mapping of names to shapes, got {type(spec).__name__}")
    pairs, tensors = rule_pairs(rules), []
    for name, value in spec.items():
        paired = isinstance(value, (tuple, list)) and len(value) == 2 and not hasattr(value[1], "__index__")
        shape, asked = value if paired else (value, dtype)
        try:
            own = sizes(shape, "shape")
        except (TypeError, ValueError):  # which is told below, with the rule
            own = ()
        rule = rule_for(name, pairs, own)
        if name == "__metadata__":
            raise ValueError("spec: '__metadata__' is not a tensor's name in this format")
        try:
            tensors.append(request(name, shape, asked, rule))
        except (TypeError, ValueError, NotImplementedError) as error:
            raise type(error)(f"tensor {name!r}, rule {rule}, {error}") from error
    return tensors


def _metadata(metadata: Any) -> dict[str, str]:
    """What the headers have beside the tensors, in text that UTF-8, and so the format, can hold."""
    if not isinstance(metadata, Mapping | None):
        raise TypeError(f"metadata: expected a mapping of str to str, got {type(metadata).__name__}")
    extra = {"format": "pt"} | dict(metadata or {})
    for item in extra.items():
        if not all(isinstance(text, str) for text in item):
            raise TypeError(f"metadata: expected str for str, got {item!r}")
        try:
            "".join(item).encode()
        except UnicodeEncodeError:
            raise ValueError(f"metadata: expected text that UTF-8 can encode, got {item!r}") from None
    return extra


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


def _former(path: Path) -> list[Path]:
    """The files of a checkpoint that is there by this name, whole or in shards: the index and those that it names, too."""
    index = path.with_name(path.name + ".index.json")
    shard = re.compile(re.escape(path.stem) + r"-[0-9]{5}-of-[0-9]{5}" + re.escape(path.suffix))
    try:
        names = set(json.loads(index.read_bytes() if index.is_file() else "")["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # none, or none that can be read
        names = set()
    found = [index, path, *(path.with_name(name) for name in sorted(map(str, names)) if shard.fullmatch(name))]
    return [file for file in found if os.path.lexists(file)]


def _index(parts: list[list[Request]], paths: list[Path]) -> dict[str, Any]:
    """Which file has which tensor, as Hugging Face's libraries look for it."""
    return {"metadata": {"total_size": sum(tensor.nbytes for part in parts for tensor in part)},
            "weight_map": {tensor.name: file.name for part, file in zip(parts, paths) for tensor in part}}
