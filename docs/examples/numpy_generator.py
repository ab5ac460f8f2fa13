"""All of NumPy's distributions on fastinit's words, and workers with streams of their own."""

import numpy as np

import fastinit as fi

bits = fi.BitGenerator(seed=0, name="noise")
rng = np.random.Generator(bits)
print(rng.gamma(2.0, size=3), rng.permutation(5))

workers = [np.random.Generator(child) for child in bits.spawn(4)]
print([int(worker.integers(100)) for worker in workers])
