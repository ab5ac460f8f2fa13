"""The calls whose values are pinned: by golden digests, on every ISA, and through the C harness on other machines."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import fastinit as fi
from fastinit.core import plan
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
        law = INITIALIZERS[self.initializer].definition((n,), DTYPES[self.dtype], **self.options).plan
        return line_of(law, self.seed, self.name, n, start)


def line_of(law, seed: int, name: str, n: int, start: int) -> str:
    fields = law.kernel.fields()
    key = stream_key(seed_material(seed), name)
    parts = [int.from_bytes(key[i:i + 8], "little") for i in range(0, 32, 8)]
    floats = [float(fields[k]).hex() for k in ("scale", "shift", "rest", "low", "high", "least", "most", "origin", "curve",
                                               "slope")]
    return " ".join(map(str, [fields["dist"], fields["dtype"], *floats, fields["bits"], start, n, *parts]))


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


class Matrix(NamedTuple):
    """A case of `orthogonal` or `delta_orthogonal`."""

    initializer: str
    shape: tuple[int, ...]
    dtype: str
    seed: int
    gain: float = 1.0

    @property
    def id(self) -> str:
        return f"{self.initializer}({self.shape}, gain={self.gain}) {self.dtype} seed={self.seed}"

    @property
    def name(self) -> str:
        return f"golden.{self.initializer}"

    def values(self, **more: Any):
        return getattr(fi, self.initializer)(self.shape, self.gain, dtype=self.dtype, seed=self.seed, name=self.name, **more)

    def line(self) -> str:
        """A matrix in one of the types computed in, as tests/harness.c takes it."""
        rows, columns = self.shape
        normal = plan.normal(0.0, 1.0, DTYPES[self.dtype])
        return f"{rows} {columns} {self.gain.hex()} {line_of(normal, self.seed, self.name, rows * columns, 0)}"


# One number; within a panel of 64 columns and a block of 1024 rows, at their borders and beyond them; tall, wide, square.
MATRICES = [Matrix("orthogonal", shape, dtype, 0)
            for shape in [(1, 1), (1, 9), (9, 1), (3, 5), (64, 64), (65, 65), (130, 200), (1024, 8), (1025, 64), (2100, 130)]
            for dtype in ("float32", "float64")]
MATRICES += [Matrix("orthogonal", (16, 3, 3, 4), dtype, 2**64 + 1, -0.5) for dtype in DTYPES]
MATRICES += [Matrix("delta_orthogonal", (20, 10, 3, 3), dtype, 1, 2.5) for dtype in DTYPES]
