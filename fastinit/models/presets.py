"""What other frameworks do by default, as data: for each kind of layer the rules of weight and bias, and where that is written.

Equal in distribution, not in bits. Shapes are stored as that framework stores them, and read as it reads them: torch, for one,
takes the stored axes of a grouped or a transposed convolution for its channels.
"""

from __future__ import annotations

import glob
import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..core.explain import explain
from ..core.public import public_in
from ..core.memory import array_of
from .rules import (
    KaimingNormal, KaimingUniform, LecunNormal, LecunUniform, Normal, Rule, TruncNormal, Uniform, VarianceScaling,
    XavierUniform, Zeros, fill,
)
from ..core.streams import Seed

__all__ = ["PRESETS", "Preset"]


@public_in("fastinit.presets")
class Preset(NamedTuple):
    """How a framework fills one kind of layer: rules, as the entries of `PRESETS` have them, and two ways to apply them.

    Attributes
    ----------
    weight : Rule
        Of the weight, kernel or embedding.
    bias : Rule or None
        Of the bias; None where such a layer has none. A rule that is scaled by fans takes the weight's fan_in.
    source : str
        Where it is written.

    Examples
    --------
    >>> import fastinit as fi
    >>> fi.PRESETS["keras_embedding"].weight
    Uniform(-0.05, 0.05)
    """

    weight: Rule
    bias: Rule | None
    source: str

    def rules(self, name: str, shape: int | Sequence[int]) -> dict[str, Rule]:
        """Rules for `fill`: of the tensors ``name.weight`` and ``name.bias``.

        Parameters
        ----------
        name : str
            The layer's.
        shape : int or sequence of int
            The weight's, which the bias may depend on; the whole one if it is sharded.

        Returns
        -------
        dict of str to Rule

        Raises
        ------
        TypeError, ValueError
            Naming the argument, what was expected and what came: a shape that has no fans, say.

        Examples
        --------
        >>> import fastinit as fi, numpy as np
        >>> fi.PRESETS["keras_dense"].rules("fc", (300, 10))
        {'fc.weight': XavierUniform(layout='IO'), 'fc.bias': Zeros()}
        >>> model = {"fc.weight": np.empty((10, 400), "f4"), "fc.bias": np.empty(10, "f4")}
        >>> _ = fi.fill(model, fi.PRESETS["torch_linear"].rules("fc", (10, 400)), seed=0)
        >>> bool(abs(model["fc.bias"]).max() < 0.05)
        True
        """
        prefix = glob.escape(f"{name}." if name else "")
        found = {prefix + "weight": self.weight}
        if self.bias is not None:
            found[prefix + "bias"] = self._bias(shape)
        return found

    def _bias(self, shape: int | Sequence[int]) -> Rule:
        assert self.bias is not None
        if "fan_in" not in inspect.signature(self.bias.initializer).parameters:
            return self.bias
        fan_in = explain(self.weight.initializer, shape, *self.weight.args, **self.weight.options).fan_in
        if not fan_in:  # as torch has it
            return Zeros()
        return Rule(self.bias.initializer, self.bias.args, {**self.bias.options, "fan_in": fan_in})

    def __call__(self, weight: Any, bias: Any = None, *, seed: Seed = None, name: str = "", num_threads: int | None = None,
                 dtype: Any = None) -> Mapping[str, Any]:
        """Fill a layer in place, as `fill` would with these names and rules.

        Parameters
        ----------
        weight, bias : ndarray or writable buffer
            `bias` is None where the layer has none.
        seed, num_threads, dtype
            As for `fill`.
        name : str
            The layer's: its tensors are ``name.weight`` and ``name.bias``.

        Returns
        -------
        mapping
            The tensors by name.

        Raises
        ------
        TypeError, ValueError
            Naming the tensor or argument, what was expected and what came; then nothing was written.

        Examples
        --------
        >>> import fastinit as fi, numpy as np
        >>> w, b = np.empty((10, 400), "f4"), np.empty(10, "f4")
        >>> layer = fi.PRESETS["torch_linear"](w, b, seed=0, name="fc")
        >>> list(layer)
        ['fc.weight', 'fc.bias']
        """
        if bias is not None and self.bias is None:
            raise ValueError("bias: expected None, as this layer has none, got a tensor")
        prefix = f"{name}." if name else ""
        arrays = {prefix + "weight": weight} | ({} if bias is None else {prefix + "bias": bias})
        shape = array_of(weight).shape
        return fill(arrays, self.rules(name, shape), seed=seed, num_threads=num_threads, dtype=dtype)


_torch = KaimingUniform(a=math.sqrt(5))  # U(-1/sqrt(fan_in), 1/sqrt(fan_in))

#: By framework and kind of layer. An entry's ``rules`` are for `fastinit.fill`; called, it fills a layer.
PRESETS: dict[str, Preset] = {
    "torch_linear": Preset(_torch, _torch, "torch 2.13, nn/modules/linear.py: Linear.reset_parameters"),
    "torch_conv": Preset(_torch, _torch, "torch 2.13, nn/modules/conv.py: _ConvNd.reset_parameters, of transposed ones too"),
    "torch_embedding": Preset(Normal(), None, "torch 2.13, nn/modules/sparse.py: Embedding.reset_parameters"),
    "keras_dense": Preset(XavierUniform(layout="IO"), Zeros(), "Keras 3.15, layers/core/dense.py: Dense"),
    "keras_conv": Preset(XavierUniform(layout="IO"), Zeros(), "Keras 3.15, layers/convolutional/base_conv.py: BaseConv"),
    "keras_embedding": Preset(Uniform(-0.05, 0.05), None, "Keras 3.15, layers/core/embedding.py: Embedding"),
    "flax_dense": Preset(LecunNormal(layout="IO"), Zeros(), "Flax 0.12, nnx/nn/linear.py: Linear"),
    "flax_conv": Preset(LecunNormal(layout="IO"), Zeros(), "Flax 0.12, nnx/nn/linear.py: Conv"),
    "flax_embed": Preset(VarianceScaling(1.0, "fan_in", "normal", in_axis=1, out_axis=0), None,
                         "Flax 0.12, nnx/nn/linear.py: Embed, whose in_axis=-2, out_axis=0 make the features the fan"),
    "caffe_xavier": Preset(LecunUniform(), Zeros(), "Caffe, filler.hpp: XavierFiller, FAN_IN; biases 0"),
    "caffe_msra": Preset(KaimingNormal(nonlinearity="relu"), Zeros(), "Caffe, filler.hpp: MSRAFiller, FAN_IN; biases 0"),
    "mxnet_xavier": Preset(XavierUniform(), Zeros(), "MXNet 1.x, initializer.py: Xavier (uniform, avg, 3)"),
    "timm_vit": Preset(TruncNormal(std=0.02), Zeros(), "timm, vision_transformer.py: init_weights_vit_timm; bounds absolute"),
    "gpt2": Preset(Normal(std=0.02), Zeros(), "transformers, modeling_gpt2.py: GPT2PreTrainedModel._init_weights"),
    "gpt2_residual": Preset(Normal(std=0.02 / math.sqrt(2 * 12)), Zeros(), "the same, c_proj of the 12 blocks of GPT-2 small"),
}
