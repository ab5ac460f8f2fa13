"""FSDP2, on CUDA where there is a device and else on CPUs: made on meta, sharded, filled where the shards are. Each rank's part
is a part of the array that one process makes on a CPU, so nothing need be sent or saved to have the same weights elsewhere.

    torchrun --nproc-per-node 8 fsdp_devices.py
"""

import os
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import fastinit as fi
import fastinit.torch

device = "cuda" if torch.cuda.is_available() else "cpu"
if "RANK" in os.environ:
    dist.init_process_group()
else:  # one process by itself
    dist.init_process_group("nccl" if device == "cuda" else "gloo", init_method=f"file://{tempfile.mkdtemp()}/store", rank=0,
                            world_size=1)
if device == "cuda":
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))

with torch.device("meta"):
    model = nn.Sequential(nn.Linear(1024, 4096), nn.GELU(), nn.Linear(4096, 1024))
fully_shard(model, mesh=init_device_mesh(device, (dist.get_world_size(),)))
rules = {"*.bias": fi.Zeros(), "*": fi.TruncNormal(std=0.02, bounds="std")}
fastinit.torch.materialize(model, rules, seed=0)

# The CPU's twin of this rank's rows: FSDP cuts the first axis.
part = model[0].weight.to_local()
rows = -(-4096 // dist.get_world_size())
twin = fi.trunc_normal(tuple(part.shape), std=0.02, bounds="std", seed=0, name="0.weight", global_shape=(4096, 1024),
                       offset=(dist.get_rank() * rows, 0))
assert (part.detach().cpu().numpy() == twin).all()
dist.destroy_process_group()
