"""What is meant so is no fault, and what is not is named: tensors as other libraries make them, and as nobody means them."""

import math

import numpy as np
import pytest
from scipy import stats

import fastinit as fi
from fastinit.audit import audit
from fastinit.core.dtypes import DTYPES
from fastinit.models.architectures import ARCHITECTURES
from fastinit.weights import Tensor, of_array

RNG = np.random.default_rng


def of(array, dtype="float32", name="w"):
    entry = DTYPES[dtype]
    return Tensor(name, entry.encode(np.asarray(array)), entry, dtype)


def faults(*tensors, **options):
    return [(report.name, finding.kind) for report in audit(tensors, **options) for finding in report.faults]


def upsampling(k):
    """Long, Shelhamer and Darrell's kernel, as their `upsample_filt` has it."""
    factor = (k + 1) // 2
    centre = factor - 1 if k % 2 else factor - 0.5
    tent = 1 - abs(np.arange(k) - centre) / factor
    return np.outer(tent, tent)


def sinusoids(n, width):
    """Vaswani et al. 2017, sines before cosines."""
    angle = np.arange(n)[:, None] / 10000 ** (np.arange(width // 2) * 2 / width)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def shuffled(r, shape, seed=0):
    """ICNR: each row comes r^2 times, one after another."""
    return np.repeat(RNG(seed).standard_normal((shape[0] // r**2, *shape[1:])) * 0.02, r**2, axis=0)


def padded(rows, real, first=False):
    w = RNG(0).standard_normal((rows, 64)) * 0.02
    w[real:] = 0
    w[0] *= not first
    return w


MEANT = {
    "tall orthogonal": lambda: stats.ortho_group.rvs(800, random_state=0)[:, :100],
    "wide orthogonal": lambda: stats.ortho_group.rvs(800, random_state=0)[:100],
    "orthogonal kernel": lambda: stats.ortho_group.rvs(600, random_state=0)[:, :27].reshape(600, 3, 9) * math.sqrt(2),
    **{f"bilinear {k}": lambda k=k: np.broadcast_to(upsampling(k), (64, 1, k, k)) for k in (3, 4, 5, 8, 16)},
    "bilinear of all channels": lambda: np.broadcast_to(upsampling(4), (32, 16, 4, 4)),
    "bilinear, large": lambda: np.eye(21)[:, :, None, None] * upsampling(64),
    "pixel shuffle by 2": lambda: shuffled(2, (256, 32, 3, 3)),
    "pixel shuffle by 3": lambda: shuffled(3, (27, 64, 3, 3)),
    "A_log of Mamba": lambda: np.log(np.tile(np.arange(1.0, 17.0), (1536, 1))),
    "positions": lambda: sinusoids(512, 96),
    "vocabulary to a multiple of 128": lambda: padded(50304 // 8, 50257 // 8),
    "vocabulary with a padding row too": lambda: padded(32128, 32100, first=True),
    "padding row": lambda: padded(1000, 1000, first=True),
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
@pytest.mark.parametrize("name", MEANT)
def test_what_is_meant_so_is_no_fault(name, dtype):
    """Two of each, as the layers of a model that are made alike: what follows a plan may come again."""
    w = MEANT[name]()
    tensors = [of(w, dtype, "0"), of(w, dtype, "1")] if name in ("positions", "A_log of Mamba") else [of(w, dtype)]
    assert faults(*tensors) == []


def test_scales_of_two_axes():
    ones = np.ones((32, 64), "f4")
    assert faults(*(of_array(name, ones) for name in ("norm.weight", "0.LayerNorm.weight", "ln_f.weight", "layer_scale"))) == []
    assert faults(of_array("weight", ones), of_array("bias", 0 * ones)) == []
    assert faults(of_array("fc.weight", ones), of_array("fc.bias", ones[:, 0])) == [("fc.weight", "constant")]


def test_orthogonal_matrices_are_told():
    for shape in [(400, 90), (90, 400), (300, 300), (64, 32, 3, 3)]:
        for gain in (1, math.sqrt(2)):
            long = max(shape[0], math.prod(shape[1:]))
            w = stats.ortho_group.rvs(long, random_state=1)[:shape[0], :math.prod(shape[1:])].reshape(shape) * gain
            report, = audit([of(w)])
            assert report.rules[0] == "orthogonal" and report.faults == []
            drawn, = audit([of(RNG(0).standard_normal(shape) * w.std())])
            assert "orthogonal" not in drawn.rules


def addresses(n):
    """Of objects, as a heap leaves them behind."""
    return np.array([id(thing) for thing in [object() for _ in range(n)]], np.uint64)


NOT_MEANT = {
    "addresses as float32": ("unwritten", lambda: addresses(45000).view("f4").reshape(300, 300)),
    "addresses as float64": ("unwritten", lambda: addresses(90000).view("f8").reshape(300, 300)),
    "a tenth is addresses": ("unwritten", lambda: np.concatenate([RNG(0).standard_normal((270, 300)).astype("f4") * 0.02,
                                                                  addresses(4500).view("f4").reshape(30, 300)])),
    "small integers as float32": ("unwritten", lambda: RNG(0).integers(0, 4096, (300, 300), dtype="u4").view("f4")),
    "text as float32": ("unwritten", lambda: RNG(0).choice(np.frombuffer(b"\n !'0Aaelt~\x7f", "u1"), 90000 * 4).view("f4")),
    "one subnormal": ("unwritten", lambda: np.full((300, 300), 1e-40, "f4")),
    "experts as a convolution": ("experts", lambda: RNG(0).uniform(-1, 1, (8, 512, 128)) / math.sqrt(512 * 128)),
    "all rows equal": ("equal rows", lambda: np.tile(RNG(0).standard_normal(64), (256, 1))),
    "two rows equal": ("equal rows", lambda: RNG(0).standard_normal((256, 64))[np.r_[0:255, 3]]),
    "halves equal": ("equal rows", lambda: np.tile(RNG(0).standard_normal((128, 64)), (2, 1))),
    "rows by threes": ("equal rows", lambda: np.repeat(RNG(0).standard_normal((100, 64)), 3, axis=0)),
    "rows dead amid a vocabulary": ("dead rows", lambda: padded(4096, 4096) * (np.arange(4096) // 100 != 7)[:, None]),
    "half of a vocabulary dead": ("dead rows", lambda: padded(4096, 2048)),
    "rows dead at the end of a layer": ("dead rows", lambda: padded(512, 500)),
    "constant": ("constant", lambda: np.full((64, 64), 0.02)),
    "clamped": ("stuck", lambda: np.clip(RNG(0).standard_normal((300, 300)), -1.5, 1.5)),
    "blocks drawn alike": ("repeats", lambda: np.tile(RNG(0).standard_normal((300, 400)), (1, 2))),
}


@pytest.mark.parametrize("name", NOT_MEANT)
def test_what_is_not_meant_is_named(name):
    kind, make = NOT_MEANT[name]
    w = np.asarray(make())
    report, = audit([of_array("w", w if kind == "unwritten" else w.astype("f4"))])
    assert kind in [finding.kind for finding in report.faults]
    assert kind != "unwritten" or len(report.findings) == 1


@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_experts(law):
    """As torch fills (E, out, in) by fans of a convolution, of each matrix, and its transposed; and kernels, which are none."""
    def drawn(shape, fan):
        unit = RNG(1).standard_normal(shape) if law == "normal" else RNG(1).uniform(-math.sqrt(3), math.sqrt(3), shape)
        return of(unit * math.sqrt(2 / fan))

    wrong, right, other = audit([drawn((8, 512, 128), 512 * 128), drawn((8, 512, 128), 128), drawn((8, 512, 128), 512)])
    assert [finding.kind for finding in wrong.faults] == ["experts"]
    assert right.faults == other.faults == []
    assert right.rules == ["kaiming fan_in of each OI"] and other.rules == ["kaiming fan_in of each IO"]
    assert faults(drawn((128, 64, 9), 64 * 9), drawn((512, 1, 10), 10), drawn((256, 512, 16), 512 * 16)) == []
    small, = audit([Tensor("mlp.experts.down", drawn((4, 24, 16), 24 * 16).source, DTYPES["float32"], "float32")])
    assert [finding.kind for finding in small.faults] == ["experts"]


def test_swapped_fans_take_more_than_a_coincidence():
    def drawn(name, shape, std):
        return of(RNG(sum(name.encode())).standard_normal(shape) * std, name=name)

    clip = [drawn(f"layer{i}.fc1", (512, 128), 1024**-0.5) for i in range(4)]  # transformers: (2 hidden)^-1/2
    rest = [drawn(f"layer{i}.q_proj", (128, 256), 0.03) for i in range(8)]
    assert faults(*clip, *rest) == []
    whole = [drawn(f"layer{i}.weight", (512, 100 + i), math.sqrt(2 / 512)) for i in range(4)]
    assert faults(*whole) == [(f"layer{i}.weight", "swapped fans") for i in range(4)]
    fc = of(RNG(3).uniform(-1, 1, (1000, 1280)) * 1000**-0.5, name="classifier")  # torchvision's EfficientNet
    squeeze = of(RNG(4).uniform(-1, 1, (32, 8)) * 8**-0.5, name="squeeze")
    convs = [drawn(f"conv{i}", (64, 16, 3, 3), math.sqrt(2 / 576)) for i in range(5)]
    assert faults(fc, squeeze, *convs) == []
    grouped = [drawn(f"grouped{i}", (64, 8, 3, 3), math.sqrt(2 / 72)) for i in range(5)]  # fan_out by groups is fan_in
    assert faults(drawn("1x1", (24, 32, 1, 1), math.sqrt(2 / 24)), *grouped) == [], "timm's RegNet"
    kernels = [drawn(f"conv{i}", (64, 16 + i, 3, 3), math.sqrt(2 / 9 / (16 + i))) for i in range(5)]
    assert faults(*kernels, convs[1]) == [("conv1", "swapped fans")]
    healthy = [drawn(f"x{i}", (512, 100 + i), math.sqrt(2 / (100 + i))) for i in range(3)]
    assert faults(*healthy, whole[1]) == [("layer1.weight", "swapped fans")]


LAYOUTS = {"keras": "IO", "flax": "IO"}


@pytest.mark.parametrize("preset", fi.PRESETS)
def test_presets_pass(preset):
    for shape in [(512, 300), (300, 512), (4096, 64), (64, 4096), (3, 3, 64, 128), (64, 32, 3, 3), (5000, 128)]:
        made = fi.PRESETS[preset]
        weight, bias = np.empty(shape, "f4"), np.empty(300, "f4")
        model = made(weight, bias if made.bias else None, seed=1, name="layer")
        for layout in {"OI", LAYOUTS.get(preset.split("_")[0], "OI")}:
            assert faults(*(of_array(*item) for item in model.items()), layout=layout) == []


@pytest.mark.parametrize("initializer", sorted(set(fi.INITIALIZERS) - {"constant", "ones"}))
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_initializers_pass(initializer, dtype):
    """Of every shape that they take; a matrix of one value other than 0 is a fault whoever wants it."""
    for shape in [(2000, 100), (100, 2000), (300, 300), (64, 32, 3, 3), (32, 64, 3, 3), (128, 64, 9), (10, 10), (1, 300),
                  (300, 1)]:
        try:
            w = getattr(fi, initializer)(shape, *[0.3] * (initializer == "sparse"), seed=1, dtype=dtype)
        except ValueError:
            continue
        assert faults(Tensor("w", w, DTYPES[dtype], dtype)) == []


@pytest.mark.parametrize("name", ["gpt2", "resnet50", "vit-b-16"])
def test_architectures_pass(name):
    shapes = {tensor: shape for tensor, shape in ARCHITECTURES[name].tensors().items() if "wte" not in tensor}
    model = fi.fill({tensor: np.empty(shape, "f4") for tensor, shape in shapes.items()}, ARCHITECTURES[name].rules(), seed=5)
    assert faults(*(of_array(*item) for item in model.items())) == []
