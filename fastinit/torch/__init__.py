"""fastinit for torch: `torch.nn.init` by the same names, models built faster, models without memory, DTensors.

Values are those of `fastinit` for the same seed and name, sharded or not. torch >= 2.4; for DTensors torch >= 2.6.
"""

from collections.abc import Callable

import torch.nn.init

# What has no random numbers is torch's own, which is as fast.
from torch.nn.init import calculate_gain, constant_, dirac_, eye_, ones_, zeros_

from .acceleration import accelerate
from .init import (
    kaiming_normal, kaiming_normal_, kaiming_uniform, kaiming_uniform_, normal, normal_, orthogonal, orthogonal_, sparse,
    sparse_, trunc_normal_, uniform, uniform_, xavier_normal, xavier_normal_, xavier_uniform, xavier_uniform_,
)
from .materialization import materialize

constant: Callable[..., torch.Tensor] = torch.nn.init.constant
dirac: Callable[..., torch.Tensor] = torch.nn.init.dirac
eye: Callable[..., torch.Tensor] = torch.nn.init.eye

__all__ = [
    "accelerate", "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "materialize", "normal", "normal_", "ones_", "orthogonal",
    "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_",
    "xavier_uniform", "xavier_uniform_", "zeros_",
]
