"""A weight over eight devices: each gets its own block, and together they are the one array."""

import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"  # eight devices made of this CPU
import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import fastinit.jax as fj

mesh = jax.make_mesh((4, 2), ("data", "model"))
init, key = fj.lecun_normal(), jax.random.key(0)
w = init(key, (512, 256), "bfloat16", out_sharding=NamedSharding(mesh, PartitionSpec("data", "model")))
print([shard.data.shape for shard in w.addressable_shards][0], bool((np.asarray(w) == init(key, (512, 256), "bfloat16")).all()))
