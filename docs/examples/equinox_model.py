"""An Equinox model whose weights fastinit makes anew: one key for each layer."""

import equinox as eqx
import jax

import fastinit.jax as fj

model = eqx.nn.MLP(in_size=256, out_size=10, width_size=512, depth=2, key=jax.random.key(0))
init = fj.he_normal(in_axis=-1, out_axis=-2)  # Equinox stores (out, in)


def weights(model):
    return [layer.weight for layer in model.layers]


keys = jax.random.split(jax.random.key(1), len(model.layers))
model = eqx.tree_at(weights, model, [init(key, w.shape) for key, w in zip(keys, weights(model))])
print(eqx.filter_jit(model)(jax.numpy.ones(256)).shape, [round(float(w.std()), 3) for w in weights(model)])
