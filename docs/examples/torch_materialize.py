"""A torch model made without memory, then filled by rules; each value depends on the seed and the parameter's name alone."""

import torch
from torch import nn

import fastinit as fi
import fastinit.torch

with torch.device("meta"):
    model = nn.Sequential(nn.Linear(1024, 4096), nn.GELU(), nn.LayerNorm(4096), nn.Linear(4096, 1024))
# Here torch.distributed.fsdp.fully_shard(model) may come: each rank then fills its shards, and no rank holds the whole.

rules = {"*.bias": fi.Zeros(), "2.weight": fi.Ones(), "*": fi.Normal(std=0.02)}
fastinit.torch.materialize(model, rules, seed=0)

w = fi.normal((4096, 1024), std=0.02, seed=0, name="0.weight")
assert (model[0].weight.detach().numpy() == w).all()
