"""Rules that read the name: patterns that capture, and functions that make a rule of what was captured."""

import math
import re

import numpy as np
import pytest

import fastinit as fi
from fastinit.models.rules import rule_for, rule_pairs

SHAPES = {"h.0.mlp.weight": (8, 6), "h.0.mlp.bias": (8,), "h.11.mlp.weight": (8, 6), "h.11.attn.weight": (6, 6),
          "head.weight": (9, 6)}


def scaled(layer, shape):
    return fi.Normal(std=0.02 / math.sqrt(2 * (layer + 1)) * shape[0])


RULES = {"*.bias": fi.Zeros(), "h.{layer}.mlp.weight": scaled,
         "h.{layer}.{part}.weight": lambda part, layer: fi.Uniform(-layer, len(part)), "*": fi.Normal()}


def expected(name, std):
    return fi.normal(SHAPES[name], std=std, seed=3, name=name)


def check(values):
    stds = {"h.0.mlp.weight": 0.02 / math.sqrt(2) * 8, "h.11.mlp.weight": 0.02 / math.sqrt(24) * 8, "head.weight": 1}
    for name, std in stds.items():
        assert np.array_equal(values[name], expected(name, std)), name
    assert np.array_equal(values["h.11.attn.weight"], fi.uniform((6, 6), -11, 4, seed=3, name="h.11.attn.weight"))
    assert not values["h.0.mlp.bias"].any()


def test_fill():
    check(fi.fill({name: np.ones(shape, "f4") for name, shape in SHAPES.items()}, RULES, seed=3))


def test_every_way_has_the_same(tmp_path):
    load = pytest.importorskip("safetensors.numpy").load_file
    from fastinit.safetensors import create

    create(tmp_path / "m.safetensors", SHAPES, RULES, seed=3)
    check(load(tmp_path / "m.safetensors"))


def test_materialize():
    torch = pytest.importorskip("torch")
    import fastinit.torch

    with torch.device("meta"):
        h = torch.nn.ModuleList([torch.nn.ModuleDict({"mlp": torch.nn.Linear(6, 8)}) for _ in range(12)])
        model = torch.nn.ModuleDict({"h": h, "head": torch.nn.Linear(6, 9, bias=False)})
        h[11]["attn"] = torch.nn.Linear(6, 6, bias=False)
        h[3].register_buffer("scale", torch.empty(5))
    rules = {"h.{layer}.scale": lambda layer, shape: fi.Constant(layer + shape[0]), **RULES}
    fastinit.torch.materialize(model, rules, seed=3)
    check({name: p.detach().numpy() for name, p in model.named_parameters()})
    assert h[3].scale.tolist() == [8] * 5


@pytest.mark.parametrize(("pattern", "name", "captured"), [
    ("h.{layer}.w", "h.12.w", {"layer": 12}), ("h.{layer}.w", "h.1.2.w", None), ("h.{layer}.w", "h..w", None),
    ("h.{layer}.w", "H.1.w", None), ("h.{layer}.w", "h.x.w", {"layer": "x"}), ("{a}.*.{b}", "x.y.z.7", {"a": "x", "b": 7}),
    ("*.{e}.[ab]?", "m.3.a1", {"e": 3}), ("h{layer}", "h007", {"layer": 7}), ("h.{l}-{k}.w", "h.1-2.w", {"l": 1, "k": 2}),
    ("h.{layer}.w", "h.1.w\n", None), ("a.{é}", "a.b\nc", {"é": "b\nc"}), ("a[{]x}.{i}", "a{x}.1", {"i": 1}),
    ("{i}.(w)+", "4.(w)+", {"i": 4}), ("h.{i}", "h.²", {"i": "²"}), ("h.{i}", "h.-1", {"i": "-1"}),
])
def test_what_is_captured(pattern, name, captured):
    seen = []
    names = ", ".join(re.findall(r"\{(\w+)\}", pattern.replace("[{]", "")))
    function = eval(f"lambda {names}: seen.append(dict({', '.join(f'{n}={n}' for n in names.split(', '))})) or Zeros()",
                    {"seen": seen, "Zeros": fi.Zeros})
    pairs = rule_pairs({pattern: function})
    if captured is None:
        with pytest.raises(ValueError, match="no pattern matches"):
            rule_for(name, pairs, (1,))
    else:
        assert repr(rule_for(name, pairs, (1,))) == "Zeros()" and seen == [captured]


def test_a_pattern_without_captures_is_as_before():
    pairs = rule_pairs({"a{b": fi.Ones(), "{}": fi.Zeros(), "{1}": fi.Normal(), "x*": lambda shape: fi.Constant(shape[0])})
    assert [repr(rule_for(name, pairs, (4,))) for name in ("a{b", "{}", "{1}", "xyz")] == [
        "Ones()", "Zeros()", "Normal()", "Constant(4)"]


@pytest.mark.parametrize(("rules", "error", "told"), [
    ({"h.{layer}": lambda depth: fi.Zeros()}, TypeError, "'h.{layer}'.*function of layer, shape, .*, one of depth"),
    ({"h.{layer}": lambda layer, /: fi.Zeros()}, TypeError, "'h.{layer}'"),
    ({"h.{layer}": lambda *layer: fi.Zeros()}, TypeError, "'h.{layer}'"),
    ({"h.{a}.{a}": fi.Zeros()}, ValueError, "different names"),
    ({"h.{shape}": fi.Zeros()}, ValueError, "none of them shape"),
    ({"h.*": fi.Normal}, TypeError, ", one of none"),
    ({"h.*": int}, TypeError, "expected a rule"),
    ({"h.*": 3}, TypeError, "expected a rule"),
    ({"h.{layer}": lambda layer: 1 / layer}, ValueError, "'h.{layer}'.*tensor 'h.0': ZeroDivisionError"),
    ({"h.{layer}": lambda layer: layer}, TypeError, "'h.{layer}'.*tensor 'h.0'.*got 0"),
    ({"h.{layer}": lambda layer: fi.Normal(std=-1.0)}, ValueError, r"tensor 'h.0', rule Normal\(std=-1.0\)"),
    ({"h.{layer}": lambda layer: fi.Normal(sdt=1.0)}, ValueError, "tensor 'h.0': TypeError: Normal.*sdt"),
])
def test_refused_by_name(rules, error, told):
    memory = np.ones(3, "f4")
    with pytest.raises(error, match=told):
        fi.fill({"h.0": memory}, rules, seed=1)
    assert (memory == 1).all()
