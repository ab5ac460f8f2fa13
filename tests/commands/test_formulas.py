"""Formulas in files of models: what they give, and what is refused by its name."""

import json
import math

import numpy as np
import pytest

import fastinit as fi
from fastinit.commands.arithmetic import formula
from fastinit.commands.specs import create, load


@pytest.mark.parametrize(("text", "value"), [
    ("0.02 / sqrt(2 * (layer + 1))", 0.02 / math.sqrt(8)), ("2 ** -0.5", 2**-0.5), ("-layer + 7 % 4", 0.0),
    ("min(layer, 2, 5)", 2.0), ("max(shape[0], shape[1]) // 2", 4.0), ("log(exp(2))", 2.0), (" 1e-3 ", 1e-3),
    ("2*layer**2", 18.0), ("7", 7.0),
])
def test_values(text, value):
    assert formula(text, frozenset({"layer"})).value({"layer": 3, "shape": (8, 6)}) == value


@pytest.mark.parametrize("text", [
    "", "depth", "shape", "shape[layer]", "shape[True]", "layer.real", "__import__('os')", "layer if layer else 1",
    "lambda: 1", "'a' * 9", "[1]", "sqrt()", "sqrt(x=1)", "sqrt(*[1])", "open(1)", "layer == 1", "True", "1j", "~1", "1 << 99",
    "1; 2", "(" * 90 + ")" * 90, "1 +" * 60 + "1 +" * 60, "f'{layer}'", "print(layer)", "layer @ layer", "not layer", "sqrt",
    "None", "...", "a := 1", "\0", "-" * 199 + "1" * 2, "layer2",
])
def test_refused(text):
    with pytest.raises(ValueError, match="expected"):
        formula(text, frozenset({"layer"}))


NO_VALUE = ["9**9**9**9", "1 / 0", "sqrt(0-1)", "exp(99999)", "log(0)", "shape[7]", "10 ** 400", "1e999 - 1e999"]


@pytest.mark.parametrize("text", NO_VALUE)
def test_without_a_value(text):
    read = formula(text, frozenset())
    try:
        assert not math.isfinite(read.value({"shape": (2, 3)}))
    except (ArithmeticError, ValueError, IndexError):
        pass


SPEC = {"tensors": {"h.<0-3>.proj.weight": [6, 8], "h.<0-3>.fc.weight": [8, 6], "wte": [20, 6]},
        "rules": {"h.{layer}.proj.weight": {"initializer": "normal", "std": "= 0.02 / sqrt(2 * (layer + 1))"},
                  "h.*": {"initializer": "uniform", "a": "= -1 / sqrt(shape[1])", "b": "=1/sqrt(shape[1])"},
                  "*": {"initializer": "normal", "std": "= 1 / 50"}}}


def written(tmp_path, spec, suffix=".npz"):
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    path = tmp_path / f"m{suffix}"
    create(path, load(str(tmp_path / "spec.json")), seed=2)
    return path


def test_files(tmp_path):
    with np.load(written(tmp_path, SPEC)) as found:
        for layer in range(4):
            name = f"h.{layer}.proj.weight"
            assert np.array_equal(found[name], fi.normal((6, 8), std=0.02 / math.sqrt(2 * (layer + 1)), seed=2, name=name))
            name = f"h.{layer}.fc.weight"
            assert np.array_equal(found[name], fi.uniform((8, 6), -1 / math.sqrt(6), 1 / math.sqrt(6), seed=2, name=name))
        assert np.array_equal(found["wte"], fi.normal((20, 6), std=0.02, seed=2, name="wte"))


@pytest.mark.parametrize(("std", "told"), [
    ("= depth", "std.*depth"), ("= 9**9**9", "h.{layer}.proj.weight"), ("= 1 / layer", "h.0.proj.weight.*ZeroDivisionError"),
    ("= 0 - layer - 1", "h.0.proj.weight.*std"), ("= ", "std.*formula"), ("= shape[2] * layer", "h.0.proj.weight.*IndexError"),
    ("0.02", "std"), ("= layer * 1e999", "h.[01].proj.weight.*std"),
])
def test_wrong_formulas_are_named(std, told, tmp_path):
    rules = {"h.{layer}.proj.weight": {"initializer": "normal", "std": std}, "*": "zeros"}
    with pytest.raises((ValueError, TypeError), match=told):
        written(tmp_path, SPEC | {"rules": rules})
    assert not (tmp_path / "m.npz").exists()
