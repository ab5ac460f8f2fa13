"""Models as data, and the files made of them: names and shapes with rules, of a published architecture or in a file."""

from __future__ import annotations

import inspect
import math
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import files
from ..core.arguments import check_name, choice, integers
from ..core.calls import INITIALIZERS
from ..core.dtypes import DTYPES
from ..core.memory import MAX_WORDS
from ..core.streams import Pinned, pin
from ..formats import strict_json
from ..formats.publish import publishing
from ..formats.read import opened
from ..models.architectures import ARCHITECTURES, RANGE, Row, make_rule
from ..models.rules import AnyRule, Rule, captures_of, rule_for, rule_pairs
from .arithmetic import formula
from .progress import progress

__all__ = ["SUFFIXES", "Spec", "create", "load"]

MAX_NAME = 2**16 - 1  # bytes, in a zip file
RECORDS = 256  # bytes, more than a zip file has for a member beside its name, and for all
SUFFIXES = (".safetensors", ".npz", ".npy")
# What a file of a model may ask for: JSON grows by up to 24 in memory, and every name is tried against every rule.
MAX_BYTES = 2**24
MOST_TENSORS = 2**18
MOST_MATCHES = 2**23
MOST_DIGITS = 18
MOST_DOTS = 1000  # of a line of TOML: tomllib takes a time that grows with the square of a key's parts
MOST_AXES = 32  # of every NumPy that the package runs on


class Spec(NamedTuple):
    """What a model consists of.

    Attributes
    ----------
    tensors : dict of str to (shape, dtype or None)
        None: the dtype that is asked for when the model is made.
    rules : mapping of str to Rule, or to a function that makes one
        As for `fastinit.fill`.
    dtype : str or None
        Asked for by the file itself.
    """

    tensors: dict[str, tuple[tuple[int, ...], str | None]]
    rules: Mapping[str, AnyRule]
    dtype: str | None = None


def load(what: str) -> Spec:
    """A published architecture by its name, or a file.

    A file has a table ``tensors`` of names to shapes, or to tables of ``shape`` and ``dtype``; in a name, ``<0-11>`` stands
    for the numbers 0 to 11. Its table ``rules`` maps patterns to the name of an initializer, or to a table of that,
    ``initializer``, and its parameters; the first pattern that matches a name decides. A parameter may be a formula, text that
    begins with ``=``, of what the pattern captures and of ``shape[0]`` and the like. A top-level ``dtype`` serves tensors
    without one.

    Parameters
    ----------
    what : str
        A name in `fastinit.models.architectures.ARCHITECTURES`, or a path that ends in .toml or .json.

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
        return _spec(_parse(path))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _parse(path: Path) -> Any:
    with opened(path) as file:
        text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES} bytes")
    if path.suffix == ".json":
        return strict_json.loads(text.decode())
    if max(line.count(b".") for line in text.split(b"\n")) > MOST_DOTS:
        raise ValueError(f"expected at most {MOST_DOTS} dots in a line")
    try:
        return tomllib.loads(text.decode())
    except RecursionError:
        raise ValueError("got arrays or tables nested too deeply") from None


def _spec(data: Any) -> Spec:
    _known("the top level", _table("the top level", data), {"tensors", "rules", "dtype"})
    for key in ("tensors", "rules"):
        if not _table(key, data.get(key)):
            raise ValueError(f"{key}: expected entries, got none")
    tensors: dict[str, tuple[tuple[int, ...], str | None]] = {}
    sources: dict[str, str] = {}
    for names, entry in data["tensors"].items():
        place = f"tensors.{names}"
        table = entry if isinstance(entry, dict) else {"shape": entry}
        _known(place, table, {"shape", "dtype"})
        value = _shape(place, table), _dtype(f"{place}: ", table)
        for name in _expanded(place, names, MOST_TENSORS - len(tensors)):
            if name in tensors:
                raise ValueError(f"{place}: expected names of its own, got {name!r}, which tensors.{sources[name]} has too")
            tensors[name], sources[name] = value, names
    if len(tensors) * len(data["rules"]) > MOST_MATCHES:
        raise ValueError(f"rules: expected at most {MOST_MATCHES // len(tensors)} for {len(tensors)} tensors, "
                         f"got {len(data['rules'])}")
    rules = {pattern: _rule(f"rules.{pattern}", pattern, entry) for pattern, entry in data["rules"].items()}
    return Spec(tensors, rules, _dtype("", data))


def _table(place: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place}: expected a table, got {value!r}")
    return value


def _known(place: str, table: Mapping[str, Any], keys: set[str]) -> None:
    if unknown := table.keys() - keys:
        raise ValueError(f"{place}: expected {', '.join(sorted(keys))}, got {', '.join(sorted(unknown))}")


def _shape(place: str, table: Mapping[str, Any]) -> tuple[int, ...]:
    shape = integers(table.get("shape"), f"{place}: shape", 0, 2**63 - 1)
    if len(shape) > MOST_AXES:
        raise ValueError(f"{place}: shape: expected at most {MOST_AXES} axes, got {len(shape)}")
    if math.prod(n for n in shape if n) > MAX_WORDS:
        raise ValueError(f"{place}: shape: expected at most 2^48 elements, got {shape}")
    return shape


def _dtype(place: str, table: Mapping[str, Any]) -> str | None:
    name = table.get("dtype")
    return None if name is None else choice(name, f"{place}dtype", *DTYPES)


def _expanded(place: str, names: str, most: int) -> Iterator[str]:
    """The names of an entry, at least one and at most so many."""
    check_name(names)
    count = 1
    for first, last in RANGE.findall(names):
        if max(len(first), len(last)) > MOST_DIGITS or int(first) > int(last):
            raise ValueError(f"{place}: expected a range that goes up, of numbers of at most {MOST_DIGITS} digits, "
                             f"got <{first}-{last}>")
        count *= int(last) - int(first) + 1
    if count > most:
        raise ValueError(f"{place}: expected at most {MOST_TENSORS} tensors in all, got {count} of this entry")
    return Row("", names, (), ("", {})).expand()


def _rule(place: str, pattern: str, entry: Any) -> AnyRule:
    table = {"initializer": entry} if isinstance(entry, str) else dict(_table(place, entry))
    name = choice(table.pop("initializer", None), f"{place}: initializer", *INITIALIZERS)
    formulas = {}
    for key, value in table.items():
        if isinstance(value, str) and value.startswith("="):
            try:
                formulas[key] = formula(value[1:], frozenset(captures_of(pattern)))
            except ValueError as error:
                raise ValueError(f"{place}.{key}: {error}") from None
    wanted = sorted({name for own in formulas.values() for name in own.names})

    def made(**values: Any) -> Rule:
        return make_rule(name, table | {key: own.value(values) for key, own in formulas.items()})

    try:
        if not wanted:
            return made()
        make_rule(name, table)  # its parameters' names
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{place}: {error}") from None
    keyword = inspect.Parameter.KEYWORD_ONLY
    made.__signature__ = inspect.Signature([inspect.Parameter(key, keyword) for key in wanted])  # type: ignore[attr-defined]
    return made


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
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
    if shards != 1:
        raise ValueError(f"{path}: expected one file, got {shards} shards, which safetensors files alone come in")
    if path.suffix == ".npy":
        if len(tensors) != 1:
            raise ValueError(f"{path}: expected one tensor for an npy file, got {len(tensors)}")
        (name, (shape, own)), = tensors.items()
        return [files.create_npy(path, shape, rule_for(name, rule_pairs(spec.rules), shape), dtype=own, seed=seed, name=name,
                                 overwrite=overwrite, num_threads=num_threads)]
    pairs = rule_pairs(spec.rules)
    requests = [_request(name, shape, own, rule_for(name, pairs, shape)) for name, (shape, own) in tensors.items()]
    _write_npz(path, requests, pin(seed), overwrite, num_threads)
    return [path]


def _request(name: str, shape: tuple[int, ...], dtype: str, rule: Rule) -> files.Request:
    try:
        return files.request(name, shape, dtype, rule)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise type(error)(f"tensor {name!r}, rule {rule}, {error}") from error


def _write_npz(path: Path, tensors: Sequence[files.Request], seed: Pinned, overwrite: bool, num_threads: int | None) -> None:
    """As `numpy.savez` does, but not from arrays in memory."""
    members = {f"{tensor.name}.npy": tensor for tensor in tensors}
    for name, tensor in members.items():
        if zipfile.ZipInfo(name).filename != name or len(name.encode()) > MAX_NAME or tensor.name in members:
            raise ValueError(f"tensor {tensor.name!r}: expected a name under which numpy.load finds it in an npz file")
    size = sum(len(tensor.npy_header()) + tensor.nbytes + 2 * len(name.encode()) + RECORDS for name, tensor in members.items())
    with publishing({path: size + RECORDS}, overwrite) as (file,), zipfile.ZipFile(file, "w") as archive:
        for name, tensor in progress(members.items()):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(tensor.npy_header())
                files.write_filled(member.write, [tensor], seed, num_threads)
