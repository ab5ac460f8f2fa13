"""A Flax model whose kernels fastinit makes."""

import jax
from flax import nnx

import fastinit.jax as fj


class Model(nnx.Module):
    def __init__(self, rngs):
        self.up = nnx.Linear(256, 1024, kernel_init=fj.he_normal(), rngs=rngs)
        self.down = nnx.Linear(1024, 256, kernel_init=fj.lecun_normal(), rngs=rngs)

    def __call__(self, x):
        return self.down(nnx.relu(self.up(x)))


model = Model(nnx.Rngs(0))
print(model(jax.numpy.ones((2, 256))).shape, float(model.up.kernel[...].std()))
