"""Pictures: the numbers behind them, and that they show them. The committed ones are compared with what is drawn now."""

import json
import math
import runpy
from pathlib import Path

import numpy as np
import pytest

import fastinit as fi
from fastinit import viz

matplotlib = pytest.importorskip("matplotlib")
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


# ---- signals through depth


@pytest.mark.parametrize(("activation", "scheme", "forward", "backward"), [
    ("relu", "Kaiming", 1, 1),  # He et al. 2015: variance is kept
    ("relu", "Xavier", math.sqrt(1 / 2), math.sqrt(1 / 2)),  # and halved at each layer
    ("relu", "too small", math.sqrt(1 / 8), math.sqrt(1 / 8)),
    ("relu", "too large", math.sqrt(2), math.sqrt(2)),
    ("tanh", "too small", 1 / 2, 1 / 2),  # linear once the signal is small
])
def test_signals_grow_as_theory_says(activation, scheme, forward, backward):
    """The rate over 40 layers, within 4%; a scheme whose variance is off by an eighth has 6%."""
    activations, gradients = viz.signals(activation, scheme, width=256, batch=64)
    assert activations.shape == gradients.shape == (50,)
    assert (activations[45] / activations[5]) ** (1 / 40) == pytest.approx(forward, rel=0.04)
    assert (gradients[5] / gradients[45]) ** (1 / 40) == pytest.approx(backward, rel=0.04)


def test_tanh_saturates_or_keeps():
    assert viz.signals("tanh", "too large")[0][-1] > 0.6  # most units at -1 or 1
    assert 0.05 < viz.signals("tanh", "Xavier")[0][-1] < 0.3  # Glorot and Bengio 2010: slow decay
    assert viz.signals("tanh", "too large")[1][0] > 100 * viz.signals("tanh", "Xavier")[1][0]


def test_signals_refuse():
    with pytest.raises(ValueError, match="magic"):
        viz.signals("relu", "magic")


# ---- symmetry


def test_equal_units_stay_equal_to_the_last_bit():
    run = viz.train("constant", steps=3000)
    assert run["hidden"].shape == (3001, 3, 4)
    words = run["hidden"].view(np.uint64)
    assert (words == words[:, :1]).all()
    assert len(np.unique(words[:, 0, 0])) > 2900  # and are trained
    assert run["loss"][-1] > 0.15  # one unit cannot tell whether two inputs differ


@pytest.mark.parametrize("seed", range(5))
def test_xavier_breaks_the_symmetry(seed):
    run = viz.train("Xavier", seed=seed)
    assert not (run["hidden"][:, 0] == run["hidden"][:, 1]).all(axis=1).any()
    assert run["loss"][-1] < 0.005
    assert (run["hidden"][0, :, :3] == fi.xavier_normal((3, 3), seed=seed, name="hidden", dtype="float64")).all()


def test_training_follows_the_gradient():
    """A step is the numerical gradient's, for the first hidden weight."""
    run, rate = viz.train("Xavier", steps=1, rate=1e-3), 1e-3
    w = fi.xavier_normal((3, 3), seed=0, name="hidden", dtype="float64")
    v = fi.xavier_normal((1, 3), seed=0, name="output", dtype="float64")[0]
    x = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], float)

    def loss(change):
        h = 1 / (1 + np.exp(-(x @ (w + change).T)))
        return ((1 / (1 + np.exp(-(h @ v))) - (x[:, 0] != x[:, 1])) ** 2).mean()

    step = np.zeros((3, 3))
    step[0, 0] = 1e-5
    slope = (loss(step) - loss(-step)) / 2e-5
    assert run["loss"][0] == pytest.approx(loss(np.zeros((3, 3))), rel=1e-12)
    assert run["hidden"][1, 0, 0] - run["hidden"][0, 0, 0] == pytest.approx(-rate * slope, rel=1e-6)


# ---- histogram


@pytest.mark.parametrize(("initializer", "options"), [
    ("uniform", {"a": -0.1, "b": 0.3}), ("normal", {"mean": 1.0, "std": 0.02}), ("trunc_normal", {}),
    ("trunc_normal", {"std": 0.02}), ("kaiming_normal", {"truncated": True}), ("xavier_uniform", {"dtype": "bfloat16"})])
def test_the_curve_is_the_histograms(initializer, options):
    """Bars against the curve: relative deviations within 6 sigma of their counts; bfloat16 has few values in a bar."""
    figure = viz.histogram(initializer, (400, 500), **options)
    axes, = figure.axes
    x, y = axes.lines[0].get_data()
    for bar in axes.patches:
        middle, width = bar.get_x() + bar.get_width() / 2, bar.get_width()
        expected = np.interp(middle, x, y) * width * 200_000
        if options.get("dtype") != "bfloat16" and expected > 100:
            assert abs(bar.get_height() * width * 200_000 - expected) < 6 * math.sqrt(expected) + 0.01 * expected
    area = sum(bar.get_height() * bar.get_width() for bar in axes.patches)
    assert area == pytest.approx(1, abs=1e-6) and np.trapezoid(y, x) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("initializer", ["constant", "orthogonal"])
def test_no_density_is_an_error(initializer):
    with pytest.raises(ValueError, match="density"):
        viz.histogram(initializer, (4, 4), *([1.0] if initializer == "constant" else []))


# ---- speed


def record(library, elements, seconds, **other):
    return {"library": library, "isa": None, "distribution": "normal", "dtype": "float32", "elements": elements,
            "bytes": 4 * elements, "memory": "touched", "num_threads": 1, "seconds": seconds} | other


def test_speed_draws_medians():
    records = [record("numpy PCG64", 10, [3e-8, 1e-8, 2e-8]), record("numpy PCG64", 1000, [4e-6]),
               record("fastinit", 10, [1e-8], isa="avx2"), record("memset", 10, [5e-9], distribution="constant"),
               record("fastinit", 10, [1e-9], isa="avx2", distribution="uniform"), record("torch", 10, [1e-9], num_threads=2),
               record("torch", 10, [1e-9], dtype="float64"), record("torch", 10, [1e-9], memory="fresh")]
    lines = {line.get_label(): line for line in viz.speed(records).axes[0].lines}
    assert lines.keys() == {"numpy PCG64", "fastinit avx2", "memset"}
    assert lines["numpy PCG64"].get_xydata() == pytest.approx(np.array([[40, 2.0], [4000, 1.0]]))
    assert lines["memset"].get_linestyle() == ":" and lines["fastinit avx2"].get_linestyle() == "-"
    with pytest.raises(ValueError, match="none"):
        viz.speed(records, distribution="uniform", dtype="float16")


# ---- the documentation's pictures


def pixels(path):
    from matplotlib import image

    return image.imread(path)[..., :3].mean(axis=2)


@pytest.mark.parametrize("name", sorted(path.stem for path in PICTURES.glob("*.png")))
def test_committed_pictures_are_those_drawn_now(tmp_path, name):
    """Within what another version of matplotlib or its fonts may change: at most 4% of coarse blocks differ by a tenth."""
    drawn = runpy.run_path(str(PICTURES.parent / "pictures.py"))["draw"](name, tmp_path)
    old, new = pixels(PICTURES / f"{name}.png"), pixels(drawn)
    assert old.shape == new.shape

    def coarse(image):
        high, wide = (n // 16 * 16 for n in image.shape)
        return image[:high, :wide].reshape(high // 16, 16, wide // 16, 16).mean(axis=(1, 3))

    assert (abs(coarse(old) - coarse(new)) > 0.1).mean() < 0.04
    assert (coarse(old) < 0.9).mean() > 0.03  # neither is blank


def test_every_picture_is_shown_and_committed():
    names = runpy.run_path(str(PICTURES.parent / "pictures.py"))["PICTURES"]
    assert set(names) == {path.stem for path in PICTURES.glob("*.png")}
    text = "".join(path.read_text() for path in PICTURES.parent.glob("*.md"))
    assert [name for name in names if f"pictures/{name}.png" not in text] == []


def test_speed_data_is_of_the_committed_program():
    data = json.loads((PICTURES / "speed.json").read_text())
    assert {"about", "records"} <= data.keys() and any(r["library"] == "fastinit" for r in data["records"])
