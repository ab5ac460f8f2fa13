"""Whatever an argument is: a TypeError or a ValueError that names it, and nothing written. The table is made of the signatures,
so that a new function or parameter is in it by itself."""

import datetime
import inspect

import numpy as np
import pytest

import fastinit as fi


def raising(*methods):
    """An object whose methods raise what nobody expects."""
    def fail(self, *args, **options):
        raise ZeroDivisionError("from the object itself")

    return type("Hostile", (), {method: fail for method in methods})()


class Liar:
    """Says that it is a number and is none."""

    __class__ = property(lambda self: float)

    def __float__(self):
        return "one"

    def __index__(self):
        return 1.5


class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        return 1

    def __len__(self):
        return -1


HOSTILE = {
    "raises at conversion": raising("__float__", "__index__", "__int__", "__array__"),
    "raises at iteration": raising("__iter__", "__len__", "__getitem__"),
    "raises at comparison": raising("__eq__", "__hash__", "__bool__", "__lt__", "__le__", "__gt__", "__ge__"),
    "raises as text": raising("__str__", "__repr__", "__fspath__", "__float__"),
    "raises at attributes": raising("__getattribute__"),
    "raises as an array": raising("__array__", "__array_interface__", "__dlpack__", "__buffer__"),
    "liar": Liar(), "endless": Endless(), "object": object(), "class": float, "function": len, "module": np,
    "huge": 10**5000, "minus huge": -(10**5000), "nan": float("nan"), "complex": 1 + 2j, "bool": True,
    "bytes": b"abc", "bytearray": bytearray(8), "memoryview": memoryview(b"12345678"), "surrogate": "\ud800", "nul": "a\0b",
    "set": {1, 2}, "dict": {"a": 1}, "nested": [[[]]], "strings": ["a", "b"], "generator": (i for i in ()),
    "datetime64": np.datetime64("2026-01-01"), "date": datetime.date(2026, 1, 1), "void": np.zeros((), "i4,i4")[()],
    "object array": np.array([None, 1]), "string array": np.array(["a"]), "read only": np.frombuffer(b"12345678", "f4"),
    "many axes": (1,) * 70, "masked": np.ma.masked, "not implemented": NotImplemented, "ellipsis": ...,
}
FUNCTIONS = {name: value for name in fi.__all__ if inspect.isfunction(value := getattr(fi, name))}


def arguments(name, function):
    """Those that a call needs, by name, all of them right."""
    given = {}
    shape = (3, 3, 4, 4) if name.strip("_") in ("dirac", "bilinear", "delta_orthogonal") else (4, 4)
    for p in inspect.signature(function).parameters.values():
        if p.name == "tensor":
            given["tensor"] = np.full(shape, 7, "f4")
        elif p.name == "shape":
            given["shape"] = shape
        elif p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            given[p.name] = {"val": 0.5, "sparsity": 0.5, "n": 3, "initializer": "normal", "nonlinearity": "relu", "seed": 1,
                             "arrays": {"a": np.full((4, 4), 7, "f4")}, "rules": {"*": fi.Normal()}}[p.name]
    return given


CASES = [(name, p.name) for name, function in FUNCTIONS.items() if not name[0].isupper() and not name.startswith("show")
         for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def wrong(name, function, parameter):
    """What is answered otherwise than as promised, of all hostile objects."""
    found = []
    for kind, value in HOSTILE.items():
        given = arguments(name, function)
        memory = given.get("tensor", given.get("arrays", {}).get("a") if "arrays" in given else None)
        given[parameter] = value
        try:
            function(**given)
        except (TypeError, ValueError) as error:
            if parameter not in str(error) and not (parameter == "arrays" and "tensor 'a'" in str(error)):
                found.append((kind, f"{type(error).__name__}: {error}"[:150]))
            if memory is not None and parameter not in ("tensor", "arrays") and not (memory == 7).all():
                found.append((kind, "written"))
        except BaseException as error:
            found.append((kind, f"{type(error).__name__}: {error}"[:150]))
    return found


@pytest.mark.parametrize("name, parameter", CASES)
def test_a_hostile_object_is_refused_by_the_arguments_name(name, parameter):
    assert wrong(name, FUNCTIONS[name], parameter) == []


def test_a_function_that_lets_an_exception_out_is_found():
    def leaking(tensor, n):
        return int(n)

    assert wrong("leaking", leaking, "n")
