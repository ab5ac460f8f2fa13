"""DTensors and FSDP2: whatever the mesh and the placements, the shards together are the tensor that one process makes.

pytest starts a process that imports torch and forks the ranks; each runs `main` below, on gloo, and compares its shards and the
assembled tensors with fastinit's own arrays.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
import time
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fastinit as fi  # noqa: E402
import fastinit.torch as ft  # noqa: E402
from test_torch import bits  # noqa: E402


WORLDS = (1, 2, 4)


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("torch without gloo")
    command = [sys.executable, __file__, str(tmp_path_factory.mktemp("stores"))]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=170).stdout


@pytest.mark.parametrize("world", WORLDS)
def test_every_sharding_is_one_process(world, output):
    assert f"of {world}: exit codes {[0] * world}\n" in output, output
    # 10 ways of sharding: all cases, and 4 tensors; a refusal; two models of 7 parameters, and what they give.
    compared = 10 * (len(CASES) + 4) + 1 + 2 * (7 + 1)
    assert all(f"rank {rank} of {world}: compared {compared}\n" in output for rank in range(world)), output


CASES = [
    ("normal_", (7, 5), "float32", {"std": 0.02}),
    ("normal_", (8, 6), "bfloat16", {"mean": 1.0}),
    ("uniform_", (5, 9), "float64", {}),
    ("trunc_normal_", (300, 41), "float32", {"std": 0.5, "a": -0.4, "b": 0.6}),  # more than a block of redraws
    ("xavier_uniform_", (6, 3, 2, 3), "float32", {"gain": 2.0}),  # fans of the whole; an empty shard on 4 ranks
    ("kaiming_normal_", (9, 8), "float16", {"mode": "fan_out"}),
    ("orthogonal_", (6, 10), "float32", {}),
    ("sparse_", (9, 7), "float32", {"sparsity": 0.4}),
]


class Worker:
    def __init__(self, world):
        from torch.distributed.tensor import Replicate, Shard, init_device_mesh
        from torch.distributed.tensor.placement_types import _StridedShard

        self.world, self.compared = world, 0
        line = init_device_mesh("cpu", (world,), mesh_dim_names=("dp",))
        self.sharded = [(line, [Shard(0)]), (line, [Shard(1)]), (line, [Replicate()])]
        self.grid = init_device_mesh("cpu", (2 if world == 4 else 1, min(world, 2)), mesh_dim_names=("dp", "tp"))
        self.sharded += [(self.grid, placements) for placements in (
            [Replicate(), Shard(0)], [Shard(1), Replicate()], [Shard(0), Shard(1)], [Shard(1), Shard(0)], [Shard(0), Shard(0)],
            # What FSDP makes of tensor parallelism; alone, the rows of a rank are in several runs.
            [_StridedShard(0, split_factor=self.grid.size(1)), Shard(0)], [_StridedShard(0, split_factor=2), Replicate()])]
        self.line = line

    def empty(self, shape, dtype, mesh, placements):
        from torch.distributed.tensor import distribute_tensor

        return distribute_tensor(torch.full(shape, 7.0, dtype=getattr(torch, dtype)), mesh, placements, src_data_rank=None)

    def compare(self, found, expected):
        """The assembled tensor, and this rank's part, with an array that knows of no ranks."""
        whole = bits(found.full_tensor())
        assert whole.dtype == expected.dtype and (whole == expected).all(), (found.placements, found.device_mesh)
        (chunk,) = found.__create_chunk_list__()  # torch's own word on where the part lies
        if all(type(p).__name__ != "_StridedShard" for p in found.placements):
            part = expected[tuple(slice(a, a + n) for a, n in zip(chunk.offsets, chunk.sizes))]
            assert (bits(found.to_local()) == part).all()
        self.compared += 1

    def drop_ins(self):
        for name, shape, dtype, options in CASES:
            expected = getattr(fi, name[:-1])(shape, dtype=dtype, seed=5, name="w", **options)
            for mesh, placements in self.sharded:
                w = self.empty(shape, dtype, mesh, placements)
                before = w._version
                assert getattr(ft, name)(w, seed=5, name="w", **options) is w and w._version == before + 1
                self.compare(w, expected)

    def generators(self):
        """Ranks that were seeded alike, without a seed of fastinit's; also within accelerate."""
        torch.manual_seed(3)
        expected = bits(ft.kaiming_uniform_(torch.empty(9, 6)))
        for mesh, placements in self.sharded:
            torch.manual_seed(3)
            self.compare(ft.kaiming_uniform_(self.empty((9, 6), "float32", mesh, placements)), expected)
            rng = fi.Rng(1)
            with ft.accelerate(seed=1):
                w = self.empty((9, 6), "float32", mesh, placements)
                self.compare(torch.nn.init.trunc_normal_(w, std=0.5, a=-1.0, b=1.0),
                             rng.trunc_normal((9, 6), std=0.5, a=-1.0, b=1.0))
                self.compare(w.normal_(0.0, 0.5), rng.normal((9, 6), 0.0, 0.5))
                torch.nn.init.constant_(w, 2.0)
                self.compare(w, np.full((9, 6), 2.0, "f4"))

    def partial(self):
        from torch.distributed.tensor import DTensor, Partial

        w = DTensor.from_local(torch.ones(3, 3), self.line, [Partial()])
        try:
            ft.normal_(w, seed=0)
        except TypeError as error:
            assert "Partial" in str(error)
        else:
            raise AssertionError("a sum of shards was filled")
        self.compared += 1

    def models(self):
        """FSDP2 alone, and on top of tensor parallelism, from the meta device."""
        from torch.distributed.fsdp import fully_shard
        from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

        rules = {"*.bias": fi.Zeros(), "*norm*": fi.Ones(), "*.1.weight": fi.Orthogonal(), "*": fi.KaimingUniform(5**0.5)}

        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = torch.nn.Sequential(torch.nn.Linear(10, 12), torch.nn.Linear(12, 10))
                self.norm = torch.nn.LayerNorm(10)
                self.head = torch.nn.Linear(10, 7, bias=False)
                self.embedding = torch.nn.Embedding(7, 10)
                self.embedding.weight = self.head.weight
                self.register_buffer("steps", torch.arange(4))

            def forward(self, x):
                return self.head(self.norm(self.layers(x)))

        names = dict.fromkeys(["layers.0.weight", "layers.1.weight", "head.weight"])
        with torch.device("meta"):
            plain = Net()
        plain.steps = torch.arange(4)
        ft.materialize(plain, rules, seed=2)
        shapes = {name: parameter for name, parameter in plain.named_parameters()}
        assert names.keys() <= shapes.keys()
        for parallel in (False, True):
            with torch.device("meta"):
                model = Net()
            model.steps = torch.arange(4)
            if parallel:
                parallelize_module(model, self.grid["tp"], {"layers.0": ColwiseParallel(), "layers.1": RowwiseParallel()})
            mesh = self.grid["dp"] if parallel else self.line
            fully_shard(model.layers[0], mesh=mesh)
            fully_shard(model, mesh=mesh)
            assert ft.materialize(model, rules, seed=2) is model
            assert model.head.weight is model.embedding.weight and model.steps.tolist() == [0, 1, 2, 3]
            for name, parameter in model.named_parameters():
                assert type(parameter.detach()).__name__ == "DTensor" and not parameter.is_meta
                self.compare(parameter, bits(shapes[name]))
            x = torch.ones(3, 10)
            torch.testing.assert_close(model(x), plain(x))  # FSDP runs on what was filled
            self.compared += 1


def main(rank, world, store):
    warnings.simplefilter("ignore")
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    worker = Worker(world)
    for part in (worker.drop_ins, worker.generators, worker.partial, worker.models):
        part()
    print(f"rank {rank} of {world}: compared {worker.compared}\n", end="")  # in one write, as ranks share a pipe
    torch.distributed.barrier()  # none leaves while another still talks to it
    torch.distributed.destroy_process_group()


def launch(folder):
    """The ranks of each world. Being forked, they leave by os._exit and do not finalise the interpreter: gloo's threads outlive
    destroy_process_group, and one that then lets go of a tensor asks for the GIL, whereupon CPython ends it within C++, which
    aborts the process."""
    import torch._dynamo  # what ranks import on use
    import torch.distributed.fsdp
    import torch.distributed.tensor.parallel  # noqa: F401

    for world in WORLDS:
        ranks = [multiprocessing.get_context("fork").Process(target=main, args=(rank, world, f"{folder}/{world}"), daemon=True)
                 for rank in range(world)]
        for rank in ranks:
            rank.start()
        end = time.monotonic() + 50
        for rank in ranks:
            rank.join(max(0.0, end - time.monotonic()))
        print(f"of {world}: exit codes {[rank.exitcode for rank in ranks]}", flush=True)


if __name__ == "__main__":
    launch(*sys.argv[1:])
