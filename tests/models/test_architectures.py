"""The published models."""

import fnmatch
import math

import pytest
from cli_helpers import PUBLISHED, TINY

from fastinit.commands import bench
from fastinit.models.architectures import ARCHITECTURES


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(name):
    tensors = ARCHITECTURES[name].tensors()
    assert (sum(map(math.prod, tensors.values())), len(tensors)) == PUBLISHED[name]
    assert ARCHITECTURES[name].parameters() == PUBLISHED[name][0]
    assert len(list(ARCHITECTURES[name].items())) == len(tensors)  # no name twice


def test_every_architecture_is_listed():
    assert ARCHITECTURES.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_first_matching_rule_is_the_rows_own(name):
    rules = ARCHITECTURES[name].rules()
    own = {row.pattern: row.rule for row in ARCHITECTURES[name].rows}
    assert rules.keys() == own.keys()
    for tensor, row in ARCHITECTURES[name].items():
        first = next(pattern for pattern in rules if fnmatch.fnmatchcase(tensor, pattern))
        assert own[first] == row.rule, tensor


@pytest.mark.parametrize(
    ("architecture", "tensor", "std"),
    [
        ("gpt2", "h.11.attn.c_attn.weight", 0.02),
        ("gpt2", "h.0.mlp.c_proj.weight", 0.02 / math.sqrt(24)),
        ("gpt2", "h.0.mlp.c_proj.bias", 0.0),
        ("resnet50", "conv1.weight", math.sqrt(2 / (64 * 49))),
        ("resnet50", "layer4.2.conv3.weight", math.sqrt(2 / 2048)),
        ("resnet50", "layer2.0.downsample.0.weight", math.sqrt(2 / 512)),
        ("resnet50", "fc.weight", 1 / math.sqrt(3 * 2048)),
        ("resnet50", "fc.bias", 1 / math.sqrt(3 * 2048)),
        ("vit-b-16", "conv_proj.weight", 1 / math.sqrt(768)),
        ("vit-b-16", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight", math.sqrt(2 / (4 * 768))),
        ("vit-b-16", "encoder.layers.encoder_layer_0.self_attention.out_proj.weight", 1 / math.sqrt(3 * 768)),
        ("vit-b-16", "encoder.layers.encoder_layer_11.mlp.3.weight", math.sqrt(2 / (5 * 768))),
        ("vit-b-16", "encoder.layers.encoder_layer_11.mlp.0.bias", 1e-6),
        ("llama-3-8b", "model.layers.31.mlp.down_proj.weight", 0.02),
    ],
)
def test_published_std(architecture, tensor, std):
    row = dict(ARCHITECTURES[architecture].items())[tensor]
    assert bench.mean_std(bench.asked_sums(row))[1] == pytest.approx(std, rel=1e-9)


def test_ranges_multiply():
    assert list(TINY.rows[2].expand()) == ["cut.0.3", "cut.0.4", "cut.1.3", "cut.1.4"]
