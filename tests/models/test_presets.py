"""Presets against the frameworks: torch's own modules by a two-sample test, the others by the numbers of their formulas."""

from math import inf, sqrt

import numpy as np
import pytest
from scipy.stats import ks_2samp

import fastinit as fi

ALPHA = 1e-9  # of each of the dozen comparisons
CUT = 0.87962566103423978  # standard deviation of N(0, 1) cut at 2


def uniform(bound):
    return bound / sqrt(3), bound


def normal(std):
    return std, inf


def cut(std):
    return std, 2 * std / CUT


# Shape of a weight as the framework stores it; standard deviation and bound of the weight, and of the bias if there is one.
FORMULAS = {
    "torch_linear": ((400, 300), uniform(1 / sqrt(300)), uniform(1 / sqrt(300))),
    "torch_conv": ((64, 8, 3, 5), uniform(1 / sqrt(120)), uniform(1 / sqrt(120))),
    "torch_embedding": ((1000, 64), normal(1), None),
    "keras_dense": ((300, 400), uniform(sqrt(6 / 700)), (0, 0)),
    "keras_conv": ((3, 5, 8, 64), uniform(sqrt(6 / (15 * 72))), (0, 0)),
    "keras_embedding": ((1000, 64), uniform(0.05), None),
    "flax_dense": ((300, 400), cut(1 / sqrt(300)), (0, 0)),
    "flax_conv": ((3, 5, 8, 64), cut(1 / sqrt(120)), (0, 0)),
    "flax_embed": ((1000, 64), normal(1 / sqrt(64)), None),
    "caffe_xavier": ((64, 8, 3, 5), uniform(sqrt(3 / 120)), (0, 0)),
    "caffe_msra": ((64, 8, 3, 5), normal(sqrt(2 / 120)), (0, 0)),
    "mxnet_xavier": ((64, 8, 3, 5), uniform(sqrt(3 / ((8 + 64) * 15 / 2))), (0, 0)),
    "timm_vit": ((400, 300), (0.02, 2), (0, 0)),  # cut at 100 standard deviations
    "gpt2": ((768, 2304), normal(0.02), (0, 0)),
    "gpt2_residual": ((768, 768), normal(0.02 / sqrt(24)), (0, 0)),
}


@pytest.mark.parametrize("name", sorted(FORMULAS.keys() | fi.PRESETS.keys()))
def test_formulas(name):
    shape, *expected = FORMULAS[name]
    preset, rules = fi.PRESETS[name], fi.PRESETS[name].rules("h.[0]*", shape)
    assert preset.source and [*rules] == ["h.[[]0][*].weight", "h.[[]0][*].bias"][:1 + (expected[1] is not None)]
    model = {"h.[0]*.weight": np.empty(shape, "f4"), "h.[0]*.bias": np.empty(5000, "f4")}
    if preset.bias is None:
        with pytest.raises(ValueError, match="^bias: "):
            preset(*model.values())
        del model["h.[0]*.bias"]
    assert fi.fill(model, rules, seed=3) is model
    for (w, (std, bound)), rule in zip(zip(model.values(), expected), rules.values()):
        e = fi.explain(rule.initializer, w.shape, *rule.args, **rule.options)
        assert [e.mean, e.std, -e.low, e.high] == pytest.approx([0, std, bound, bound], rel=1e-12)
        assert abs(w.std() - std) <= 7 * std / sqrt(2 * w.size) and abs(w).max() <= bound  # a false alarm in 1e11
    called = preset(*map(np.empty_like, model.values()), seed=3, name="h.[0]*")
    assert called.keys() == model.keys() and all(np.array_equal(called[key], model[key]) for key in model)


def test_what_a_layer_without_inputs_or_name_gets():
    layer = fi.PRESETS["torch_linear"](np.empty((4, 0), "f4"), np.ones(4, "f4"), seed=0)
    assert [*layer] == ["weight", "bias"] and not layer["bias"].any()


def differ(a, b):
    return ks_2samp(a.ravel(), b.ravel()).pvalue < ALPHA


@pytest.mark.parametrize("name, module, arguments, options", [
    ("torch_linear", "Linear", (30, 30000), {}), ("torch_conv", "Conv2d", (8, 20000, 3), {}),
    ("torch_conv", "Conv1d", (16, 20000, 3), {"groups": 4}), ("torch_conv", "ConvTranspose2d", (6, 20000, (1, 2)), {}),
    ("torch_conv", "ConvTranspose1d", (64, 20000, 3), {"groups": 4}), ("torch_embedding", "Embedding", (3000, 40), {}),
])
def test_torchs_own_modules(name, module, arguments, options):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = {key: value.detach().numpy() for key, value in getattr(torch.nn, module)(*arguments, **options).named_parameters()}
    ours = fi.PRESETS[name](*map(np.empty_like, theirs.values()), seed=0)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert not differ(value, theirs[key]) and value.std() == pytest.approx(theirs[key].std(), rel=0.03)
        assert abs(value).max() == pytest.approx(abs(theirs[key]).max(), rel=0.2 if "Embedding" in module else 1e-3)
        assert differ(value * np.float32(1.1), theirs[key]), "the control: another scale is seen"
