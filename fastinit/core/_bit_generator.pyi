"""The words of a stream as a NumPy bit generator."""

from typing import Any

import numpy as np

from .streams import Seed

class BitGenerator(np.random.BitGenerator):
    state: Any
    def __init__(self, seed: Seed = None, name: str = "") -> None: ...
    def advance(self, delta: int) -> BitGenerator: ...
    def jumped(self, jumps: int = 1) -> BitGenerator: ...
