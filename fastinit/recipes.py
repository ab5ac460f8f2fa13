"""Recipes: the rules that language models are trained with, from a model's few numbers, for the names of several libraries.

A recipe gives rules for `fastinit.fill`, `fastinit.torch.materialize` and `fastinit.safetensors.create`. `NAMES` says what a
library calls each part, so that a model and its checkpoint under other names are initialized alike, part by part.

Examples
--------
>>> import fastinit as fi, fastinit.recipes, numpy as np
>>> model = {f"h.{i}.mlp.c_proj.weight": np.empty((3072, 768), "f4") for i in range(12)}
>>> _ = fi.fill(model, fi.recipes.gpt2(depth=12), seed=0)
>>> round(float(model["h.3.mlp.c_proj.weight"].std()), 4)
0.0041
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .core.arguments import choice, integer, number, shown
from .models.rules import AnyRule, Constant, Normal, Ones, Rule, TruncNormal, Zeros

__all__ = ["NAMES", "gpt2", "llama", "neox", "t5", "torchtitan_llama"]

# What each part is called, below the model's own prefix. `gate`, `up` and `down` are of a gated feed-forward layer, whose
# ungated form has `up` and `down`.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "transformers.gpt2": {
        "embedding": ("wte.weight",), "position": ("wpe.weight",),
        "query_key_value": ("h.{layer}.attn.c_attn.weight",),
        "attention_output": ("h.{layer}.attn.c_proj.weight",), "up": ("h.{layer}.mlp.c_fc.weight",),
        "down": ("h.{layer}.mlp.c_proj.weight",), "norm": ("h.{layer}.ln_?.weight", "ln_f.weight"),
        "head": ("lm_head.weight",)},
    "transformers.neox": {
        "embedding": ("embed_in.weight",), "query_key_value": ("layers.{layer}.attention.query_key_value.weight",),
        "attention_output": ("layers.{layer}.attention.dense.weight",), "up": ("layers.{layer}.mlp.dense_h_to_4h.weight",),
        "down": ("layers.{layer}.mlp.dense_4h_to_h.weight",),
        "norm": ("layers.{layer}.*_layernorm.weight", "final_layer_norm.weight"),
        "head": ("embed_out.weight", "lm_head.weight")},
    "transformers.llama": {
        "embedding": ("embed_tokens.weight",), "query_key_value": ("layers.{layer}.self_attn.[qkv]_proj.weight",),
        "attention_output": ("layers.{layer}.self_attn.o_proj.weight",), "gate": ("layers.{layer}.mlp.gate_proj.weight",),
        "up": ("layers.{layer}.mlp.up_proj.weight",), "down": ("layers.{layer}.mlp.down_proj.weight",),
        "norm": ("layers.{layer}.*_layernorm.weight", "norm.weight"), "head": ("lm_head.weight",)},
    "torchtitan.llama": {
        "embedding": ("tok_embeddings.weight",), "query_key_value": ("layers.{layer}.attention.*w[qkv].weight",
                                                                     "layers.{layer}.attention.*wqkv.weight"),
        "attention_output": ("layers.{layer}.attention.wo.weight",), "gate": ("layers.{layer}.feed_forward.w1.weight",),
        "up": ("layers.{layer}.feed_forward.w3.weight",), "down": ("layers.{layer}.feed_forward.w2.weight",),
        "norm": ("layers.{layer}.*_norm.weight", "norm.weight"), "head": ("output.weight", "lm_head.weight")},
    "megatron": {
        "embedding": ("embedding.word_embeddings.weight",), "position": ("embedding.position_embeddings.weight",),
        "query_key_value": ("decoder.layers.{layer}.self_attention.linear_qkv.weight",),
        "attention_output": ("decoder.layers.{layer}.self_attention.linear_proj.weight",),
        "up": ("decoder.layers.{layer}.mlp.linear_fc1.weight",), "down": ("decoder.layers.{layer}.mlp.linear_fc2.weight",),
        "norm": ("*layer_norm_weight", "*_layernorm.weight"), "head": ("output_layer.weight",)},
}
_BIAS = ("*.bias", "*layer_norm_bias")


def _spread(value: float, name: str) -> float:
    if not 0 <= (x := number(value, name)) < math.inf:
        raise ValueError(f"{name}: expected a finite number >= 0, got {shown(value)}")
    return x


def _rules(names: str, parts: Mapping[str, AnyRule]) -> dict[str, AnyRule]:
    """Of each part, by the names of a library, with and without what comes before them; biases are zero, norms one."""
    own = NAMES[choice(names, "names", *NAMES)]
    rules: dict[str, AnyRule] = dict.fromkeys(_BIAS, Zeros())
    for part, patterns in own.items():
        for pattern in patterns:
            law = Ones() if part == "norm" else parts[part]
            rules[pattern] = law
            rules[f"*.{pattern}"] = law
    return rules


_INPUTS = ("embedding", "position", "query_key_value", "gate", "up", "head")
_OUTPUTS = ("attention_output", "down")


def gpt2(depth: int, *, std: float = 0.02, names: str = "transformers.gpt2") -> dict[str, AnyRule]:
    """GPT-2's and Megatron-LM's: N(0, std), what is added to the residual stream N(0, std / sqrt(2 depth)).

    Parameters
    ----------
    depth : int >= 1
        Layers; each adds twice to the residual stream.
    std : float >= 0
    names : str
        One of `NAMES`.

    Returns
    -------
    dict of str to Rule
        Biases are zero, norms one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.3. In transformers `GPT2Model`, in
    Megatron-LM `init_method_normal` and `scaled_init_method_normal`. Without the scaling the variance of the residual stream
    grows with the depth.

    Examples
    --------
    >>> import fastinit.recipes
    >>> fastinit.recipes.gpt2(8)["h.{layer}.mlp.c_proj.weight"]
    Normal(std=0.005)
    """
    depth, std = integer(depth, "depth", 1), _spread(std, "std")
    scaled = Normal(std=std / math.sqrt(2 * depth))
    return _rules(names, dict.fromkeys(_INPUTS, Normal(std=std)) | dict.fromkeys(_OUTPUTS, scaled))


def neox(depth: int, width: int, *, names: str = "transformers.neox") -> dict[str, AnyRule]:
    """GPT-NeoX-20B's: standard deviations of sqrt(2 / (5 width)) and, for outputs, 2 / (depth sqrt(width)).

    Parameters
    ----------
    depth, width : int >= 1
        Layers, and the size of the residual stream.
    names : str
        One of `NAMES`.

    Returns
    -------
    dict of str to Rule
        Biases are zero, norms one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Nguyen and Salazar, "Transformers without tears", 2019; Black et al., "GPT-NeoX-20B", 2022, section 2.1.2. In gpt-neox
    `small_init_init_method` and `wang_init_method`; transformers' own start of `GPTNeoXModel` is another one, N(0, 0.02^2).

    Examples
    --------
    >>> import fastinit.recipes
    >>> fastinit.recipes.neox(4, 1000)["embed_in.weight"]
    Normal(std=0.02)
    """
    depth, width = integer(depth, "depth", 1), integer(width, "width", 1)
    small, wang = Normal(std=math.sqrt(2 / (5 * width))), Normal(std=2 / depth / math.sqrt(width))
    return _rules(names, dict.fromkeys(_INPUTS, small) | dict.fromkeys(_OUTPUTS, wang))


def llama(*, std: float = 0.02, names: str = "transformers.llama") -> dict[str, AnyRule]:
    """transformers' for Llama and most decoders since: N(0, std) everywhere, whatever the depth.

    Parameters
    ----------
    std : float >= 0
        `initializer_range` of a configuration.
    names : str
        One of `NAMES`.

    Returns
    -------
    dict of str to Rule
        Biases are zero, norms one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    transformers, `PreTrainedModel._init_weights`.

    Examples
    --------
    >>> import fastinit.recipes
    >>> fastinit.recipes.llama()["lm_head.weight"]
    Normal(std=0.02)
    """
    law = Normal(std=_spread(std, "std"))
    return _rules(names, dict.fromkeys([*_INPUTS, *_OUTPUTS], law))


def torchtitan_llama(width: int, *, std: float = 0.02, names: str = "torchtitan.llama") -> dict[str, AnyRule]:
    """torchtitan's for Llama 3: outputs and `up` scaled by the layer's own index, the head by the width.

    Parameters
    ----------
    width : int >= 1
        Size of the residual stream.
    std : float > 0
    names : str
        One of `NAMES`.

    Returns
    -------
    dict of str to Rule
        Biases are zero, norms one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Embedding N(0, 1). Queries, keys, values and gate: a gaussian of standard deviation ``std``; attention's output, `up` and
    `down` of layer l, from 0 on: std / sqrt(2 (l + 1)); all these cut at -2 and 2. Head: width^-0.5, cut at three of these.
    torchtitan 0.3.0, `models/llama3/__init__.py` and `depth_scaled_std`.

    Examples
    --------
    >>> import fastinit.recipes
    >>> rules = fastinit.recipes.torchtitan_llama(4096)
    >>> rules["layers.{layer}.feed_forward.w2.weight"](layer=7)
    TruncNormal(std=0.005)
    >>> rules["output.weight"]
    TruncNormal(std=0.015625, a=-3.0, b=3.0, bounds='std')
    """
    width, std = integer(width, "width", 1), _spread(std, "std")

    def scaled(layer: int) -> Rule:
        return TruncNormal(std=std / math.sqrt(2 * (layer + 1)))

    parts: dict[str, AnyRule] = {"embedding": Normal(), "position": Normal(), "query_key_value": TruncNormal(std=std),
                                 "gate": TruncNormal(std=std), "up": scaled, "attention_output": scaled, "down": scaled,
                                 "head": TruncNormal(std=width**-0.5, a=-3.0, b=3.0, bounds="std")}
    return _rules(names, parts)


def t5(width: int, feed_forward: int, heads: int, head_width: int, *, factor: float = 1.0) -> dict[str, AnyRule]:
    """T5's and Mesh TensorFlow's: each matrix by its inputs; queries also by the width of a head, as attention does not divide.

    Parameters
    ----------
    width, feed_forward, heads, head_width : int >= 1
        `d_model`, `d_ff`, `num_heads` and `d_kv` of a configuration.
    factor : float >= 0
        `initializer_factor`, by which everything is multiplied.

    Returns
    -------
    dict of str to Rule
        By transformers' names of `T5Model` and its kin. Biases are zero.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was expected and what came.

    Notes
    -----
    Standard deviations: embedding 1; query (width head_width)^-0.5; key, value, first layers of feed-forward and the relative
    biases width^-0.5; attention's output (heads head_width)^-0.5; second layers feed_forward^-0.5. Raffel et al., "Exploring
    the limits of transfer learning", 2020; transformers, `T5PreTrainedModel._init_weights`.

    Examples
    --------
    >>> import fastinit.recipes
    >>> fastinit.recipes.t5(512, 2048, 8, 64)["*.SelfAttention.q.weight"]
    Normal(std=0.005524271728019903)
    """
    width, feed_forward = integer(width, "width", 1), integer(feed_forward, "feed_forward", 1)
    heads, head_width = integer(heads, "heads", 1), integer(head_width, "head_width", 1)
    factor = _spread(factor, "factor")
    of = {"q": width * head_width, "k": width, "v": width, "o": heads * head_width, "relative_attention_bias": width}
    rules: dict[str, AnyRule] = {"*.bias": Zeros(), "*layer_norm.weight": Constant(factor)}
    for kind in ("SelfAttention", "EncDecAttention"):
        rules |= {f"*.{kind}.{name}.weight": Normal(std=factor * n**-0.5) for name, n in of.items()}
    rules |= {"*.wi.weight": Normal(std=factor * width**-0.5), "*.wi_[01].weight": Normal(std=factor * width**-0.5),
              "*.wo.weight": Normal(std=factor * feed_forward**-0.5)}
    return rules | dict.fromkeys(("shared.weight", "*.embed_tokens.weight", "lm_head.weight"), Normal(std=factor))
