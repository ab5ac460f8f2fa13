"""``python benchmarks/model_init.py``: what `fastinit.torch.accelerate` saves in the building of real models, and what it could
save at most.

Models are made without downloads, in turns, each in memory that no one has touched, as in a new process: plainly; within
`accelerate`; and, as the bound, on the meta device, which is the Python alone, followed by `numpy.empty` of as many bytes and
one uniform fill of them, the cheapest there is. Medians, after a turn that is not counted. torch gets as many threads as
fastinit (FASTINIT_NUM_THREADS). Models of libraries that are not installed are skipped, by name.

    python benchmarks/model_init.py                    the table: 5 turns, 2 GB of memory
    python benchmarks/model_init.py --check            before that, values are compared with torch's own, and between two builds
    python benchmarks/model_init.py --small --turns 1 --check     small models, a few seconds: what the tests run
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import hashlib
import importlib
import math
import os
import statistics
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import numpy as np
import torch

import fastinit as fi
import fastinit.torch

Build = Callable[[], torch.nn.Module]


def module(name: str, *args: Any, **options: Any) -> tuple[str, Callable[[Any], Build]]:
    return "torch.nn", lambda nn: lambda: getattr(nn, name)(*args, **options)


def timm(name: str, **options: Any) -> tuple[str, Callable[[Any], Build]]:
    return "timm", lambda library: lambda: library.create_model(name, **options)


def torchvision(name: str) -> tuple[str, Callable[[Any], Build]]:
    return "torchvision.models", lambda models: lambda: getattr(models, name)()


def transformers(auto: str, config: str, dtype: torch.dtype = torch.float32, **options: Any) -> tuple[
        str, Callable[[Any], Build]]:
    return "transformers", lambda library: lambda: getattr(library, f"AutoModel{auto}").from_config(
        getattr(library, f"{config}Config")(**options), dtype=dtype)


_LLAMA = {"hidden_size": 1024, "num_hidden_layers": 16, "num_attention_heads": 16, "intermediate_size": 2816,
          "num_key_value_heads": 8, "vocab_size": 32000}
_WHISPER = {"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "encoder_attention_heads": 8,
            "decoder_attention_heads": 8, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}
# A library, and what makes of it a function that builds.
MODELS = {
    "nn.Transformer(1024, 16, 4, 4)": module("Transformer", 1024, 16, 4, 4),
    "nn.LSTM(1024, 1024, 4)": module("LSTM", 1024, 1024, 4),
    "GPT-2": transformers("ForCausalLM", "GPT2"),
    "BERT": transformers("ForMaskedLM", "Bert"),
    "T5 base": transformers("ForSeq2SeqLM", "T5", d_model=768, d_ff=3072, num_heads=12, num_layers=12),
    "ViT-B/16": transformers("ForImageClassification", "ViT"),
    "Llama shape, bfloat16": transformers("ForCausalLM", "Llama", torch.bfloat16, **_LLAMA),
    "ModernBERT": transformers("ForMaskedLM", "ModernBert"),
    "Whisper base": transformers("ForSpeechSeq2Seq", "Whisper", **_WHISPER),
    "Mamba 130M": transformers("ForCausalLM", "Mamba", num_hidden_layers=24),
    "CLIP": transformers("", "CLIP"),
    "timm vit_base": timm("vit_base_patch16_224"),
    "timm swin_base": timm("swin_base_patch4_window7_224"),
    "timm convnext_base": timm("convnext_base"),
    "timm deit3_base": timm("deit3_base_patch16_224"),
    "timm eva02_base": timm("eva02_base_patch14_224"),
    "timm efficientnet_b4": timm("efficientnet_b4"),
    "torchvision resnet50": torchvision("resnet50"),
    "torchvision vit_b_16": torchvision("vit_b_16"),
    "torchvision vgg16": torchvision("vgg16"),
}
_TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
SMALL = {
    "nn.Transformer": module("Transformer", 64, 4, 2, 2, 128),
    "GPT-2": transformers("ForCausalLM", "GPT2", n_embd=64, n_layer=2, n_head=4, vocab_size=1000),
    "ViT": transformers("ForImageClassification", "ViT", **_TINY),
    "Llama shape, bfloat16": transformers("ForCausalLM", "Llama", torch.bfloat16, **_TINY, num_key_value_heads=2,
                                          vocab_size=1000),
    "ModernBERT": transformers("ForMaskedLM", "ModernBert", **_TINY, vocab_size=1000, pad_token_id=0),
    "timm vit_tiny": timm("vit_tiny_patch16_224", depth=2),
    "torchvision resnet18": torchvision("resnet18"),
}


def builder(library: str, make: Callable[[Any], Build]) -> Build | None:
    """None where the library is not installed."""
    try:
        return make(importlib.import_module(library))
    except ModuleNotFoundError as error:
        if error.name != library.partition(".")[0]:
            raise
        return None


def accelerated() -> contextlib.AbstractContextManager:
    return fastinit.torch.accelerate(seed=0)


def memory_of(model: torch.nn.Module) -> tuple[int, torch.dtype]:
    """How many bytes parameters and buffers have, each storage counted once, and the dtype of most."""
    sizes = {t.untyped_storage().data_ptr(): (t.untyped_storage().nbytes(), t.dtype) for t in model.state_dict().values()}
    return sum(size for size, _ in sizes.values()), max(sizes.values(), key=lambda pair: pair[0])[1]


def seconds(build: Build, context: contextlib.AbstractContextManager) -> float:
    start = perf_counter()
    with context:
        model = build()
    took = perf_counter() - start
    del model
    return took


def filled(size: int, dtype: torch.dtype) -> float:
    name = str(dtype).removeprefix("torch.")
    storage = np.dtype("uint16" if name == "bfloat16" else name)
    start = perf_counter()
    memory = np.empty(size // storage.itemsize, storage)
    fi.uniform_(memory, -1.0, 1.0, dtype=name, seed=0)
    return perf_counter() - start


def medians(build: Build, turns: int) -> dict[str, float]:
    size, dtype = memory_of(build())
    ways = {
        "plain": lambda: seconds(build, contextlib.nullcontext()),
        "accelerated": lambda: seconds(build, accelerated()),
        "Python": lambda: seconds(build, torch.device("meta")),
        "fill": lambda: filled(size, dtype),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            gc.collect()
            took = way()
            if turn:
                taken[name].append(took)
    found = {name: statistics.median(values) for name, values in taken.items()}
    return found | {"bound": found["Python"] + found["fill"], "bytes": size}


def digest(model: torch.nn.Module) -> str:
    found = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        found.update(name.encode())
        found.update(tensor.contiguous().flatten().view(torch.uint8).numpy())
    return found.hexdigest()


def compare(name: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """Mean, standard deviation and distribution of two tensors. Each test has a false alarm in 1e8 tensors; of fewer than 64
    elements only that they are new is asked."""
    a, b = (tensor.flatten().double().numpy() for tensor in (ours, theirs))
    n, std = a.size, b.std()
    assert not (a == b).all(), f"{name}: not filled anew"
    if n >= 64:
        assert abs(a.mean() - b.mean()) < 6 * std * math.sqrt(2 / n), f"{name}: mean {a.mean()}, torch's {b.mean()}"
        assert abs(math.log(a.std() / std)) < 6 / math.sqrt(n), f"{name}: std {a.std()}, torch's {std}"
        # Kolmogorov and Smirnov: 2 exp(-2 x^2) for x = 3.1.
        a, b = (np.sort(x[:: max(1, n // 2**16)]) for x in (a, b))
        grid = np.union1d(a, b)
        gap = np.abs(np.searchsorted(a, grid, "right") - np.searchsorted(b, grid, "right")).max() / a.size
        assert gap * math.sqrt(a.size / 2) < 3.1, f"{name}: distribution differs from torch's by {gap}"


def check(build: Build) -> str:
    plain = []
    for seed in range(2):
        torch.manual_seed(seed)
        plain.append(build().state_dict())
    with accelerated():
        ours = build()
    for name, tensor in ours.state_dict().items():
        if torch.equal(*[theirs[name] for theirs in plain]):
            assert torch.equal(tensor, plain[0][name]), f"{name}: constants differ"
        else:
            compare(name, tensor, plain[0][name])
    del plain
    found = digest(ours)
    with accelerated():
        assert found == digest(build()), "two builds differ"
    return found[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("models", nargs="*", metavar="model", help=", ".join(MODELS))
    options = parser.parse_args()
    models = SMALL if options.small else MODELS
    if unknown := set(options.models) - set(models):
        parser.error(f"models: expected some of {', '.join(models)}, got {', '.join(unknown)}")
    warnings.simplefilter("ignore")
    config = fi.show_config()
    torch.set_num_threads(config["num_threads"])
    # M_MMAP_THRESHOLD of glibc: it would rise with what is freed, and memory be used again.
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(-3, 2**17)
    print(f"fastinit {config['version']}, {config['isa']}; torch {torch.__version__}; {config['num_threads']} threads, "
          f"medians of {options.turns} turns, ms\n")
    print("| model | MB | plain | accelerated | bound | of which Python | plain / accelerated | accelerated / bound |"
          + (" sha256 |" if options.check else ""))
    print("|---|" + "---:|" * (8 if options.check else 7))
    saved, over, skipped = [], [], []
    for name in options.models or models:
        build = builder(*models[name])
        if build is None:
            skipped.append(name)
            continue
        found = check(build) if options.check else ""
        build()
        gc.freeze()  # what was imported so far: a collection through it takes 0.2 s
        took = medians(build, options.turns)
        saved.append(took["plain"] / took["accelerated"])
        over.append(took["accelerated"] / took["bound"])
        times = " | ".join(f"{took[way] * 1e3:.0f}" for way in ("plain", "accelerated", "bound", "Python"))
        print(f"| {name} | {took['bytes'] / 1e6:.0f} | {times} | {saved[-1]:.1f}× | {over[-1]:.2f}× |"
              + (f" {found} |" if found else ""), flush=True)
    print()
    if over:
        print(f"accelerated / bound: median {statistics.median(over):.2f}, worst {max(over):.2f}; plain / accelerated: median "
              f"{statistics.median(saved):.1f}, worst {min(saved):.1f}")
    if skipped:
        print(f"skipped, as their libraries are not installed: {', '.join(skipped)}")


if __name__ == "__main__":
    main()
