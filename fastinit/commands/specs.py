"""Models as data, and the files made of them: names and shapes with rules, of a published architecture or in a file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import files
from ..core.arguments import integers
from ..core.calls import INITIALIZERS
from ..core.dtypes import DTYPES
from ..models.architectures import ARCHITECTURES, Row, make_rule
from ..models.rules import Rule, fill, rule_for
from .progress import progress

__all__ = ["SUFFIXES", "Spec", "create", "load"]

SUFFIXES = (".safetensors", ".npz", ".npy")


class Spec(NamedTuple):
    """What a model consists of.

    Attributes
    ----------
    tensors : dict of str to (shape, dtype or None)
        None: the dtype that is asked for when the model is made.
    rules : dict of str to Rule
        As for `fastinit.fill`.
    dtype : str or None
        Asked for by the file itself.
    """

    tensors: dict[str, tuple[tuple[int, ...], str | None]]
    rules: dict[str, Rule]
    dtype: str | None = None


def load(what: str) -> Spec:
    """A published architecture by its name, or a file.

    A file has a table ``tensors`` of names to shapes, or to tables of ``shape`` and ``dtype``; in a name, ``<0-11>`` stands
    for the numbers 0 to 11. Its table ``rules`` maps patterns to the name of an initializer, or to a table of that,
    ``initializer``, and its parameters; the first pattern that matches a name decides. A top-level ``dtype`` serves tensors
    without one.

    Parameters
    ----------
    what : str
        A name in `fastinit.models.architectures.ARCHITECTURES`, or a path that ends in .toml (CPython 3.11 or newer) or .json.

    Raises
    ------
    ValueError
        Naming the file and the entry, what was expected and what came.
    """
    if what in ARCHITECTURES:
        architecture = ARCHITECTURES[what]
        return Spec({name: (shape, None) for name, shape in architecture.tensors().items()}, architecture.rules())
    path = Path(what)
    if path.suffix not in (".toml", ".json"):
        raise ValueError(f"{what}: expected one of {', '.join(ARCHITECTURES)}, or a file that ends in .toml or .json")
    try:
        data = _parse(path)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    _known(path, "the top level", data, {"tensors", "rules", "dtype"})
    for key in ("tensors", "rules"):
        if not isinstance(data.get(key), dict) or not data[key]:
            raise ValueError(f"{path}: expected a table {key!r} with entries, got {data.get(key)!r}")
    tensors = {}
    for names, entry in data["tensors"].items():
        table = entry if isinstance(entry, dict) else {"shape": entry}
        _known(path, f"tensors.{names}", table, {"shape", "dtype"})
        try:
            shape = integers(table.get("shape"), "shape")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: tensors.{names}: {error}") from None
        for name in Row("", names, shape, ("", {})).expand():
            tensors[name] = shape, _dtype(path, table.get("dtype"))
    return Spec(tensors, {pattern: _rule(path, pattern, entry) for pattern, entry in data["rules"].items()},
                _dtype(path, data.get("dtype")))


def _parse(path: Path) -> Any:
    if path.suffix == ".json":
        data = json.loads(path.read_text("utf-8"))
        return data if isinstance(data, dict) else {}
    try:
        import tomllib
    except ImportError:
        raise ValueError("TOML needs CPython 3.11 or newer; write it as JSON") from None
    return tomllib.loads(path.read_text("utf-8"))


def _known(path: Path, place: str, table: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := table.keys() - keys:
        raise ValueError(f"{path}: {place}: expected {', '.join(sorted(keys))}, got {', '.join(sorted(unknown))}")


def _dtype(path: Path, name: Any) -> str | None:
    if name is not None and name not in DTYPES:
        raise ValueError(f"{path}: dtype: expected one of {', '.join(DTYPES)}, got {name!r}")
    return name


def _rule(path: Path, pattern: str, entry: Any) -> Rule:
    table = {"initializer": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, dict) else {}
    name = table.pop("initializer", None)
    if name not in INITIALIZERS:
        raise ValueError(f"{path}: rules.{pattern}: initializer: expected one of {', '.join(INITIALIZERS)}, got {name!r}")
    try:
        return make_rule(name, table)
    except TypeError as error:
        raise ValueError(f"{path}: rules.{pattern}: {error}") from None


def create(path: Path, spec: Spec, *, dtype: str | None = None, seed: int = 0, shards: int = 1, overwrite: bool = False,
           num_threads: int | None = None) -> list[Path]:
    """Make a model's file; the values are those of `fastinit.fill` under the same seed.

    Parameters
    ----------
    path : Path
        Ends in .safetensors or .npz, or, for one tensor, .npy. npz and npy files hold bfloat16 as uint16.
    spec : Spec
    dtype : str, optional
        Of tensors without one of their own; by default the spec's, or float32.
    seed : int
    shards : int
        Into how many safetensors files.
    overwrite : bool
        Whether an existing file is replaced.
    num_threads : int, optional

    Returns
    -------
    list of Path
        The files. A file is whole or not there.

    Raises
    ------
    TypeError, ValueError, OSError
        For what cannot be made, as in `fastinit.fill`.
    """
    dtype = dtype or spec.dtype or "float32"
    tensors = {name: (shape, own or dtype) for name, (shape, own) in spec.tensors.items()}
    if path.suffix == ".safetensors":
        from .. import safetensors

        return safetensors.create(path, tensors, spec.rules, seed=seed, shards=shards, overwrite=overwrite,
                                  num_threads=num_threads)
    if path.suffix not in SUFFIXES or shards != 1:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}, the first for {shards} shards")
    if path.suffix == ".npy":
        if len(tensors) != 1:
            raise ValueError(f"{path}: expected one tensor for an npy file, got {len(tensors)}")
        (name, (shape, own)), = tensors.items()
        return [files.create_npy(path, shape, rule_for(name, spec.rules.items()), dtype=own, seed=seed, name=name,
                                 overwrite=overwrite, num_threads=num_threads)]
    with files.replacing(path, overwrite) as part, open(part, "x+b") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name, (shape, own) in progress(tensors.items()):
                array = np.empty(shape, DTYPES[own].storage)
                fill({name: array}, spec.rules, seed=seed, num_threads=num_threads, dtype=own)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        files.to_disk(file)
    return [path]
