"""Recipes against the libraries' own code, parameter by parameter, and against numbers from their sources."""

import math

import numpy as np
import pytest

import fastinit as fi
import fastinit.recipes as recipes
from fastinit.models.rules import rule_for, rule_pairs

SIGMAS = 5  # of an estimated standard deviation, 1 / sqrt(2 n): false alarms 6e-7 a tensor


def agrees(values, rule):
    """Whether values may be a draw of a rule."""
    told = fi.explain(rule.initializer, values.shape, *rule.args, **rule.options)
    if told.std == 0:
        return (values == told.mean).all()
    spread, centre = SIGMAS / math.sqrt(2 * values.size), SIGMAS * told.std / math.sqrt(values.size)
    return (abs(values.std() / told.std - 1) < spread and abs(values.mean()) < centre and told.low <= values.min()
            and values.max() <= told.high)


def disagreeing(model, rules):
    pairs = rule_pairs(rules)
    parameters = {name: p.detach().numpy() for name, p in model.named_parameters()}
    return [name for name, values in parameters.items() if not agrees(values, rule_for(name, pairs, values.shape))]


def transformers():
    pytest.importorskip("torch")
    return pytest.importorskip("transformers")


def gpt2():
    of = transformers()
    return of.GPT2LMHeadModel(of.GPT2Config(n_layer=3, n_embd=128, n_head=4, vocab_size=500, n_positions=100)), recipes.gpt2(3)


def llama():
    of = transformers()
    config = of.LlamaConfig(hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4, vocab_size=500,
                            initializer_range=0.05)
    return of.LlamaForCausalLM(config), recipes.llama(std=0.05)


def t5():
    of = transformers()
    config = of.T5Config(vocab_size=500, d_model=128, d_kv=16, d_ff=256, num_layers=2, num_heads=4, initializer_factor=0.5)
    return of.T5ForConditionalGeneration(config), recipes.t5(128, 256, 4, 16, factor=0.5)


@pytest.mark.parametrize("make", [gpt2, llama, t5])
@pytest.mark.filterwarnings("ignore")
def test_as_transformers(make):
    import torch

    torch.manual_seed(7)
    model, rules = make()
    assert disagreeing(model, rules) == []


@pytest.mark.filterwarnings("ignore")
def test_controls():
    """Depth forgotten, and scaled where it should not be: named, and nothing else."""
    import torch

    torch.manual_seed(7)
    model, _ = gpt2()
    residual = [name for name, _ in model.named_parameters() if "c_proj.weight" in name]
    assert disagreeing(model, recipes.gpt2(1)) == residual and len(residual) == 6
    model, _ = llama()
    assert [name for name in disagreeing(model, recipes.gpt2(3, std=0.05, names="transformers.llama"))] == [
        name for name, _ in model.named_parameters() if "o_proj" in name or "down_proj" in name]


def law(rules, name, shape=(64, 64)):
    return repr(rule_for(name, rule_pairs(rules), shape))


def test_neox():
    """gpt-neox, init_functions.py: sqrt(2 / (5 dim)) and 2 / n_layers / sqrt(dim); 44 layers of 6144 in GPT-NeoX-20B."""
    rules = recipes.neox(44, 6144)
    small, wang = math.sqrt(2 / (5 * 6144)), 2 / 44 / math.sqrt(6144)
    assert round(small, 6) == 0.008069 and round(wang, 7) == 0.0005799
    assert law(rules, "gpt_neox.embed_in.weight") == f"Normal(std={small})"
    assert law(rules, "gpt_neox.layers.7.mlp.dense_h_to_4h.weight") == f"Normal(std={small})"
    assert law(rules, "gpt_neox.layers.7.mlp.dense_4h_to_h.weight") == f"Normal(std={wang})"
    assert law(rules, "gpt_neox.layers.7.attention.dense.weight") == f"Normal(std={wang})"
    of = transformers()
    config = of.GPTNeoXConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, vocab_size=50)
    for name, p in of.GPTNeoXForCausalLM(config).named_parameters():
        assert law(rules, name, tuple(p.shape)).startswith(("Zeros", "Ones", "Normal")), "every parameter has a rule"


@pytest.mark.parametrize(("name", "expected"), [
    ("tok_embeddings.weight", "Normal()"), ("layers.0.attention.wq.weight", "TruncNormal(std=0.02)"),
    ("layers.31.attention.qkv_linear.wk.weight", "TruncNormal(std=0.02)"),
    ("layers.3.feed_forward.w1.weight", "TruncNormal(std=0.02)"),
    ("layers.0.attention.wo.weight", f"TruncNormal(std={0.02 / math.sqrt(2)})"),
    ("layers.7.feed_forward.w2.weight", "TruncNormal(std=0.005)"), ("norm.weight", "Ones()"),
    ("layers.31.feed_forward.w3.weight", "TruncNormal(std=0.0025)"), ("layers.31.ffn_norm.weight", "Ones()"),
    ("output.weight", "TruncNormal(std=0.015625, a=-3.0, b=3.0, bounds='std')"),
])
def test_torchtitan(name, expected):
    """torchtitan 0.3.0, models/llama3/__init__.py; trunc_normal_'s own bounds are -2 and 2."""
    assert law(recipes.torchtitan_llama(4096), name) == expected


@pytest.mark.parametrize("make", [lambda names: recipes.gpt2(12, names=names), lambda names: recipes.neox(12, 768, names=names),
                                  lambda names: recipes.torchtitan_llama(768, names=names)])
def test_other_names_have_the_same(make):
    """Part by part: a layer's output, say, is drawn alike whatever a library calls it."""
    parts = {}
    for names, table in recipes.NAMES.items():
        rules = make(names)
        for part, patterns in table.items():
            for pattern in patterns:
                name = "model." + pattern.replace("{layer}", "5").replace("[qkv]", "q").replace("?", "1").replace("*", "x")
                parts.setdefault(part, set()).add(law(rules, name))
    assert all(len(laws) == 1 for laws in parts.values()), parts


def test_fill_and_materialize_agree():
    of = transformers()
    import fastinit.torch as ft
    import torch

    config = of.GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=60, n_positions=20)
    with torch.device("meta"):
        model = of.GPT2LMHeadModel(config)
    model.tie_weights()
    rules = recipes.gpt2(2)
    buffers = {name: fi.Zeros() for name, b in model.named_buffers() if b.is_meta}
    made = {name: p.detach().numpy() for name, p in ft.materialize(model, {**buffers, **rules}, seed=4).named_parameters()}
    arrays = fi.fill({name: np.empty_like(p) for name, p in made.items()}, rules, seed=4)
    assert all(np.array_equal(arrays[name], made[name]) for name in made) and len(made) > 20


@pytest.mark.parametrize(("call", "told"), [
    (lambda: recipes.gpt2(0), "depth"), (lambda: recipes.gpt2(2.5), "depth"), (lambda: recipes.gpt2(2, std=-1), "std"),
    (lambda: recipes.gpt2(2, std=math.inf), "std"), (lambda: recipes.gpt2(2, names="gpt2"), "names"),
    (lambda: recipes.neox(2, 0), "width"),
    (lambda: recipes.t5(8, 8, 8, "8"), "head_width"), (lambda: recipes.llama(std=math.nan), "std"),
])
def test_refused(call, told):
    with pytest.raises((TypeError, ValueError), match=f"^{told}: expected"):
        call()
