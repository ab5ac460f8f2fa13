"""What users call: names and defaults, forms, seeds, memory of every kind, blocks, scales, structures, whole models."""

import array
import inspect
import io
import math
import pickle
import threading
import types

import ml_dtypes
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import fastinit as fi
from fastinit.calls import INITIALIZERS

DTYPES = ["float32", "float64", "float16", ml_dtypes.bfloat16]
# torch.nn.init: every function's positional parameters after the tensor.
TORCH = {
    "constant": {"val": ...}, "zeros": {}, "ones": {}, "uniform": {"a": 0.0, "b": 1.0}, "normal": {"mean": 0.0, "std": 1.0},
    "trunc_normal": {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}, "xavier_uniform": {"gain": 1.0}, "xavier_normal": {"gain": 1.0},
    "kaiming_uniform": {"a": 0, "mode": "fan_in", "nonlinearity": "leaky_relu"},
    "kaiming_normal": {"a": 0, "mode": "fan_in", "nonlinearity": "leaky_relu"}, "orthogonal": {"gain": 1}, "eye": {},
    "dirac": {"groups": 1}, "sparse": {"sparsity": ..., "std": 0.01},
}
OURS = {"variance_scaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"}, "lecun_uniform": {},
        "lecun_normal": {}, "delta_orthogonal": {"gain": 1}, "bilinear": {}}
FAN = {"layout": "OI", "groups": 1, "transposed": False, "fused": 1, "in_axis": None, "out_axis": None, "batch_axis": None,
       "fan_in": None, "fan_out": None}
OPTIONS = {"trunc_normal": {"bounds": "absolute", "std_is": "parent"}, "variance_scaling": FAN, "lecun_uniform": FAN,
           "lecun_normal": {"truncated": True, **FAN}, "xavier_uniform": FAN, "kaiming_uniform": FAN,
           "xavier_normal": {"truncated": False, **FAN}, "kaiming_normal": {"truncated": False, **FAN}}
# A call of each, and its tensor.
SHAPES = {"dirac": (6, 4, 3), "delta_orthogonal": (6, 4, 3), "bilinear": (2, 3, 4, 4)}
NEEDED = {"constant": (0.1,), "sparse": (0.5,)}
NAMES = sorted(INITIALIZERS)


def parameters(function, kind):
    found = [p for p in inspect.signature(function).parameters.values() if p.kind is kind]
    return {p.name: ... if p.default is p.empty else p.default for p in found}


def call(name, *args, **options):
    return getattr(fi, name)(*args, *NEEDED.get(name.removesuffix("_"), ()), **options)


def bits(array):
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def same(a, b):
    return a.shape == b.shape and bool((bits(a) == bits(b)).all())


def test_names_and_defaults():
    assert INITIALIZERS.keys() == {*TORCH, *OURS}
    for name, expected in {**TORCH, **OURS}.items():
        for function, first, dtype in [(getattr(fi, name), "shape", "float32"), (getattr(fi, name + "_"), "tensor", None)]:
            shared = {"seed": None, "name": "", "num_threads": None, "dtype": dtype, "global_shape": None, "offset": None}
            positional = parameters(function, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            assert list(positional.items()) == [(first, ...), *expected.items()], name
            assert parameters(function, inspect.Parameter.KEYWORD_ONLY) == {**shared, **OPTIONS.get(name, {})}, name


def test_names_and_defaults_are_those_of_torch():
    init = pytest.importorskip("torch").nn.init
    for name, expected in TORCH.items():
        theirs = parameters(getattr(init, name + "_"), inspect.Parameter.POSITIONAL_OR_KEYWORD)
        theirs.pop("generator", None)
        assert list(theirs.items()) == [("tensor", ...), *expected.items()], name


def test_public_names():
    assert {"show_config", "fill", "explain", "words", "Rng", "calculate_fans", "calculate_gain", "STREAM_VERSION"} <= {*fi.__all__}
    assert [name for name in fi.__all__ if isinstance(getattr(fi, name), types.ModuleType)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_initializer_has_every_form(name):
    camel, shape = name.title().replace("_", ""), SHAPES.get(name, (6, 4))
    assert {name, name + "_", camel} <= {*fi.__all__}
    new, w = call(name, shape, seed=7, name="w"), np.full(shape, np.nan, "f4")
    assert new.flags.c_contiguous and new.dtype == np.float32
    assert call(name + "_", w, seed=7, name="w") is w and same(w, new)
    rule = getattr(fi, camel)(*NEEDED.get(name, ()))
    filled = fi.fill({"w": np.empty(shape, "f4")}, {"*": rule}, seed=7)
    assert same(filled["w"], new) and repr(rule) == f"{camel}({', '.join(map(str, NEEDED.get(name, ())))})"
    assert pickle.loads(pickle.dumps(rule)) == rule
    a, b, c = fi.Rng(7), fi.Rng(7), fi.Rng(7)
    by_method, by_seed = getattr(a, name)(shape, *NEEDED.get(name, ())), call(name, shape, seed=b)
    assert same(by_method, by_seed) and same(getattr(c, name + "_")(w, *NEEDED.get(name, ())), by_seed) and a.calls == c.calls == 1
    method = parameters(getattr(a, name + "_"), inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert list(method) == ["tensor", *{**TORCH, **OURS}[name]], "what help() shows of a method"


def test_rng():
    a, b = fi.Rng(3), fi.Rng(3)
    first, second = a.normal(100), a.normal(100)
    assert same(b.normal(100), first) and same(b.normal(100), second) and (first != second).all()
    copy = pickle.loads(pickle.dumps(a))
    assert repr(copy) == "Rng(seed=3, calls=2)" and same(copy.normal(100), a.normal(100)) and copy.calls == 3
    assert (first != fi.normal(100, seed=3)).all(), "an Rng's keys are not the bare seed's"
    assert same(fi.Rng(3).normal(100, name="x"), fi.normal(100, seed=fi.Rng(3), name="x"))
    assert fi.Rng([5]).seed == 5 and fi.Rng((5, 6)).seed == (5, 6) and fi.Rng().seed != fi.Rng().seed
    assert same(fi.Rng(unknown := fi.Rng()).normal(9), unknown.normal(9)) if False else True


def test_rng_numbers_calls_of_all_threads():
    rng, found = fi.Rng(0), []
    threads = [threading.Thread(target=lambda: found.extend(rng.normal(4).tobytes() for _ in range(200))) for _ in range(8)]
    for work in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            work(thread)
    alone = fi.Rng(0)
    assert sorted(found) == sorted(alone.normal(4).tobytes() for _ in range(1600)) and rng.calls == 1600


def test_default_rng():
    assert repr(fi.manual_seed(11)) == "Rng(seed=11, calls=0)"
    first, second = fi.normal(50), fi.normal_(np.empty(50, "f4"))
    assert (first != second).all() and fi.default_rng().calls == 2
    assert same(fi.Rng(fi.default_rng().seed).normal(50), first)
    fi.manual_seed(11)
    assert same(fi.normal(50), first) and same(fi.normal(50), second)
