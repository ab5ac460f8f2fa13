"""What users call: names and defaults, forms, seeds, memory of every kind, blocks, scales, structures, whole models."""

import array
import inspect
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan, prod, sqrt

import ml_dtypes
import numpy as np
import pytest
import reference

import fastinit as fi
from fastinit.core.calls import INITIALIZERS

DTYPES = ["float32", "float64", "float16", ml_dtypes.bfloat16]
POSITIONAL, KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
# Positional parameters after the tensor: torch.nn.init's, and of what it lacks; then options besides the shared and the fans'.
KAIMING = {"a": 0, "mode": "fan_in", "nonlinearity": "leaky_relu"}
TORCH = {"constant": {"val": ...}, "zeros": {}, "ones": {}, "uniform": {"a": 0.0, "b": 1.0}, "xavier_uniform": {"gain": 1.0},
         "trunc_normal": {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0}, "normal": {"mean": 0.0, "std": 1.0}, "eye": {},
         "xavier_normal": {"gain": 1.0}, "kaiming_uniform": KAIMING, "kaiming_normal": KAIMING, "orthogonal": {"gain": 1},
         "dirac": {"groups": 1}, "sparse": {"sparsity": ..., "std": 0.01}}
OURS = {"variance_scaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"}, "lecun_uniform": {},
        "lecun_normal": {}, "delta_orthogonal": {"gain": 1}, "bilinear": {}}
OPTIONS = {"trunc_normal": {"bounds": "absolute", "std_is": "parent"}, "lecun_normal": {"truncated": True},
           "xavier_normal": {"truncated": False}, "kaiming_normal": {"truncated": False}}
SHAPES = {"dirac": (6, 4, 3), "delta_orthogonal": (6, 4, 3), "bilinear": (2, 3, 4, 4)}  # and (6, 4) for the others
NEEDED, SCALED = {"constant": (0.1,), "sparse": (0.5,)}, ("xavier", "kaiming", "lecun", "variance")
ELEMENTWISE = {"uniform": (-0.1, 0.1), "normal": (0.5, 0.02), "trunc_normal": (0.0, 1.0, -1.0, 2.0)}


def parameters(function, kind):
    found = [p for p in inspect.signature(function).parameters.values() if p.kind is kind]
    return [(p.name, ... if p.default is p.empty else p.default) for p in found]


def same(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def test_names_and_defaults():
    assert INITIALIZERS.keys() == {*TORCH, *OURS}
    for name, expected in {**TORCH, **OURS}.items():
        fans = dict(parameters(fi.calculate_fans, KEYWORD)) if name.split("_")[0] in SCALED else {}
        for form, first, dtype in [(name, "shape", "float32"), (name + "_", "tensor", None)]:
            shared = {"seed": None, "name": "", "num_threads": None, "dtype": dtype, "global_shape": None, "offset": None,
                      "index": None}
            assert parameters(getattr(fi, form), POSITIONAL) == [(first, ...), *expected.items()], form
            assert dict(parameters(getattr(fi, form), KEYWORD)) == {**shared, **OPTIONS.get(name, {}), **fans}, form
        method = parameters(getattr(fi.Rng(0), name + "_"), POSITIONAL)
        assert method == [("tensor", ...), *expected.items()], "what help() says of Rng's method"
    assert {"show_config", "fill", "explain", "words", "Rng", "calculate_gain", "STREAM_VERSION"} <= {*fi.__all__}
    assert not [name for name in fi.__all__ if inspect.ismodule(getattr(fi, name))]


def test_names_and_defaults_are_those_of_torch():
    init = pytest.importorskip("torch").nn.init
    for name, expected in TORCH.items():
        theirs = [p for p in parameters(getattr(init, name + "_"), POSITIONAL) if p[0] != "generator"]
        assert theirs == [("tensor", ...), *expected.items()], name


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_every_initializer_has_every_form(name):
    camel, shape, needed = name.title().replace("_", ""), SHAPES.get(name, (6, 4)), NEEDED.get(name, ())
    assert {name, name + "_", camel} <= {*fi.__all__}
    for dtype in DTYPES:  # strides make no difference
        new = getattr(fi, name)(shape, *needed, seed=7, name="w", dtype=dtype)
        assert new.flags.c_contiguous and (new.dtype, new.shape) == (dtype, shape)
        for w in (np.ones(shape, dtype), np.ones(shape, dtype, order="F"), np.ones((2 * shape[0], *shape[1:]), dtype)[::-2]):
            assert getattr(fi, name + "_")(w, *needed, seed=7, name="w") is w and same(w, new)
    rule = pickle.loads(pickle.dumps(getattr(fi, camel)(*needed)))
    assert same(fi.fill({"w": w}, {"*": rule}, seed=7)["w"], new) and repr(rule) == f"{camel}({', '.join(map(str, needed))})"
    fresh = getattr(fi, name)(shape, *needed, seed=fi.Rng(7), dtype=dtype)
    assert same(getattr(fi.Rng(7), name)(shape, *needed, dtype=dtype), fresh)
    assert getattr(fi.Rng(7), name + "_")(w, *needed) is w and same(w, fresh)


def test_rng_and_default_rng():
    a, b = fi.Rng(3), fi.Rng(3)
    first, second = a.normal(100), a.normal(100)
    assert same(b.normal(100), first) and same(b.normal(100), second) and (first != second).all()
    copy = pickle.loads(pickle.dumps(a))
    assert repr(copy) == "Rng(seed=3, calls=2)" and same(copy.normal(100), a.normal(100)) and copy.calls == 3
    assert np.array_equal(fi.words(70, seed=copy, name="w"), reference.words(reference.keys([3], "w", call=3)[0], 0, 70))
    assert (first != fi.normal(100, seed=3)).all() and (first != fi.Rng(3).normal(100, name="x")).all()
    assert (fi.Rng([5]).seed, fi.Rng((5, 6)).seed) == (5, (5, 6)) and fi.Rng().seed != fi.Rng().seed
    for seed in (11, None):
        again = fi.Rng((default := fi.manual_seed(seed)).seed)
        assert same(fi.normal(50), again.normal(50)) and same(fi.normal_(np.ones(50, "f4")), again.normal(50))
        assert default is fi.default_rng() and default.calls == 2
    rng, alone = fi.Rng(0), fi.Rng(0)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: rng.normal(4).tobytes(), range(2000)))
    assert sorted(found) == sorted(alone.normal(4).tobytes() for _ in range(2000)) and rng.calls == 2000


def test_seeds_and_names():
    seeds, names, different = [[0], [1], [2**32], [2**64], [2**64 + 1], [2**500], [1, 2], [2, 1], [0, 0]], "awü", set()
    for seed, name in itertools.product(seeds + seeds[::-1], names):
        words = fi.words(70, seed=seed[0] if len(seed) == 1 else seed, name=name)
        assert np.array_equal(words, reference.words(reference.keys(seed, name)[0], 0, 70))
        assert np.array_equal(words, fi.words(70, seed=seed, name=name))
        different.add(fi.normal(64, seed=seed, name=name).tobytes())
    assert len(different) == len(seeds) * len(names)
    for equal in (5, [5], (5,), np.int64(5), np.uint8(5), np.array(5), np.array([5]), [np.uint64(5)], range(5, 6)):
        assert np.array_equal(fi.words(9, seed=equal), fi.words(9, seed=5)), equal
    for kind in (np.random.PCG64, np.random.Philox, np.random.SFC64, np.random.MT19937):
        low, high = map(int, np.random.Generator(kind(1)).integers(0, 2**64, 2, np.uint64))
        for source in (kind(1), np.random.Generator(kind(1))):
            assert np.array_equal(fi.words(9, seed=source), fi.words(9, seed=high << 64 | low))
            assert (fi.words(9, seed=source) != fi.words(9, seed=high << 64 | low)).any(), "128 bits are drawn at each call"
    low, high = map(int, np.random.SeedSequence(1).generate_state(2, np.uint64))
    assert all(np.array_equal(fi.words(9, seed=s), fi.words(9, seed=high << 64 | low)) for s in 2 * [np.random.SeedSequence(1)])


SHAPE = (37, 61, 89)  # more than a staging tile; in float64 more than a thread's worth
PLACEMENTS = {
    "F": lambda d: np.zeros(SHAPE, d, order="F"), "field": lambda d: np.zeros(SHAPE, [("pad", "u1"), ("x", d)])["x"],
    "permuted": lambda d: np.zeros((61, 89, 37), d).transpose(2, 0, 1), "[::2]": lambda d: np.zeros((74, 61, 89), d)[::2],
    "[..., ::3]": lambda d: np.zeros((37, 61, 267), d)[..., ::3], "[::-1]": lambda d: np.zeros(SHAPE, d)[::-1, :, ::-1],
    "inner": lambda d: np.zeros((40, 70, 91), d)[1:38, 5:66, 1:90], "T": lambda d: np.zeros(SHAPE[::-1], d).T,
    "misaligned": lambda d: np.zeros(prod(SHAPE) * np.dtype(d).itemsize + 1, "u1")[1:].view(d).reshape(SHAPE),
}


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_values_follow_the_logical_index(placement):
    for (name, args), dtype in itertools.product(ELEMENTWISE.items(), DTYPES):
        w = PLACEMENTS[placement](dtype)
        assert same(getattr(fi, name + "_")(w, *args, seed=4), getattr(fi, name)(SHAPE, *args, seed=4, dtype=dtype))
        w[...] = 0
        assert not any((w if w.base is None else w.base).tobytes()), "nothing but the elements was written"


def test_buffers_of_all_kinds(tmp_path):
    for code in "fd":
        expected = fi.normal((3, 4), seed=1, dtype=code)
        views = [memoryview(bytearray(expected.nbytes)).cast(code, shape) for shape in ([12], [3, 4])]
        for target in (array.array(code, 12 * [0]), *views, np.memmap(tmp_path / code, code, "w+", shape=(3, 4))):
            assert fi.normal_(target, seed=1) is target and bytes(target) == expected.tobytes()
    for w in (np.ones(()), np.ones(0), np.ones((3, 0)), np.ones((0, 4))):
        assert fi.kaiming_normal_(w, fan_in=2, fan_out=1, seed=1) is w and same(w, fi.normal(w.shape, seed=1, dtype="f8"))
    typed, named = (fi.normal((50, 40), seed=1, dtype=dtype) for dtype in (ml_dtypes.bfloat16, "bfloat16"))
    assert same(typed, fi.normal((50, 40), seed=1).astype(ml_dtypes.bfloat16)) and same(typed, named) and named.dtype == "u2"
    for memory in (np.zeros((50, 40), "u2"), np.zeros((40, 50), "u2").T, array.array("H", 2000 * [0])):
        assert fi.normal_(memory, seed=1, dtype="bfloat16") is memory and np.asarray(memory).tobytes() == named.tobytes()
    for value in (-0.0, 0.1, 3, np.float32(0.1), inf, -inf, nan, np.float64(nan)):
        assert all(same(fi.constant(3, value, dtype=dtype), np.full(3, value, dtype)) for dtype in DTYPES), value


CUT, M, K, U, N, T = 0.87962566103423978, (400, 300), (64, 32, 9, 9), "uniform", "normal", "trunc_normal"


@pytest.mark.parametrize("name, shape, options, kind, std", [  # the fans are written out; CUT is the std of N(0, 1) cut at 2
    ("kaiming_normal", (64, 9, 9, 32), {"layout": "OHWI", "nonlinearity": "tanh"}, N, 5 / 3 / sqrt(2592)),
    ("kaiming_normal", 10**6, {"fan_in": 50}, N, 0.2), ("variance_scaling", M, {"mode": "fan_geo_avg"}, T, 120000**-0.25),
    ("kaiming_normal", K, {"groups": 4, "mode": "fan_out"}, N, sqrt(2 / 1296)),
    ("kaiming_normal", M, {}, N, sqrt(1 / 150)), ("kaiming_uniform", K, {"a": 2, "transposed": True}, U, sqrt(2 / 5 / 5184)),
    ("xavier_normal", (9, 9, 32, 64), {"layout": "IO"}, N, sqrt(2 / (2592 + 5184))), ("lecun_uniform", M, {}, U, 1 / sqrt(300)),
    ("kaiming_uniform", M, {"a": sqrt(5)}, U, 1 / 30), ("xavier_uniform", K, {"gain": 3}, U, 3 * sqrt(2 / (2592 + 5184))),
    ("lecun_normal", (20, 30, 200), {"in_axis": 1, "out_axis": 2, "batch_axis": 0, "truncated": False}, N, 1 / sqrt(30)),
    ("lecun_normal", M, {}, T, 1 / sqrt(300)), ("xavier_normal", (900, 300), {"fused": 3, "truncated": True}, T, sqrt(2 / 600)),
    ("normal", 10**6, {"std": 3}, N, 3), ("variance_scaling", M, {"scale": 4, "mode": "fan_out", "distribution": N}, N, 0.1),
    ("trunc_normal", 10**6, {"bounds": "std", "std_is": "result"}, T, 1), ("trunc_normal", 10**6, {"bounds": "std"}, T, CUT),
    ("variance_scaling", M, {"scale": 7, "mode": "FAN_AVG", "distribution": U}, U, sqrt(7 / 350)),
    ("xavier_uniform", K, {"groups": 2}, U, sqrt(1 / 2592)), ("kaiming_normal", M, {"truncated": True}, T, sqrt(1 / 150)),
])
def test_scales(name, shape, options, kind, std):
    e, w = fi.explain(name, shape, **options), getattr(fi, name)(shape, seed=1, **options).astype("f8").ravel()
    bound = {U: sqrt(3) * std, T: 2 * std / CUT, N: inf}[kind]
    assert e.distribution == kind and [e.mean, e.std, -e.low, e.high] == pytest.approx([0, std, bound, bound], rel=1e-12)
    assert abs(w.mean()) < 6 * std / sqrt(w.size) and abs(w.std() / std - 1) < 6 / sqrt(2 * w.size)
    reach = {U: bound * (1 - 1e-4), T: bound * 0.99, N: 4 * std}[kind]
    assert reach < w.max() <= bound and reach < -w.min() <= bound


def test_explain_and_limits():
    e = fi.explain("trunc_normal_", (10, 4), 1.0, 0.5, -2, 2, bounds="std", dtype="float64")
    assert (e.initializer, e.shape, e.dtype, e.words, e.low, e.high) == (T, (10, 4), "float64", 80, 0, 2)
    assert [e.acceptance, e.draws, e.std] == pytest.approx([0.9544997361036416, 1.0476691, 0.5 * CUT])
    e = fi.explain(fi.kaiming_normal, (64, 32, 3, 3), groups=2, dtype="bfloat16")
    assert (e.fan_in, e.fan_out, e.gain, e.words, e.dtype, e.acceptance) == (288, 288, sqrt(2), 18432, "bfloat16", 1)
    words = {name: fi.explain(name, SHAPES.get(name, (6, 4)), *NEEDED.get(name, ())).words for name in INITIALIZERS}
    assert words == {name: 0 if name in ("bilinear", "constant", "dirac", "eye", "ones", "zeros") else 24 for name in words}
    assert fi.explain("bilinear", (1, 1, 2**24, 2**24)).shape[2] == 2**24, "nothing is made"
    for dtype, n in [("f4", 2**48), ("f8", 2**47)]:  # the largest tensors
        w = fi.normal(3, seed=1, dtype=dtype, global_shape=(n,), offset=(n - 3,))
        assert fi.explain("normal", n, dtype=dtype).words == 2**48 and np.isfinite(w).all()
    assert same(fi.trunc_normal(5000, 0, 0.02, seed=1), fi.normal(5000, 0, 0.02, seed=1)), "absolute bounds of 2 cut nothing"
    for args in [(0.5, 0.0), (0.5, 2.0, 0.5, 0.5), (0.5, 0.0, -inf, 2.0)]:
        assert (fi.trunc_normal(9, *args) == 0.5).all() and (fi.trunc_normal(9, 0.5, 0.0, *args[2:], bounds="std") == 0.5).all()


@pytest.mark.parametrize("dtype, error", list(zip(DTYPES, (1e-5, 1e-12, 4e-3, 3e-2))), ids=str)
def test_orthogonal(dtype, error):
    for shape in [(40, 40), (20, 60), (60, 20), (16, 3, 3, 4), (50, 3, 2, 2), (1, 5), (5, 1)]:
        for gain in (1, 2.5, -0.5):
            w = fi.orthogonal(shape, gain, seed=1, dtype=dtype).astype("f8").reshape(shape[0], -1)
            product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            assert abs(product - gain**2 * np.eye(len(product))).max() < error * gain**2
        assert not same(fi.orthogonal(shape, seed=1, dtype=dtype), fi.orthogonal(shape, seed=2, dtype=dtype))
    for shape, centre in [((6, 4, 3), (1,)), ((5, 5, 4, 3), (1, 1)), ((4, 1, 1, 2, 5), (0, 0, 2))]:
        w = fi.delta_orthogonal(shape, 2.0, seed=1, dtype=dtype).astype("f8")
        middle = w[(slice(None), slice(None), *centre)]
        assert abs(middle.T @ middle - 4 * np.eye(shape[1])).max() < 4 * error and np.count_nonzero(w) == middle.size


def test_eye_dirac_bilinear_sparse():
    assert (fi.eye((3, 5), dtype="bfloat16") == 0x3F80 * np.eye(3, 5)).all()
    for shape, groups in [((6, 4, 3), 1), ((6, 2, 4), 3), ((4, 9, 2, 5), 2), ((8, 2, 3, 4, 5), 4)]:
        expected, per_group = np.zeros(shape), shape[0] // groups
        for g, d in np.ndindex(groups, min(per_group, shape[1])):  # as torch writes it
            expected[(g * per_group + d, d, *(k // 2 for k in shape[2:]))] = 1
        assert (fi.dirac(shape, groups) == expected).all()
    assert (fi.bilinear((2, 3, 4, 4)) == np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25])).all()
    for tent in ([1], [1, 0], [0.25, 0.75, 0.75], [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3]):  # 1 - |i / f - c| by hand
        assert fi.bilinear((1, 2, len(tent), 1), dtype="f8")[0, 1, :, 0] == pytest.approx(tent, abs=1e-15)
    w = fi.sparse((500, 400), 0.3, std=0.5, seed=1)
    kept, zero = w[w != 0], w == 0
    assert (zero.sum(axis=0) == 150).all() and len({column.tobytes() for column in zero.T}) == 400
    assert abs(zero.mean(axis=1) - 0.3).max() < 6 * sqrt(0.3 * 0.7 / 400), "each row as likely as another"
    assert abs(kept.std() / 0.5 - 1) < 6 / sqrt(2 * kept.size) and same(w, fi.sparse((500, 400), 0.3, std=0.5, seed=1))
    assert [(fi.sparse((7, 2), part, seed=1) == 0).sum(axis=0).tolist() for part in (0, 0.1, 1)] == [[0, 0], [1, 1], [7, 7]]


def test_fill():
    rules = {"*.bias": fi.Zeros(), "h.?.weight": fi.Normal(std=2), "c": fi.Orthogonal(), "*": fi.KaimingUniform(1, layout="IO")}
    scaled = (fi.kaiming_uniform, {"a": 1, "layout": "IO"})
    calls = {"h.0.weight": (30, 40, fi.normal, {"std": 2}), "h.0.bias": (4, 5, fi.zeros, {}), "c": (9, 9, fi.orthogonal, {}),
             "H.1.weight": (30, 40, *scaled), "h.1.weight": (30, 40, fi.normal, {"std": 2}), "head": (300, 4000, *scaled)}
    for names, pairs, new in [([*calls], rules, lambda: 3), ([*calls][::-2], [*rules.items()], lambda: fi.Rng(3))]:
        model = {name: np.ones(calls[name][:2], "f4") for name in names}
        assert fi.fill(model, pairs, seed=new(), num_threads=2) is model
        for name in names:
            *shape, function, options = calls[name]
            assert same(model[name], function(shape, seed=new(), name=name, **options)), name
    qkv = np.zeros((4, 24), "f4")  # columns interleave in memory, and share none
    model = {"q": qkv[:, :8], "k": qkv[:, 8:16], "v": qkv[:, 16:], "b": np.zeros((4, 8), "u2"), "c": array.array("H", 32 * [0])}
    fi.fill(model, {"*": fi.Normal()}, seed=3, dtype="bfloat16")
    for name, dtype in zip(model, ("f4", "f4", "f4", "bfloat16", "bfloat16")):
        assert np.asarray(model[name]).tobytes() == fi.normal((4, 8), seed=3, name=name, dtype=dtype).tobytes(), name


class Changing:
    """A number that is not the same at every look."""

    value = 1.0

    def __float__(self):
        return self.value


def test_short_way_knows_what_it_was_given():
    """Small calls remember their plan, by arguments that are the same only if they are equal."""
    w, std = np.empty(8, "f4"), Changing()
    for value in (1.0, 2.0, 1.0):
        std.value = value
        assert np.array_equal(fi.normal_(w, 0.0, std, seed=1), fi.normal(8, 0.0, value, seed=1))
    for val in (0.0, -0.0, 0.0):
        assert np.signbit(fi.constant_(w, val=val)).all() == np.signbit(fi.constant_(w, val)).all() == np.signbit(val)
    fi.kaiming_normal_(w.reshape(4, 2), in_axis=(1,), out_axis=(0,), seed=0)
    with pytest.raises(TypeError, match="in_axis"):
        fi.kaiming_normal_(w.reshape(4, 2), in_axis=(True,), out_axis=(0,), seed=0)
    with pytest.raises(TypeError, match="^val: "):
        fi.constant_(w, np.array([1.0, 2.0]))
