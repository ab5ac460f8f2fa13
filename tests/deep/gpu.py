"""What a CUDA device writes, and how fast: one script for one device. It has not been run on one yet.

    python tests/deep/gpu.py [--only golden blocks torch arrays streams speed] [--rounds 7]

Every value is compared with the CPU's, bit by bit; the CPU's are what the other tests are about. Needs torch with CUDA and
``fastinit-kernels[cuda]``; CuPy if it is there. Exit code 0 if all is as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
import golden  # noqa: E402
from cases import CASES, MATRICES  # noqa: E402

import fastinit as fi  # noqa: E402
import fastinit.cuda  # noqa: E402
import fastinit.torch as ft  # noqa: E402
from fastinit.core.dtypes import DTYPES  # noqa: E402

DTYPE = {name: getattr(torch, name) for name in DTYPES}
LAWS = [("uniform", {"a": -1.0, "b": 1.0}), ("uniform", {"a": 3.0, "b": 3.001}), ("normal", {"std": 0.02}),
        ("trunc_normal", {"std": 0.02, "bounds": "std"}), ("trunc_normal", {"a": 0.5, "b": 0.6}),
        ("trunc_normal", {"a": 3.0, "b": 9.0}), ("constant", {"val": 0.3})]
failures: list[str] = []


def check(what: str, holds: bool) -> None:
    if not holds:
        failures.append(what)
        print("FAILED", what, flush=True)


def bits(values) -> np.ndarray:
    """Of a tensor or an array, as unsigned integers."""
    if isinstance(values, torch.Tensor):
        view = {2: torch.int16, 4: torch.int32, 8: torch.int64}[values.element_size()]
        values = values.detach().cpu().contiguous().view(view).numpy()
    return np.ascontiguousarray(values).view(f"u{values.itemsize}")


def on_device(name: str, shape, dtype: str, **options) -> torch.Tensor:
    return getattr(fi.cuda, f"{name}_")(torch.empty(shape, dtype=DTYPE[dtype], device="cuda"), dtype=dtype, **options)


def section_golden() -> None:
    known = golden.load()
    for case in CASES:
        values = on_device(case.initializer, 2**20 + 13, case.dtype, seed=case.seed, name=case.name, **case.options)
        check(case.id, golden.digest_of(bits(values)) == known[case.id])
    for case in MATRICES:
        values = on_device(case.initializer, case.shape, case.dtype, seed=case.seed, name=case.name, gain=case.gain)
        check(case.id, golden.digest_of(bits(values)) == known[case.id])
    print(f"golden: {len(CASES) + len(MATRICES)} digests")


def section_blocks(count: int = 1500) -> None:
    """Random blocks of random tensors, in memory of random strides; what lies between is not touched."""
    rng = np.random.default_rng(7)
    for _ in range(count):
        name, options = LAWS[rng.integers(len(LAWS))]
        dtype = "float32" if options.get("b") == 3.001 else list(DTYPES)[rng.integers(4)]
        whole = tuple(int(n) for n in rng.integers(1, 70, rng.integers(1, 5)))
        if rng.random() < .1:
            whole = (int(rng.integers(1, 300_000)),)
        start = tuple(int(rng.integers(0, n)) for n in whole)
        shape = tuple(int(rng.integers(1, n - first + 1)) for n, first in zip(whole, start))
        order, steps = rng.permutation(len(shape)), rng.integers(1, 3, len(shape))
        padded = [int(shape[axis] * steps[axis]) for axis in order]
        memory = torch.zeros(padded, dtype=DTYPE[dtype], device="cuda")
        block = memory[tuple(slice(None, None, int(steps[axis])) for axis in order)].permute(*np.argsort(order).tolist())
        where = dict(global_shape=whole, offset=start, seed=int(rng.integers(2**40)), name="w")
        getattr(fi.cuda, f"{name}_")(block, dtype=dtype, **where, **options)
        want = getattr(fi, name)(shape, dtype=dtype, **where, **options)
        check(f"{name}{options} {dtype} {whole} {start} {shape} {order} {steps}", (bits(block) == bits(want)).all())
        check("between", int(memory.view(torch.uint8).count_nonzero()) == int(np.count_nonzero(bits(want).view(np.uint8))))
    for start in (2**40 + 5, 2**47 - 2**20):
        values = on_device("normal", 2**20, "float32", global_shape=(2**48,), offset=(start,), seed=1)
        check(f"far {start}", (bits(values) == bits(fi.normal(2**20, global_shape=(2**48,), offset=(start,), seed=1))).all())
    print(f"blocks: {count}")


def section_torch() -> None:
    w = torch.empty(300, 200, device="cuda")
    for name in ("uniform", "normal", "trunc_normal", "xavier_uniform", "kaiming_normal", "orthogonal", "sparse"):
        for dtype in ("float32", "bfloat16"):
            args = (0.5,) if name == "sparse" else ()
            w = getattr(ft, f"{name}_")(torch.empty(300, 200, device="cuda", dtype=DTYPE[dtype]), *args, seed=0, name="w")
            check(f"torch {name}", (bits(w) == bits(getattr(fi, name)((300, 200), *args, dtype=dtype, seed=0, name="w"))).all())
    torch.manual_seed(3)
    here = ft.normal_(torch.empty(1000, device="cuda"))
    torch.manual_seed(3)
    check("torch's default generator", (bits(here) == bits(ft.normal_(torch.empty(1000)))).all())

    def model(device: str) -> torch.nn.Module:
        with torch.device(device):
            return torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.Embedding(50, 64, padding_idx=3),
                                       torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(9, 7)))

    with ft.accelerate(seed=5):
        built = [model("cuda"), model("cpu")]
    check("accelerate", same(*built, only=lambda name: not name.startswith("2.")))
    rules = {"*bias": fi.Zeros(), "*": fi.TruncNormal(std=.02)}
    made = [ft.materialize(model("meta"), rules, seed=1, device=device) for device in ("cuda", "cpu")]
    check("materialize: where", all(p.is_cuda for p in made[0].parameters()))
    check("materialize", same(*made))
    filled = [ft.materialize(model(device), rules, seed=1) for device in ("cuda", "cpu")]
    check("materialize in place", same(*filled))
    dtensors(rules)
    print("torch")


def same(a: torch.nn.Module, b: torch.nn.Module, only=lambda name: True) -> bool:
    others = dict(b.named_parameters())
    return all(bool((bits(local(p)) == bits(local(others[name]))).all()) for name, p in a.named_parameters() if only(name))


def local(p):
    return p.to_local() if hasattr(p, "to_local") else p


def dtensors(rules) -> None:
    """One rank: a mesh of CUDA, fully_shard, and a strided placement by hand."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import Shard, distribute_tensor

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511", RANK="0", WORLD_SIZE="1")
    dist.init_process_group("cuda:nccl,cpu:gloo", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cuda", (1,))
        d = distribute_tensor(torch.empty(40, 30, device="cuda"), mesh, [Shard(0)])
        for name in ("normal", "orthogonal"):
            getattr(ft, f"{name}_")(d, seed=2, name="d")
            check(f"DTensor {name}", (bits(d.to_local()) == bits(getattr(fi, name)((40, 30), seed=2, name="d"))).all())
        made = []
        for place in (mesh, None):
            with torch.device("meta"):
                model = torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.Embedding(50, 64, padding_idx=3))
            made.append(ft.materialize(fully_shard(model, mesh=place) if place else model, rules, seed=1))
        check("fully_shard: where", all(local(p).is_cuda for p in made[0].parameters()))
        check("fully_shard", same(*made))
    finally:
        dist.destroy_process_group()


def section_arrays() -> None:
    try:
        import cupy
    except ImportError:
        print("arrays: no CuPy")
        return
    for dtype in ("float32", "float64", "float16"):
        for w in (cupy.zeros((30, 50), dtype), cupy.zeros((50, 60), dtype)[:, ::2].T):
            fi.cuda.kaiming_normal_(w, seed=4, name="w")
            want = fi.kaiming_normal((30, 50), dtype=dtype, seed=4, name="w")
            check(f"CuPy {dtype}", (bits(cupy.asnumpy(w)) == bits(want)).all())
    w = cupy.zeros(1000, "uint16")
    fi.cuda.normal_(w, seed=1, dtype="bfloat16")
    check("CuPy bfloat16", (cupy.asnumpy(w) == fi.normal(1000, seed=1, dtype="bfloat16")).all())
    for wrong, error in ((np.zeros(3, "f4"), TypeError), (cupy.zeros(3, "i4"), TypeError), (3, TypeError)):
        try:
            fi.cuda.normal_(wrong, seed=1)
            check(f"refused {wrong!r}", False)
        except error:
            pass
    print("arrays: CuPy", cupy.__version__)


def section_streams() -> None:
    static = torch.zeros(1 << 20, device="cuda")
    ft.trunc_normal_(static, seed=8)  # compiled before anything is captured
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        ft.trunc_normal_(static, seed=9)
    static.zero_()
    graph.replay()
    torch.cuda.synchronize()
    check("a captured fill", (bits(static) == bits(fi.trunc_normal(1 << 20, seed=9))).all())
    first, second = torch.cuda.Stream(), torch.cuda.Stream()
    a, b = torch.empty(1 << 24, device="cuda"), torch.empty(1 << 24, device="cuda")
    torch.cuda.synchronize()
    for i in range(5):
        with torch.cuda.stream(first):
            ft.normal_(a, seed=i)
        with torch.cuda.stream(second):
            ft.uniform_(b, seed=i)
    torch.cuda.synchronize()
    for what, x in (("normal", a), ("uniform", b)):
        check(f"two streams: {what}", (bits(x) == bits(getattr(fi, what)(1 << 24, seed=4))).all())
    big = torch.empty(1 << 29, device="cuda")
    torch.cuda.synchronize()
    used, start = torch.cuda.memory_allocated(), time.perf_counter()
    ft.normal_(big, seed=0)
    host = time.perf_counter() - start
    torch.cuda.synchronize()
    took = time.perf_counter() - start
    check(f"no synchronisation: {host * 1e6:.0f} us of {took * 1e6:.0f}", host < took / 2)
    check("no memory", torch.cuda.memory_allocated() == used)
    print(f"streams: a call returns after {host * 1e6:.0f} us")


def ms_each(fill, rounds: int, budget: float = 0.15) -> float:
    """ms of one call: the median over rounds of a loop of calls, by the device's clock."""
    fill()
    torch.cuda.synchronize()
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in "12")

    def timed(calls: int) -> float:
        begin.record()
        for _ in range(calls):
            fill()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / calls

    calls = max(1, min(200, int(1e3 * budget / rounds / max(timed(3), 1e-3))))
    return statistics.median(timed(calls) for _ in range(rounds))


def peers(law: str, x: torch.Tensor):
    """(name, call) of what else fills it."""
    if law == "trunc_normal":
        yield "torch", lambda: torch.nn.init.trunc_normal_(x, 0.0, 1.0, -2.0, 2.0)
        return
    yield "torch", lambda: getattr(x, f"{law}_")()
    try:
        import cupy
    except ImportError:
        return
    if x.dtype is torch.float32:
        out, random = cupy.asarray(x), cupy.random.default_rng(0)
        if law == "uniform":
            yield "CuPy", lambda: random.random(dtype=cupy.float32, out=out)
        else:
            yield "CuPy", lambda: random.standard_normal(dtype=cupy.float32, out=out)


def section_speed(rounds: int) -> None:
    """Elements a ns, and shares of what the device's fill reaches."""
    rows = []
    for dtype in ("float32", "bfloat16"):
        for power in (20, 24, 28, 31):
            x = torch.empty(2**power, dtype=DTYPE[dtype], device="cuda")
            fill = 2**power / ms_each(lambda x=x: x.fill_(0.5), rounds) / 1e6
            for law, ours in (("uniform", ft.uniform_), ("normal", ft.normal_), ("trunc_normal", ft.trunc_normal_)):
                options = {"a": -2.0, "b": 2.0} if law == "trunc_normal" else {}
                rate = {"fastinit": 2**power / ms_each(lambda: ours(x, seed=1, **options), rounds) / 1e6}  # noqa: B023
                for name, call in peers(law, x):
                    try:
                        rate[name] = 2**power / ms_each(call, rounds) / 1e6
                    except Exception as error:
                        print(name, law, dtype, repr(error)[:200])
                rows.append({"law": law, "dtype": dtype, "elements": power, "fill": fill, **rate})
    print(f"\n| law | dtype | elements | elements a ns | of fill | times torch | times CuPy |\n|{'---|' * 7}")
    for row in rows:
        ours = row["fastinit"]
        times = [f"{ours / row[name]:.2f}" if name in row else "" for name in ("torch", "CuPy")]
        cells = [row["law"], row["dtype"], f"2^{row['elements']}", f"{ours:.1f}", f"{ours / row['fill']:.2f}", *times]
        print("|", " | ".join(cells), "|")
    if out := os.environ.get("OUT"):
        Path(out, "speed.json").write_text(json.dumps(rows))


def main() -> int:
    sections = {name.removeprefix("section_"): function for name, function in globals().items() if name.startswith("section_")}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sections, default=list(sections))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    import cuda.core
    from cuda.bindings import nvrtc

    driver = torch.cuda.get_device_properties(0)
    print(f"{driver.name}, sm_{driver.major}{driver.minor}, {driver.multi_processor_count} multiprocessors; "
          f"torch {torch.__version__}, cuda.core {cuda.core.__version__}, NVRTC {nvrtc.nvrtcVersion()[1:]}", flush=True)
    start = time.perf_counter()
    on_device("normal", 8, "float32", seed=0)
    print(f"first fill: {time.perf_counter() - start:.2f} s", flush=True)
    for name in options.only:
        start = time.perf_counter()
        sections[name](options.rounds) if name == "speed" else sections[name]()
        print(f"  ({name}: {time.perf_counter() - start:.1f} s)", flush=True)
    print(f"{len(failures)} failures")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
