"""Random weights at the speed of memory, the same to the bit everywhere.

A NumPy buffer goes in; constant, uniform, gaussian, truncated-gaussian, Xavier or Kaiming values come out in place. Element
i of tensor `name` under a seed is one fixed bit pattern, whatever the CPU, instruction set, number of threads, strides or
shard.
"""

from __future__ import annotations

from . import presets as presets
from . import slices as slices
from .core._kernels import STREAM_VERSION
from .core.calls import INITIALIZERS, words
from .core.config import on_demand as __getattr__  # noqa: F401
from .core.config import show_config
from .core.elementwise import (
    constant, constant_, kaiming_normal, kaiming_normal_, kaiming_uniform, kaiming_uniform_, lecun_normal, lecun_normal_,
    lecun_uniform, lecun_uniform_, normal, normal_, ones, ones_, trunc_normal, trunc_normal_, uniform, uniform_,
    variance_scaling, variance_scaling_, xavier_normal, xavier_normal_, xavier_uniform, xavier_uniform_, zeros, zeros_,
)
from .core.explain import Explanation, explain
from .core.fans import Fans, calculate_fans, calculate_gain
from .core.streams import Rng, Seed, default_rng, manual_seed
from .core.structured import (
    bilinear, bilinear_, delta_orthogonal, delta_orthogonal_, dirac, dirac_, eye, eye_, orthogonal, orthogonal_, sparse,
    sparse_,
)
from .models.presets import PRESETS
from .models.rules import (
    Bilinear, Constant, DeltaOrthogonal, Dirac, Eye, KaimingNormal, KaimingUniform, LecunNormal, LecunUniform, Normal, Ones,
    Orthogonal, Rule, Sparse, TruncNormal, Uniform, VarianceScaling, XavierNormal, XavierUniform, Zeros, fill,
)

__all__ = [
    "Bilinear", "BitGenerator", "Constant", "DeltaOrthogonal", "Dirac", "Explanation", "Eye", "Fans", "INITIALIZERS",
    "KaimingNormal", "KaimingUniform", "LecunNormal", "LecunUniform", "Normal", "Ones", "Orthogonal", "PRESETS", "Rng",
    "Rule", "STREAM_VERSION", "Seed", "Sparse", "TruncNormal", "Uniform", "VarianceScaling", "XavierNormal",
    "XavierUniform", "Zeros", "bilinear", "bilinear_", "calculate_fans", "calculate_gain", "constant", "constant_",
    "default_rng", "delta_orthogonal", "delta_orthogonal_", "dirac", "dirac_", "explain", "eye", "eye_", "fill",
    "kaiming_normal", "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "lecun_normal", "lecun_normal_",
    "lecun_uniform", "lecun_uniform_", "manual_seed", "normal", "normal_", "ones", "ones_", "orthogonal", "orthogonal_",
    "show_config", "sparse", "sparse_", "trunc_normal", "trunc_normal_", "uniform", "uniform_", "variance_scaling",
    "variance_scaling_", "words", "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros", "zeros_",
]
