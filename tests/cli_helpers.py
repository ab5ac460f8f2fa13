"""What the tests of the commands share."""

import json

from fastinit.commands import cli
from fastinit.models.architectures import Architecture, Row

# Parameters and tensors as torchvision 0.28 and transformers 5.23 report them for these models.
PUBLISHED = {
    "gpt2": (124_439_808, 148),
    "resnet50": (25_557_032, 161),
    "vit-b-16": (86_567_656, 152),
    "llama-3-8b": (8_030_261_248, 291),
}

TINY = Architecture(
    "nobody",
    (
        Row("dense", "block.<0-1>.weight", (300, 200), ("kaiming_normal", {"nonlinearity": "relu"})),
        Row("dense", "wide.weight", (300, 400), ("xavier_uniform", {})),
        Row("cut", "cut.<0-1>.<3-4>", (40_000,), ("trunc_normal", {"std": 0.1, "a": -0.2, "b": 0.2})),
        Row("norm", "norm.weight", (200,), ("ones", {})),
        Row("bias", "norm.bias", (200,), ("zeros", {})),
    ),
)


def run_json(capsys, *args):
    assert cli.main([*args, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""  # not a terminal: no progress
    return json.loads(out)


def refused(capsys, *args):
    assert cli.main(list(args)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err
