"""fastinit.torch: what it fills is what fastinit fills; what it does not fill, torch does; bad calls end as torch's."""

import doctest
import importlib
import inspect
import math
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import fastinit as fi  # noqa: E402
import fastinit.torch as ft  # noqa: E402
from fastinit.torch.init import DROP_INS  # noqa: E402

DTYPES = ["float32", "float64", "float16", "bfloat16"]
NAN, INF = math.nan, math.inf
NEEDS = {"sparse_": (0.3,)}
LAYOUTS = {"contiguous": lambda t: t, "transposed": lambda t: t.t(),
           "strided": lambda t: t[::2, 1:], "column": lambda t: t[:, :1]}


def bits(tensor):
    tensor = tensor.detach().contiguous()
    return (tensor.view(torch.uint16) if tensor.dtype is torch.bfloat16 else tensor).numpy()


def same(a, b):
    a, b = (bits(x) if isinstance(x, torch.Tensor) else x for x in (a, b))
    return a.shape == b.shape and a.dtype == b.dtype and bool((a == b).all())


@pytest.mark.parametrize("module", ["acceleration", "init", "materialization", "tensors"])
def test_examples(module):
    found = importlib.import_module(f"fastinit.torch.{module}")
    assert doctest.testmod(found).failed == 0


def test_every_public_function_has_an_example():
    for name in set(ft.__all__) - set(vars(nn.init)) | {function.__name__ for function in DROP_INS}:
        assert doctest.DocTestFinder().find(getattr(ft, name), name)[0].examples, name


# The drop-ins


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("function", DROP_INS, ids=lambda f: f.__name__)
def test_values_are_fastinits(function, layout, dtype):
    back = torch.full((40, 50), 7.0, dtype=getattr(torch, dtype))
    w, args = LAYOUTS[layout](back), NEEDS.get(function.__name__, ())
    assert function(w, *args, seed=3, name="w") is w
    assert same(w, getattr(fi, function.__name__[:-1])(tuple(w.shape), *args, dtype=dtype, seed=3, name="w"))
    outside = torch.ones_like(back, dtype=torch.bool)
    LAYOUTS[layout](outside)[...] = False
    assert (back[outside] == 7).all()  # and nothing else was written


def test_same_names_and_parameters():
    for name in nn.init.__all__:
        theirs, ours = inspect.signature(getattr(nn.init, name)), inspect.signature(getattr(ft, name))
        if name.endswith("_"):
            shared = [p for p in ours.parameters.values() if p.kind is not p.KEYWORD_ONLY]  # the others torch has not
            assert shared == list(theirs.parameters.values()), name


def test_generator_decides_and_advances():
    def draw(*args):
        return ft.normal_(torch.empty(50), 0.0, 2.0, *args)

    g, h = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    first, second = draw(g), draw(g)
    assert same(first, ft.normal_(torch.empty(50), std=2.0, generator=h)) and not same(first, second)
    state = torch.get_rng_state()
    draw(g)
    assert torch.equal(state, torch.get_rng_state())  # torch's own was left alone
    torch.manual_seed(1)
    first = draw()
    assert not same(first, draw())
    torch.manual_seed(1)
    assert same(first, draw())


@pytest.mark.parametrize("function, error, options", [
    (ft.normal_, RuntimeError, {"std": -1.0}), (ft.sparse_, ValueError, {"sparsity": 2.0})])
def test_refused_calls_do_not_advance_the_generator(function, error, options):
    g = torch.Generator().manual_seed(5)
    with pytest.raises(error):
        function(torch.empty(3, 3), generator=g, **options)
    assert torch.equal(g.get_state(), torch.Generator().manual_seed(5).get_state())


def test_seed_and_generator_exclude_each_other():
    with pytest.raises(TypeError, match="seed, generator"):
        ft.normal_(torch.empty(3), seed=0, generator=torch.Generator())
    with pytest.raises(TypeError, match="tensor: .*on meta"):
        ft.normal_(torch.empty(3, device="meta"), seed=0)


# Bad calls: arguments by name, so that each can be made twice. (function, shape, dtype, arguments)
BAD = [
    *(("normal_", (3, 4), d, {"std": -1.0}) for d in DTYPES),
    *(("normal_", (3,), "float32", bad) for bad in ({"std": NAN}, {"std": "1"}, {"foo": 1}, {"num_threads": 1})),
    ("normal_", (3,), "int64", {}), ("normal_", (3,), "bool", {}), ("normal_", (3,), "float32", {"generator": 5}),
    ("normal_", (3,), "float32", {"mean": 1j}), ("normal_", (0,), "float32", {"std": -1.0}),
    ("uniform_", (3,), "float32", {"a": 2.0, "b": 1.0}), ("uniform_", (3,), "float32", {"b": INF}),
    ("uniform_", (3,), "float32", {"a": NAN}),
    ("uniform_", (3,), "float16", {"b": 1e6}), ("uniform_", (3,), "float32", {"a": None}), ("uniform_", (3,), "int32", {}),
    ("trunc_normal_", (3,), "float32", {"a": 2.0, "b": 1.0}), ("trunc_normal_", (3,), "float32", {"a": NAN}),
    ("trunc_normal_", (3,), "int64", {}), ("trunc_normal_", (3,), "float32", {"std": "1"}),
    ("constant_", (3,), "float16", {"val": 1e6}), ("constant_", (3,), "float32", {"val": "1"}),
    ("constant_", (3,), "float32", {}),
    ("eye_", (3,), "float32", {}), ("dirac_", (3, 3), "float32", {}), ("dirac_", (4, 2, 3), "float32", {"groups": 3}),
    *((name, shape, "float32", {}) for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
                                                "orthogonal_") for shape in [(), (3,), (0,), (0, 5)]),
    *((name, (3, 4), "float32", {"gain": gain}) for name in ("xavier_uniform_", "xavier_normal_") for gain in (-1.0, NAN, "1")),
    *((name, (3, 4), "float32", bad) for name in ("kaiming_uniform_", "kaiming_normal_") for bad in (
        {"mode": "fan"}, {"mode": 3}, {"nonlinearity": "gelu"}, {"nonlinearity": None}, {"a": "1"}, {"a": True}, {"a": NAN},
        {"nonlinearity": "relu", "a": "unread"})),
    ("sparse_", (3,), "float32", {"sparsity": 0.1}), ("sparse_", (3, 3), "float32", {}),
    ("sparse_", (3, 3), "float32", {"sparsity": 0.1, "std": -1.0}), ("sparse_", (3, 3), "int64", {"sparsity": 0.1}),
]


def outcome(function, tensor, options):
    """Error or result, warnings, and memory after."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = function(tensor, **options)
            end = (result is tensor, tensor.shape, tensor.dtype)
        except Exception as error:
            end = (type(error), str(error), tensor.tolist())
    return end, [(w.category, str(w.message), w.filename) for w in seen]


@pytest.mark.parametrize("name, shape, dtype, options", BAD, ids=lambda value: str(value))
def test_bad_calls_end_as_torchs(name, shape, dtype, options):
    ends = [outcome(getattr(module, name), torch.ones(shape, dtype=getattr(torch, dtype)), options) for module in (nn.init, ft)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("target", ["expanded", "inference", "not a tensor", "sparse"])
def test_bad_targets_end_as_torchs(target):
    def make():
        if target == "inference":
            with torch.inference_mode():
                return torch.ones(3, 3)
        return {"expanded": torch.ones(3, 1).expand(3, 4), "not a tensor": np.ones((3, 3)),
                "sparse": torch.eye(3).to_sparse()}[target]

    ends = []
    for module in (nn.init, ft):
        with pytest.raises(Exception) as raised:
            module.normal_(make())
        ends.append((raised.type, str(raised.value)))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("old", [name for name in nn.init.__all__ if not name.endswith("_") and name != "calculate_gain"])
def test_old_names_warn_as_torchs(old):
    shape = (4, 4, 3) if old == "dirac" else (4, 4)
    options = {"constant": {"val": 1.0}, "sparse": {"sparsity": 0.1}}.get(old, {})
    ends = [outcome(getattr(module, old), torch.ones(shape), options) for module in (nn.init, ft)]
    assert ends[0] == ends[1] and ends[0][1][0][2] == __file__


# Where torch is wrong.


@pytest.mark.parametrize("options", [{"std": -1.0}, {"std": NAN}, {"mean": NAN}])
def test_trunc_normal_refuses_what_torch_answers_wrongly(options):
    w = torch.ones(2000)
    nn.init.trunc_normal_(w, **options)  # no error: another distribution
    w.fill_(1.0)
    with pytest.raises(ValueError, match=next(iter(options))):
        ft.trunc_normal_(w, **options)
    assert (w == 1).all()


@pytest.mark.parametrize("sparsity", [1.5, -0.5, NAN])
def test_sparse_refuses_a_sparsity_that_is_none(sparsity):
    with pytest.raises(ValueError, match="sparsity"):
        ft.sparse_(torch.ones(4, 4), sparsity)


def test_filled_where_torch_raises():
    w = torch.ones(10000)
    for error, function, options, low, high in [
            (ZeroDivisionError, "trunc_normal_", {"std": 0.0, "mean": 0.5}, 0.5, 0.5),
            (RuntimeError, "trunc_normal_", {"a": 0.6, "b": INF}, 0.6, INF),
            (RuntimeError, "uniform_", {"a": -3e38, "b": 3e38}, -3e38, 3e38)]:
        with pytest.raises(error):
            getattr(nn.init, function)(w, **options)
        getattr(ft, function)(w, **options)
        assert low <= w.min() <= w.max() <= high
    for mode in ("fan_avg", "fan_geo_avg"):
        with pytest.raises(ValueError):
            nn.init.kaiming_normal_(torch.ones(3, 4), mode=mode)
        assert same(ft.kaiming_normal_(torch.ones(3, 4), mode=mode, seed=0), fi.kaiming_normal((3, 4), mode=mode, seed=0))
    for shape in [(0, 0), (5, 4, 0)]:
        for name in ("xavier_uniform_", "xavier_normal_"):
            with pytest.raises(ZeroDivisionError):
                getattr(nn.init, name)(torch.empty(shape))
            getattr(ft, name)(torch.empty(shape))
    for dtype in (torch.float16, torch.bfloat16):
        with pytest.raises(RuntimeError):
            nn.init.orthogonal_(torch.empty(8, 8, dtype=dtype))
        w = ft.orthogonal_(torch.empty(8, 8, dtype=dtype), seed=0).float()
        torch.testing.assert_close(w @ w.T, torch.eye(8), atol=0.03, rtol=0)


def test_bounds_hold_in_sixteen_bits():
    for low in (-0.04, -0.05):  # torch's bounds are rounded outward
        w = torch.empty(50000, dtype=torch.bfloat16)
        assert nn.init.trunc_normal_(w, std=0.1, a=low, b=-low, generator=torch.Generator().manual_seed(0)).double().min() < low
        assert ft.trunc_normal_(w, std=0.1, a=low, b=-low, seed=0).double().min() >= low


# std of each distribution, from its published formula, on a (400, 200, 3) tensor: fan_in 600, fan_out 1200.
STDS = {
    "uniform_": ({"a": -1.0, "b": 3.0}, 4 / math.sqrt(12), (-1.0, 3.0)),
    "normal_": ({"mean": 0.5, "std": 0.02}, 0.02, None),
    "trunc_normal_": ({"std": 0.02, "a": -0.04, "b": 0.04}, 0.02 * 0.87962566103423978, (-0.04, 0.04)),
    "xavier_uniform_": ({"gain": 2.0}, 2 * math.sqrt(2 / 1800), 2 * math.sqrt(6 / 1800)),
    "xavier_normal_": ({"gain": 2.0}, 2 * math.sqrt(2 / 1800), None),
    "kaiming_uniform_": ({"mode": "fan_out", "nonlinearity": "relu"}, math.sqrt(2 / 1200), math.sqrt(6 / 1200)),
    "kaiming_normal_": ({"a": math.sqrt(5)}, math.sqrt(1 / 3 / 600), None),
    "orthogonal_": ({"gain": 3.0}, 3 / math.sqrt(600), None),
}


@pytest.mark.parametrize("name", STDS)
def test_std_and_bounds(name):
    options, std, bounds = STDS[name]
    n = 240000
    for function in (getattr(ft, name), getattr(nn.init, name)):  # torch's too: the formulas are the same
        w = function(torch.empty(400, 200, 3), generator=torch.Generator().manual_seed(0), **options).double()
        # The relative error of a standard deviation is at most sqrt(1 / 2n) for these; 6 of those: 2e-9.
        assert abs(w.std(correction=0).item() / std - 1) < 6 / math.sqrt(2 * n)
        if bounds is not None:
            low, high = bounds if isinstance(bounds, tuple) else (-bounds, bounds)
            width = high - low
            assert low <= w.min() + 1e-7 and w.max() <= high + 1e-7
            assert w.min() < low + 1e-3 * width and w.max() > high - 1e-3 * width


# Memory and autograd


def test_autograd_is_told_and_allows_it():
    w = nn.Parameter(torch.ones(3))
    view, before = w[1:], w._version
    ft.normal_(w, seed=0)
    assert w._version == before + 1 and w.is_leaf and w.requires_grad and same(w[1:], view)
    x = torch.ones(3, requires_grad=True)
    y = (x * w).sum()
    ft.normal_(w)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_inference_tensors_in_inference_mode():
    with torch.inference_mode():
        w = torch.ones(3)
        assert same(ft.normal_(w, seed=0), fi.normal(3, seed=0))


def test_storage_stays_resizable():
    w = ft.normal_(torch.empty(3), seed=0)
    w.untyped_storage().resize_(64)  # FSDP does; not after Tensor.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        v = torch.empty(3)
        v.numpy()
        v.untyped_storage().resize_(64)


class Subclass(torch.Tensor):
    pass


OTHERS = {
    "complex64": lambda: torch.ones(5, dtype=torch.complex64), "neg": lambda: torch.ones(5, dtype=torch.complex64).conj().imag,
    "subclass": lambda: torch.ones(5).as_subclass(Subclass),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_tensors_are_torchs(kind):
    torch.manual_seed(0)
    theirs = nn.init.normal_(OTHERS[kind]())
    torch.manual_seed(0)
    ours = OTHERS[kind]()
    assert ft.normal_(ours) is ours and torch.equal(ours, theirs) and not torch.equal(ours, OTHERS[kind]())


@pytest.mark.parametrize("name", ["normal_", "trunc_normal_"])
def test_what_fastinit_refuses_is_torchs_bit_for_bit(name):
    """An infinite std; the generator goes to torch as it came."""
    made = []
    for module in (nn.init, ft):
        generator = torch.Generator().manual_seed(8)
        torch.manual_seed(8)
        made.append([getattr(module, name)(torch.ones(50), std=INF, generator=g) for g in (generator, None)])
    assert all(torch.equal(a, b) and not (a == 1).all() for a, b in zip(*made))


def test_meta_and_fake_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.empty(3, 4)
        assert ft.kaiming_normal_(fake) is fake
    for function in DROP_INS:
        w = torch.empty(3, 4, device="meta")
        assert function(w, *NEEDS.get(function.__name__, ())) is w


def test_inside_vmap():
    torch.vmap(lambda w: ft.normal_(w.clone()), randomness="different")(torch.ones(3, 2))


class Noise(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.from_numpy(fi.normal(3))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning", "ignore:os.fork:RuntimeWarning")
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_draw_items_of_their_own(context):
    """Unless the user seeded the default Rng; then all go on from there, as reproducibility.md tells."""
    fi.manual_seed(None)
    loader = torch.utils.data.DataLoader(Noise(), num_workers=2, multiprocessing_context=context)
    assert len({tuple(item.flatten().tolist()) for item in loader}) == 8


def test_parameters_that_torch_has_not():
    """With a generator, torch's default one, a seed, and within accelerate; parts of a fused weight have fans of their own."""
    bound = math.sqrt(6 / (200 + 100))
    fused = {
        "generator": lambda: ft.xavier_uniform_(torch.empty(300, 200), fused=3, generator=torch.Generator().manual_seed(3)),
        "default": lambda: (torch.manual_seed(3), ft.xavier_uniform_(torch.empty(300, 200), fused=3))[1],
        "seed": lambda: ft.xavier_uniform_(torch.empty(300, 200), fused=3, seed=3),
    }
    values = {how: fill() for how, fill in fused.items()}
    with ft.accelerate(seed=3):
        values["block"] = ft.xavier_uniform_(torch.empty(300, 200), fused=3)
    assert all(0.99 * bound < value.abs().max() <= bound for value in values.values())
    assert torch.equal(values["generator"], values["default"]) and not torch.equal(values["seed"], values["block"])

    generator = torch.Generator().manual_seed(3)
    with pytest.raises(ValueError, match="fused"):
        ft.xavier_uniform_(torch.empty(301, 200), fused=3, generator=generator)
    assert torch.equal(ft.xavier_uniform_(torch.empty(300, 200), fused=3, generator=generator), values["generator"])
    with pytest.raises(TypeError, match="fuse"):
        ft.xavier_uniform_(torch.empty(300, 200), fuse=3)
    with pytest.raises(TypeError, match="generator"):
        ft.xavier_uniform_(torch.empty(300, 200), fused=3, generator=5)
