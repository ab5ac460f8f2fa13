"""``python benchmarks/model_init.py``: what `fastinit.torch.accelerate` saves in the building of transformers' models.

Models are made from their configurations, without downloads, in turns: plainly, within `accelerate`, and with initialization
skipped (`transformers.initialization.no_init_weights`). Time in initialization is the median of a build less the median of a
build without. Memory is kept by the C library between builds, so that after the first turn all of it has been touched; the
column "build, fresh memory" has whole builds where the kernel must find every page, as in a new process. Before that, each
parameter of an accelerated model is compared with torch's own, and with those of a second accelerated build. torch gets as
many threads as fastinit (FASTINIT_NUM_THREADS).

    python benchmarks/model_init.py                       the table: 7 turns, 3 GB of memory
    python benchmarks/model_init.py --small --turns 1     small models, a few seconds: what the tests run
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import hashlib
import math
import os
import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import numpy as np
import torch
import transformers
from transformers.initialization import no_init_weights

import fastinit as fi
import fastinit.torch


class Model(NamedTuple):
    """A configuration; `small` is what is changed of it for a run of seconds."""

    auto: str
    config: type
    options: dict[str, Any]
    small: dict[str, Any]
    dtype: torch.dtype = torch.float32


_SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
_LLAMA = {"hidden_size": 1024, "num_hidden_layers": 16, "num_attention_heads": 16, "intermediate_size": 2816,
          "num_key_value_heads": 8, "vocab_size": 32000}
MODELS = {
    "GPT-2": Model("AutoModelForCausalLM", transformers.GPT2Config, {},
                   {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 1000}),
    "ViT-B/16": Model("AutoModelForImageClassification", transformers.ViTConfig, {}, _SMALL),
    "Llama shape, bfloat16": Model("AutoModelForCausalLM", transformers.LlamaConfig, _LLAMA,
                                   _SMALL | {"num_key_value_heads": 2, "vocab_size": 1000}, torch.bfloat16),
    "ModernBERT, trunc_normal_": Model("AutoModelForMaskedLM", transformers.ModernBertConfig, {},
                                       _SMALL | {"vocab_size": 1000, "pad_token_id": 0}),
}


def builder(model: Model, small: bool) -> Callable[[], torch.nn.Module]:
    config = model.config(**model.options | (model.small if small else {}))
    return lambda: getattr(transformers, model.auto).from_config(config, dtype=model.dtype)


def accelerated() -> contextlib.AbstractContextManager:
    return fastinit.torch.accelerate(seed=0)


def seconds(build: Callable[[], torch.nn.Module], context: contextlib.AbstractContextManager) -> float:
    with context:
        start = perf_counter()
        model = build()
        took = perf_counter() - start
    del model
    gc.collect()
    return took


def keep_memory(keep: bool) -> None:
    """Whether the C library keeps freed memory: mallopt of glibc; M_MMAP_MAX is -4, M_TRIM_THRESHOLD -1."""
    libc = ctypes.CDLL(None)
    libc.mallopt(-4, 0 if keep else 65536)
    libc.mallopt(-1, -1 if keep else 131072)
    libc.malloc_trim(0)


def medians(build: Callable[[], torch.nn.Module], turns: int) -> dict[str, float]:
    contexts = {"torch": contextlib.nullcontext, "fastinit": accelerated, "skipped": no_init_weights}
    taken: dict[str, list[float]] = {name: [] for name in contexts}
    for turn in range(turns + 1):
        for name, context in contexts.items():
            took = seconds(build, context())
            if turn:
                taken[name].append(took)
    return {name: statistics.median(values) for name, values in taken.items()}


def digest(model: torch.nn.Module) -> str:
    found = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        found.update(name.encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def compare(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Mean, standard deviation and distribution of two tensors; one that is constant must be equal. Each test has a false
    alarm in 1e8 tensors; of fewer than 64 elements only that they are new is asked."""
    a, b = (tensor.flatten().double().numpy() for tensor in (ours, theirs))
    n, std = a.size, b.std()
    if std == 0 or not theirs.is_floating_point():
        assert (a == b).all(), f"{name}: constants differ"
        return
    assert not (a == b).all(), f"{name}: not filled anew"
    if n >= 64:
        assert abs(a.mean() - b.mean()) < 6 * std * math.sqrt(2 / n), f"{name}: mean {a.mean()}, torch's {b.mean()}"
        assert abs(math.log(a.std() / std)) < 6 / math.sqrt(n), f"{name}: std {a.std()}, torch's {std}"
        # Kolmogorov and Smirnov: 2 exp(-2 x^2) for x = 3.1.
        a, b = (np.sort(x[:: max(1, n // 2**16)]) for x in (a, b))
        grid = np.union1d(a, b)
        gap = np.abs(np.searchsorted(a, grid, "right") - np.searchsorted(b, grid, "right")).max() / a.size
        assert gap * math.sqrt(a.size / 2) < 3.1, f"{name}: distribution differs from torch's by {gap}"


def check(build: Callable[[], torch.nn.Module]) -> str:
    torch.manual_seed(0)
    plain = build()
    with accelerated():
        ours = build()
    with accelerated():
        again = build()
    theirs = plain.state_dict()
    for name, tensor in ours.state_dict().items():
        compare(name, tensor, theirs[name])
    found = digest(ours)
    assert found == digest(again), "two builds differ"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("models", nargs="*", choices=[[], *MODELS], metavar="model", help=", ".join(MODELS))
    options = parser.parse_args()
    config = fi.show_config()
    torch.set_num_threads(config["num_threads"])
    print(f"fastinit {config['version']}, {config['isa']}; torch {torch.__version__}, transformers {transformers.__version__}; "
          f"{config['num_threads']} threads, medians of {options.turns} turns\n")
    print("| model | parameters | torch, init | fastinit, init | | build, torch → fastinit | build, fresh memory | sha256 |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for name in options.models or MODELS:
        build = builder(MODELS[name], options.small)
        found = check(build)
        gc.freeze()  # what was imported so far: a collection through it takes 0.2 s
        fresh = medians(build, min(options.turns, 3))
        keep_memory(True)
        kept = medians(build, options.turns)
        keep_memory(False)
        plain, ours = (kept[key] - kept["skipped"] for key in ("torch", "fastinit"))
        size = sum(p.numel() for p in build().parameters()) / 1e6
        print(f"| {name} | {size:.1f} M | {plain * 1e3:.0f} ms | {ours * 1e3:.0f} ms | {plain / ours:.1f}× "
              f"| {kept['torch'] * 1e3:.0f} → {kept['fastinit'] * 1e3:.0f} ms "
              f"| {fresh['torch'] * 1e3:.0f} → {fresh['fastinit'] * 1e3:.0f} ms | {found[:16]} |", flush=True)


if __name__ == "__main__":
    main()
