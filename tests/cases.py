"""The calls whose values are pinned: by golden digests, on every ISA, and through the C harness on other machines."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import fastinit as fi
from fastinit.core.calls import INITIALIZERS
from fastinit.core.dtypes import DTYPES
from fastinit.core.streams import seed_material, stream_key

N = 2**20 + 13


class Case(NamedTuple):
    initializer: str
    options: dict[str, Any]
    dtype: str
    seed: int

    @property
    def id(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.initializer}({options}) {self.dtype} seed={self.seed}"

    @property
    def name(self) -> str:
        return f"golden.{self.initializer}"

    @property
    def cap(self) -> int:
        """The largest tensor's elements: 2^48 words."""
        entry = DTYPES[self.dtype]
        units = INITIALIZERS[self.initializer].definition((1,), entry, **self.options).plan.units
        return 2**48 // (units * entry.real.itemsize // 4)

    def values(self, n: int = N, **more: Any):
        """The first n elements; those scaled by fans as a row vector, fans given."""
        return getattr(fi, self.initializer)(n, dtype=self.dtype, seed=self.seed, name=self.name, **self.options, **more)

    def line(self, n: int = N, start: int = 0) -> str:
        """The case as tests/harness.c takes it."""
        plan = INITIALIZERS[self.initializer].definition((n,), DTYPES[self.dtype], **self.options).plan.kernel.fields()
        key = stream_key(seed_material(self.seed), self.name)
        parts = [int.from_bytes(key[i:i + 8], "little") for i in range(0, 32, 8)]
        floats = [float(plan[k]).hex() for k in ("scale", "shift", "rest", "low", "high", "least", "most", "origin", "curve",
                                                 "slope")]
        return " ".join(map(str, [plan["dist"], plan["dtype"], *floats, plan["bits"], start, n, *parts]))


_FANS = {"fan_in": 768, "fan_out": 3072}
_LAWS: list[tuple[str, dict[str, Any]]] = [
    ("constant", {"val": 0.1}),
    ("uniform", {"a": -0.1, "b": 0.1}),
    ("uniform", {"a": 3.0, "b": 3.0001}),
    ("normal", {"mean": 0.5, "std": 0.02}),
    ("trunc_normal", {"std": 0.02, "bounds": "std"}),
    ("trunc_normal", {"mean": 0.25, "std": 0.5, "a": 0.0, "b": 0.5}),
    ("trunc_normal", {"a": 1.0, "b": 10.0}),
    ("trunc_normal", {"a": -float("inf"), "b": -3.0}),
    ("xavier_uniform", _FANS),
    ("xavier_normal", _FANS),
    ("kaiming_uniform", _FANS),
    ("kaiming_normal", _FANS),
]
CASES = [Case(*law, dtype, seed) for law, dtype, seed in itertools.product(_LAWS, DTYPES, (0, 2**64 + 1))]
