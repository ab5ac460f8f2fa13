"""The compiled bridge: src_c through Cython."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

STREAM_VERSION: int
GROUP: int
REDRAW_STRIDE: int
DISTS: tuple[str, ...]
DTYPES: tuple[str, ...]
ISAS: tuple[str, ...]
AVAILABLE_ISAS: tuple[str, ...]
COMPILER: str
FILLED: int
TOO_LARGE: int
NOT_CONTIGUOUS: int
PANEL: int

def jump(steps: int) -> tuple[int, int]: ...

class default_environment:
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...

class Plan:
    def __init__(
        self, dist: int, dtype: int, scale: float = 0, shift: float = 0, rest: float = 0, low: float = 0, high: float = 0,
        least: float = 0, most: float = 0, origin: float = 0, curve: float = 0, slope: float = 0, bits: int = 0,
    ) -> None: ...
    def fields(self) -> Mapping[str, Any]: ...

def fill(
    plan: Plan, key: bytes, isa: int, nontemporal: bool, start: int, length: int, stride: int, count: int, target: np.ndarray,
    position: int, pitch: int,
) -> None: ...
class Jobs:
    def add(
        self, plan: Plan, key: bytes, start: int, target: np.ndarray, nontemporal: bool, ns: float, run_ns: float,
        axes: Sequence[tuple[int, ...]] | None = None,
    ) -> None: ...
    def fill(
        self, isa: int, most_if_awake: int, most_if_asleep: int, staging: int, share_ns: float, most: int,
    ) -> None: ...

def may_overlap(targets: list[np.ndarray]) -> bool: ...
def fill_small(
    known: tuple[Plan, float, bool], isa: int, target: np.ndarray, below: float, call_key: Callable[[Any, str], bytes],
    seed: Any, name: str,
) -> int: ...
def words(key: bytes, isa: int, start: int, out: np.ndarray) -> None: ...
def transform(plan: Plan, isa: int, words: np.ndarray, target: np.ndarray) -> None: ...
def orthogonal_sizes(rows: int, columns: int) -> tuple[int, int]: ...
def orthogonal(
    rows: int, columns: int, panels: np.ndarray, work: np.ndarray, negative: np.ndarray, isa: int, threads: int, ns: float,
) -> None: ...
