from typing import Any

import numpy as np

BINS: int
FACTORS: int

class Sums:
    def add(self, more: Sums) -> None: ...
    def fields(self) -> dict[str, Any]: ...

class ScanPlan:
    def __init__(self, dtype: int, isa: int, sparse: bool, median: float, scale: float, reach: float,
                 width: int, factors: np.ndarray) -> None: ...
    def scan(self, elements: np.ndarray, start: int, rarity: int) -> tuple[Sums, np.ndarray, np.ndarray, np.ndarray]: ...
