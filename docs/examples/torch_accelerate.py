"""A torch model, built faster and the same on every run, with no change to its code."""

import torch
from torch import nn

import fastinit.torch


def build():
    model = nn.Sequential(nn.Embedding(1000, 64), nn.TransformerEncoderLayer(64, 4), nn.Linear(64, 1000))
    nn.init.trunc_normal_(model[2].weight, std=0.02, a=-0.04, b=0.04)
    return model


with fastinit.torch.accelerate(seed=0):
    a = build()
with fastinit.torch.accelerate(seed=0):
    b = build()
assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
