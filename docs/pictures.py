"""``python docs/pictures.py``: draw the documentation's pictures anew, into docs/pictures.

speed.png shows speed.json, which benchmarks/compare.py wrote:

    python benchmarks/compare.py --turns 5 --elements 64 4Ki 256Ki 4Mi 64Mi --distributions constant normal --dtypes float32 \\
        --isa avx512vbmi2 avx2 scalar --json docs/pictures/speed.json
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from fastinit import viz

HERE = Path(__file__).parent / "pictures"


def _speed():
    return viz.speed(json.loads((HERE / "speed.json").read_text())["records"])


PICTURES = {
    "depth": viz.depth,
    "symmetry": viz.symmetry,
    "kaiming_normal": partial(viz.histogram, "kaiming_normal", (512, 512), nonlinearity="relu"),
    "xavier_uniform": partial(viz.histogram, "xavier_uniform", (512, 512)),
    "trunc_normal": partial(viz.histogram, "trunc_normal", (512, 512), std=0.02, bounds="std"),
    "speed": _speed,
}


def draw(name: str, folder: Path = HERE) -> Path:
    """One picture, by its name in `PICTURES`."""
    path = folder / f"{name}.png"
    PICTURES[name]().savefig(path, dpi=90, metadata={"Software": None})
    return path


if __name__ == "__main__":
    for picture in PICTURES:
        print(draw(picture))
