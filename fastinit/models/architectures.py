"""The parameters of four published models, as data: names, shapes and the rule each one starts from.

A row is ``(kind, names, shape, rule)``. ``<0-11>`` in the names stands for the numbers 0 to 11, so that one
row covers every block; a rule is ``(initializer, keyword arguments)``, the two things that
``fastinit.explain`` and the functions of ``torch.nn.init`` take as well.
"""

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import rules
from .rules import Rule

__all__ = ["ARCHITECTURES", "RANGE", "Architecture", "Row", "make_rule"]

Named = tuple[str, dict[str, Any]]  # an initializer and its keyword arguments
RANGE = re.compile(r"<([0-9]+)-([0-9]+)>")


class Row(NamedTuple):
    """Tensors that share a kind, a shape and a rule."""

    kind: str
    names: str
    shape: tuple[int, ...]
    rule: Named

    @property
    def pattern(self) -> str:
        """The row's names as one ``fnmatch`` pattern."""
        return RANGE.sub("*", self.names)

    def expand(self) -> Iterator[str]:
        """Each name of the row."""
        pieces = RANGE.split(self.names)  # text, first, last, text, first, last, ..., text
        spans = [range(int(a), int(b) + 1) for a, b in zip(pieces[1::3], pieces[2::3], strict=True)]
        for numbers in itertools.product(*spans):
            tail = (f"{number}{text}" for number, text in zip(numbers, pieces[3::3], strict=True))
            yield pieces[0] + "".join(tail)


class Architecture(NamedTuple):
    """One model: where its rule is published, and its rows."""

    source: str
    rows: tuple[Row, ...]

    def items(self) -> Iterator[tuple[str, Row]]:
        """(tensor name, row) of every tensor."""
        return ((name, row) for row in self.rows for name in row.expand())

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor, by name."""
        return {name: row.shape for name, row in self.items()}

    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(math.prod(row.shape) for _, row in self.items())

    def rules(self) -> dict[str, Rule]:
        """The published rule as ``fastinit.fill`` takes it: pattern -> rule object."""
        return {row.pattern: make_rule(*row.rule) for row in self.rows}


def make_rule(initializer: str, keywords: dict[str, Any]) -> Rule:
    """The rule object of an initializer's name and its keyword arguments."""
    return getattr(rules, rules.camel(initializer))(**keywords)


def _architecture(source: str, *rows: tuple[str, str, tuple[int, ...], Named]) -> Architecture:
    return Architecture(source, tuple(Row(*row) for row in rows))


ZEROS: Named = ("zeros", {})
ONES: Named = ("ones", {})
NORMAL: Named = ("normal", {"std": 0.02})
XAVIER: Named = ("xavier_uniform", {})
HE_FAN_OUT: Named = ("kaiming_normal", {"mode": "fan_out", "nonlinearity": "relu"})
TORCH_LINEAR: Named = ("kaiming_uniform", {"a": math.sqrt(5)})  # U(-1/sqrt(fan_in), 1/sqrt(fan_in))

# GPT-2 small: 12 blocks, width 768, 50257 tokens. Weights are stored (in, out), the "Conv1D" of the original.
# N(0, 0.02); residual projections divided by sqrt(2 * 12 blocks); biases 0, norms 1.
# Radford et al. 2019, section 2.3; transformers, modeling_gpt2.py, GPT2PreTrainedModel._init_weights.
_RESIDUAL = ("normal", {"std": 0.02 / math.sqrt(24)})

GPT2: Architecture = _architecture(
    "Radford et al. 2019; transformers GPT2Model",
    ("embedding", "wte.weight", (50257, 768), NORMAL),
    ("embedding", "wpe.weight", (1024, 768), NORMAL),
    ("norm", "h.<0-11>.ln_1.weight", (768,), ONES),
    ("bias", "h.<0-11>.ln_1.bias", (768,), ZEROS),
    ("attention", "h.<0-11>.attn.c_attn.weight", (768, 2304), NORMAL),
    ("bias", "h.<0-11>.attn.c_attn.bias", (2304,), ZEROS),
    ("residual", "h.<0-11>.attn.c_proj.weight", (768, 768), _RESIDUAL),
    ("bias", "h.<0-11>.attn.c_proj.bias", (768,), ZEROS),
    ("norm", "h.<0-11>.ln_2.weight", (768,), ONES),
    ("bias", "h.<0-11>.ln_2.bias", (768,), ZEROS),
    ("mlp", "h.<0-11>.mlp.c_fc.weight", (768, 3072), NORMAL),
    ("bias", "h.<0-11>.mlp.c_fc.bias", (3072,), ZEROS),
    ("residual", "h.<0-11>.mlp.c_proj.weight", (3072, 768), _RESIDUAL),
    ("bias", "h.<0-11>.mlp.c_proj.bias", (768,), ZEROS),
    ("norm", "ln_f.weight", (768,), ONES),
    ("bias", "ln_f.bias", (768,), ZEROS),
)

# ResNet-50 v1.5: convolutions without bias, He et al. 2015 over fan_out, batch norm 1 and 0; the classifier keeps
# the default of torch.nn.Linear, weight and bias. torchvision, models/resnet.py, ResNet.__init__.
# One stage a line: number, last block, channels in, width of the bottleneck (channels out: 4 widths).
_RESNET50_STAGES = ((1, 2, 64, 64), (2, 3, 256, 128), (3, 5, 512, 256), (4, 2, 1024, 512))
_CLASSIFIER_BOUND = 1 / math.sqrt(2048)

RESNET50: Architecture = _architecture(
    "He et al. 2015; torchvision resnet50",
    ("conv 7x7", "conv1.weight", (64, 3, 7, 7), HE_FAN_OUT),
    ("norm", "bn1.weight", (64,), ONES),
    ("norm bias", "bn1.bias", (64,), ZEROS),
    *(
        row
        for s, last, inputs, width in _RESNET50_STAGES
        for row in (
            ("conv 1x1", f"layer{s}.0.conv1.weight", (width, inputs, 1, 1), HE_FAN_OUT),
            ("conv 1x1", f"layer{s}.<1-{last}>.conv1.weight", (width, 4 * width, 1, 1), HE_FAN_OUT),
            ("conv 3x3", f"layer{s}.<0-{last}>.conv2.weight", (width, width, 3, 3), HE_FAN_OUT),
            ("conv 1x1", f"layer{s}.<0-{last}>.conv3.weight", (4 * width, width, 1, 1), HE_FAN_OUT),
            ("norm", f"layer{s}.<0-{last}>.bn<1-2>.weight", (width,), ONES),
            ("norm bias", f"layer{s}.<0-{last}>.bn<1-2>.bias", (width,), ZEROS),
            ("norm", f"layer{s}.<0-{last}>.bn3.weight", (4 * width,), ONES),
            ("norm bias", f"layer{s}.<0-{last}>.bn3.bias", (4 * width,), ZEROS),
            ("shortcut", f"layer{s}.0.downsample.0.weight", (4 * width, inputs, 1, 1), HE_FAN_OUT),
            ("norm", f"layer{s}.0.downsample.1.weight", (4 * width,), ONES),
            ("norm bias", f"layer{s}.0.downsample.1.bias", (4 * width,), ZEROS),
        )
    ),
    ("classifier", "fc.weight", (1000, 2048), TORCH_LINEAR),
    ("classifier", "fc.bias", (1000,), ("uniform", {"a": -_CLASSIFIER_BOUND, "b": _CLASSIFIER_BOUND})),
)

# ViT-B/16 at 224 x 224: 12 blocks, width 768, 196 patches and the class token.
# Patch projection: truncated normal of variance 1/fan_in, bounds at the absolute -2 and 2 of torch. Attention as
# torch.nn.MultiheadAttention: xavier over the fused (3E, E) matrix, Linear default for the output. Head: zeros.
# torchvision, models/vision_transformer.py, MLPBlock, Encoder and VisionTransformer.__init__.
_BLOCK = "encoder.layers.encoder_layer_<0-11>"
_PATCHES = ("trunc_normal", {"std": math.sqrt(1 / (3 * 16 * 16)), "a": -2.0, "b": 2.0})
_TINY_BIAS = ("normal", {"std": 1e-6})

VIT_B_16: Architecture = _architecture(
    "Dosovitskiy et al. 2021; torchvision vit_b_16",
    ("token", "class_token", (1, 1, 768), ZEROS),
    ("patches", "conv_proj.weight", (768, 3, 16, 16), _PATCHES),
    ("bias", "conv_proj.bias", (768,), ZEROS),
    ("position", "encoder.pos_embedding", (1, 197, 768), NORMAL),
    ("norm", f"{_BLOCK}.ln_1.weight", (768,), ONES),
    ("bias", f"{_BLOCK}.ln_1.bias", (768,), ZEROS),
    ("attention in", f"{_BLOCK}.self_attention.in_proj_weight", (2304, 768), XAVIER),
    ("bias", f"{_BLOCK}.self_attention.in_proj_bias", (2304,), ZEROS),
    ("attention out", f"{_BLOCK}.self_attention.out_proj.weight", (768, 768), TORCH_LINEAR),
    ("bias", f"{_BLOCK}.self_attention.out_proj.bias", (768,), ZEROS),
    ("norm", f"{_BLOCK}.ln_2.weight", (768,), ONES),
    ("bias", f"{_BLOCK}.ln_2.bias", (768,), ZEROS),
    ("mlp", f"{_BLOCK}.mlp.0.weight", (3072, 768), XAVIER),
    ("mlp bias", f"{_BLOCK}.mlp.0.bias", (3072,), _TINY_BIAS),
    ("mlp", f"{_BLOCK}.mlp.3.weight", (768, 3072), XAVIER),
    ("mlp bias", f"{_BLOCK}.mlp.3.bias", (768,), _TINY_BIAS),
    ("norm", "encoder.ln.weight", (768,), ONES),
    ("bias", "encoder.ln.bias", (768,), ZEROS),
    ("head", "heads.head.weight", (1000, 768), ZEROS),
    ("bias", "heads.head.bias", (1000,), ZEROS),
)

# Llama 3 8B: 32 blocks, width 4096, 8 of 32 heads for keys and values, 128256 tokens, no biases, untied output.
# N(0, initializer_range = 0.02), norms 1. transformers, PreTrainedModel._init_weights and LlamaConfig.
LLAMA_3_8B: Architecture = _architecture(
    "Dubey et al. 2024; transformers LlamaForCausalLM",
    ("embedding", "model.embed_tokens.weight", (128256, 4096), NORMAL),
    ("attention", "model.layers.<0-31>.self_attn.q_proj.weight", (4096, 4096), NORMAL),
    ("attention", "model.layers.<0-31>.self_attn.k_proj.weight", (1024, 4096), NORMAL),
    ("attention", "model.layers.<0-31>.self_attn.v_proj.weight", (1024, 4096), NORMAL),
    ("attention", "model.layers.<0-31>.self_attn.o_proj.weight", (4096, 4096), NORMAL),
    ("mlp", "model.layers.<0-31>.mlp.gate_proj.weight", (14336, 4096), NORMAL),
    ("mlp", "model.layers.<0-31>.mlp.up_proj.weight", (14336, 4096), NORMAL),
    ("mlp", "model.layers.<0-31>.mlp.down_proj.weight", (4096, 14336), NORMAL),
    ("norm", "model.layers.<0-31>.input_layernorm.weight", (4096,), ONES),
    ("norm", "model.layers.<0-31>.post_attention_layernorm.weight", (4096,), ONES),
    ("norm", "model.norm.weight", (4096,), ONES),
    ("output", "lm_head.weight", (128256, 4096), NORMAL),
)

ARCHITECTURES: dict[str, Architecture] = {"gpt2": GPT2, "resnet50": RESNET50, "vit-b-16": VIT_B_16, "llama-3-8b": LLAMA_3_8B}
