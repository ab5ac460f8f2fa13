"""fastinit.torch on whole models: those built within `accelerate`, and those made on the meta device."""

import importlib.util
import json
import math
import os
import runpy
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
from torch.nn.init import kaiming_normal_, normal_, orthogonal_, trunc_normal_, xavier_uniform_  # noqa: E402  bound, as others do

import fastinit as fi  # noqa: E402
import fastinit.torch as ft  # noqa: E402
from test_torch import DTYPES, INF, bits, same  # noqa: E402

ROOT = Path(__file__).parents[2]


class Net(nn.Module):
    """What models do: layers' defaults, names bound at import, .data, torch.randn."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Linear(30, 20, dtype=dtype), nn.Conv2d(4, 8, 3, groups=2, dtype=dtype), nn.Embedding(50, 8, padding_idx=0),
            nn.MultiheadAttention(8, 2), nn.LSTM(6, 5), nn.BatchNorm1d(4), nn.Bilinear(3, 4, 5),
            nn.TransformerEncoderLayer(8, 2)])
        self.token = nn.Parameter(torch.randn(1, 4))
        self.noise = nn.Parameter(torch.rand_like(self.token))
        self.order = torch.randperm(20)
        self.bound = nn.ParameterList([torch.empty(30, 20) for _ in range(6)])
        normal_(self.bound[0], std=0.3)
        trunc_normal_(self.bound[1], std=0.02, a=-0.04, b=0.04)
        xavier_uniform_(self.bound[2])
        kaiming_normal_(self.bound[3], mode="fan_out")
        orthogonal_(self.bound[4])
        self.bound[5].data.normal_(mean=0.0, std=0.02)

    def all(self):
        return [*self.state_dict().values(), self.order]


def test_accelerate_repeats_and_torch_draws_nothing():
    state = torch.get_rng_state()
    made = []
    for seed in (0, 0, 1):
        with ft.accelerate(seed=seed):
            made.append(Net().all())
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(made[0], made[1]))
    plain = Net().all()
    for a, b in zip(made[0], plain):
        assert a.shape == b.shape and a.dtype == b.dtype
    constant = [bool((t == t.flatten()[0]).all()) for t in plain]
    assert [torch.equal(a, b) for a, b in zip(made[0], made[2])] == constant


@pytest.mark.parametrize("dtype", DTYPES)
def test_accelerate_fills_in_order_of_calls(dtype):
    rng, kind = fi.Rng(7), getattr(torch, dtype)
    with ft.accelerate(seed=7):
        a, w = nn.Linear(30, 20, dtype=kind), torch.empty(40, 30, dtype=kind)
        assert same(a.weight, rng.kaiming_uniform((20, 30), math.sqrt(5), dtype=dtype))
        assert same(a.bias, rng.uniform(20, -1 / math.sqrt(30), 1 / math.sqrt(30), dtype=dtype))
        assert same(trunc_normal_(w, std=0.5, a=-1.0, b=1.0), rng.trunc_normal((40, 30), 0.0, 0.5, -1.0, 1.0, dtype=dtype))
        assert same(normal_(w, 1.0), rng.normal((40, 30), 1.0, dtype=dtype))
        assert same(w.uniform_(to=3.0), rng.uniform((40, 30), 0.0, 3.0, dtype=dtype))
        assert same(w.uniform_(**{"from": -1.0}), rng.uniform((40, 30), -1.0, dtype=dtype))
        assert same(w.t().normal_(0.0, 2.0), rng.normal((30, 40), 0.0, 2.0, dtype=dtype))
        bound = math.sqrt(3.0) * math.sqrt(2.0 / 70)
        assert same(xavier_uniform_(w), rng.uniform((40, 30), -bound, bound, dtype=dtype))
        assert same(torch.randn(3, 4, dtype=kind), rng.normal((3, 4), dtype=dtype))
        assert same(torch.rand(5, dtype=kind), rng.uniform(5, dtype=dtype))
        assert same(ft.xavier_normal_(w), rng.xavier_normal((40, 30), dtype=dtype))
        assert same(ft.normal_(w, seed=1), fi.normal((40, 30), dtype=dtype, seed=1))


def test_accelerate_nests_and_restores():
    original, state = nn.init._no_grad_trunc_normal_, torch.get_rng_state()
    rng, inner = fi.Rng(1), fi.Rng(2)
    with ft.accelerate(seed=1):
        assert same(torch.empty(5).normal_(), rng.normal(5))
        with pytest.raises(ZeroDivisionError), ft.accelerate(seed=2):
            assert same(trunc_normal_(torch.empty(5)), inner.trunc_normal(5))
            raise ZeroDivisionError
        assert same(trunc_normal_(torch.empty(5)), rng.trunc_normal(5))
    assert nn.init._no_grad_trunc_normal_ is original and torch.equal(state, torch.get_rng_state())
    trunc_normal_(torch.empty(5))
    assert not torch.equal(state, torch.get_rng_state())


def test_accelerate_is_of_its_thread():
    made, inside, done = {}, threading.Event(), threading.Event()

    def elsewhere():
        inside.wait(10)
        generator = torch.Generator().manual_seed(3)
        made["torch"] = trunc_normal_(normal_(torch.empty(9), generator=generator), generator=generator)
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    with ft.accelerate(seed=0):
        inside.set()
        done.wait(10)
    thread.join()
    generator = torch.Generator().manual_seed(3)
    assert torch.equal(made["torch"], trunc_normal_(normal_(torch.empty(9), generator=generator), generator=generator))


def test_accelerate_obeys_generators_and_marks():
    loaded = nn.Parameter(torch.ones(4, 4))
    loaded._is_hf_initialized = True
    with ft.accelerate(seed=0):
        for function in (normal_, trunc_normal_, xavier_uniform_, kaiming_normal_, nn.init.zeros_, nn.init.kaiming_uniform_):
            function(loaded)
        nn.init.constant_(loaded, 3.0)
        with torch.no_grad():
            loaded.normal_(), loaded.uniform_(), loaded.zero_(), loaded.fill_(2.0)
        assert (loaded == 1).all()
        drawn = [torch.empty(5).normal_(generator=torch.Generator().manual_seed(1)) for _ in range(2)]
        assert same(*drawn)
        drawn = [torch.randn(5, generator=torch.Generator().manual_seed(1)) for _ in range(2)]
    assert same(drawn[0], torch.randn(5, generator=torch.Generator().manual_seed(1)))


def test_accelerate_keeps_torchs_errors_and_gradients():
    with ft.accelerate(seed=0):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            torch.ones(3, requires_grad=True).normal_()
        with pytest.raises(RuntimeError, match="std >= 0"):
            nn.init.normal_(torch.ones(3), std=-1.0)
        with pytest.raises(NotImplementedError):
            torch.empty(3, dtype=torch.int64).normal_()
        with pytest.warns(UserWarning, match="no-op"):
            nn.init.kaiming_uniform_(torch.empty(0, 3))
        leaf = torch.ones(3, requires_grad=True)
        made = (leaf * 1).normal_()
        assert made.grad_fn is not None  # recorded: the gradient is zero
        made.sum().backward()
        assert (leaf.grad == 0).all() and torch.randn(3, requires_grad=True).is_leaf


def test_accelerate_where_fastinit_refuses():
    def make():
        with warnings.catch_warnings(), ft.accelerate(seed=0):
            warnings.simplefilter("ignore")
            return [torch.empty(99, dtype=torch.complex64).normal_(), torch.empty(99).exponential_(), torch.randint(9, (99,)),
                    torch.bernoulli(torch.full((99,), 0.5)), nn.init.normal_(torch.empty(99), std=INF),
                    trunc_normal_(torch.empty(99), std=INF), nn.init.sparse_(torch.empty(9, 9), 0.5)]

    state = torch.get_rng_state()
    for a, b in zip(make(), make()):
        assert torch.equal(a, b)
    assert torch.equal(state, torch.get_rng_state())


def test_accelerate_on_meta_device():
    with ft.accelerate(seed=0), torch.device("meta"):
        assert all(p.is_meta for p in Net().parameters())
    with torch.device("meta"), ft.accelerate(seed=0):
        assert all(p.is_meta for p in Net().parameters())


def test_accelerate_sees_functions_that_replace_torchs(monkeypatch):
    theirs = nn.init.normal_
    monkeypatch.setattr(nn.init, "normal_", lambda tensor, mean=0.0, std=1.0, generator=None: theirs(
        tensor, mean=mean, std=std, generator=generator))
    nn.init.normal_.__name__ = "normal_"  # as transformers' has it
    with ft.accelerate(seed=4):
        assert same(nn.init.normal_(torch.empty(9), std=2.0), fi.Rng(4).normal(9, std=2.0))


# materialize

RULES = {"*.bias": fi.Zeros(), "*norm.weight": fi.Ones(), "*": fi.KaimingNormal(mode="fan_out")}


class Tied(nn.Module):
    def __init__(self, dtype=None):
        super().__init__()
        self.embedding = nn.Embedding(11, 6, dtype=dtype)
        self.body = nn.Sequential(nn.Linear(6, 6, dtype=dtype), nn.Conv1d(6, 6, 3, dtype=dtype))
        self.norm = nn.BatchNorm1d(6, dtype=dtype)
        self.head = nn.Linear(6, 11, bias=False, dtype=dtype)
        self.head.weight = self.embedding.weight
        self.body[0].bias.requires_grad_(False)


def on_meta(dtype=None):
    with torch.device("meta"):
        return Tied(dtype)


BUFFERS = {"*running_mean": fi.Zeros(), "*running_var": fi.Ones(), "*num_batches_tracked": fi.Zeros()}


@pytest.mark.parametrize("dtype", DTYPES)
def test_materialize_is_fill_by_name(dtype):
    model = on_meta(getattr(torch, dtype))
    assert ft.materialize(model, BUFFERS | RULES, seed=[1, 2]) is model
    for name, parameter in model.named_parameters():
        rule = fi.Zeros() if name.endswith("bias") else fi.Ones() if name == "norm.weight" else RULES["*"]
        expected = rule.initializer(tuple(parameter.shape), *rule.args, dtype=dtype, seed=[1, 2], name=name, **rule.options)
        assert same(parameter, expected), name
    assert model.head.weight is model.embedding.weight and isinstance(model.head.weight, nn.Parameter)
    assert not model.body[0].bias.requires_grad and model.body[0].weight.requires_grad
    assert (model.norm.running_mean == 0).all() and (model.norm.running_var == 1).all() and model.norm.num_batches_tracked == 0


def test_materialize_with_an_rng_counts_one_call():
    rng = fi.Rng(3)
    model = ft.materialize(on_meta(), BUFFERS | RULES, seed=rng)
    assert rng.calls == 1
    arrays = {"body.0.weight": bits(torch.empty(6, 6))}
    fi.fill(arrays, RULES, seed=fi.Rng(3))
    assert same(model.body[0].weight, arrays["body.0.weight"])


def test_materialize_keeps_buffers_that_have_values():
    model = on_meta()
    with torch.device("cpu"):
        model.norm.running_mean = torch.full((6,), 5.0)
        model.norm.running_var = torch.full((6,), 6.0)
        model.norm.num_batches_tracked = torch.tensor(7)
    kept = model.norm.running_mean
    ft.materialize(model, RULES, seed=0)
    assert model.norm.running_mean is kept and (kept == 5).all() and (model.norm.running_var == 6).all()
    assert model.norm.num_batches_tracked == 7


def test_materialize_fills_a_model_that_has_memory_in_place():
    model = nn.Sequential(nn.Linear(4, 3))
    weight = model[0].weight
    ft.materialize(model, {"*": fi.Normal()}, seed=0)
    assert model[0].weight is weight and same(weight, fi.normal((3, 4), seed=0, name="0.weight"))


@pytest.mark.parametrize("rules, error, message", [
    ({"*.weight": fi.Normal()}, ValueError, "'body.0.bias'"),
    ({"*weight": fi.Zeros(), "*bias": fi.Zeros()}, ValueError, "'norm.running_mean'"),
    (BUFFERS | {"*.weight": fi.Normal(std=-1.0), "*": fi.Zeros()}, ValueError, "'embedding.weight'.*std"),
    (BUFFERS | {"norm.*": fi.Orthogonal(), "*": fi.Zeros()}, ValueError, "'norm.weight'.*dimensions"),
    (BUFFERS | {"*num_batches_tracked": fi.Normal(), "*": fi.Zeros()}, TypeError, "num_batches_tracked.*int64"),
    ({"*": 3}, TypeError, "rules"),
])
def test_materialize_refuses_and_leaves_the_model(rules, error, message):
    model = on_meta()
    rng = fi.Rng(0)
    with pytest.raises(error, match=message):
        ft.materialize(model, rules, seed=rng)
    assert all(p.is_meta for p in model.parameters()) and rng.calls == 0


def test_a_catch_all_rule_is_for_parameters():
    """A buffer on the meta device is refused, and the row of padding_idx stays zero, in a tied weight too."""
    model = on_meta()
    model.embedding.padding_idx = 2
    with pytest.raises(ValueError, match="'norm.running_mean'.*'\\*' is for parameters"):
        ft.materialize(model, {"*": fi.Normal(std=0.02)}, seed=0)
    for pattern in ("norm.*", "*.?*", "norm*"):
        with pytest.raises(ValueError, match="'norm.running_mean'"):
            ft.materialize(model, {pattern: fi.Zeros(), "*": fi.Normal(std=0.02)}, seed=0)
    assert all(p.is_meta for p in model.parameters())
    ft.materialize(model, BUFFERS | {"*": fi.Normal(std=0.02)}, seed=0)
    expected = fi.normal((11, 6), std=0.02, seed=0, name="embedding.weight")
    expected[2] = 0
    assert same(model.embedding.weight, expected) and model.head.weight is model.embedding.weight


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("of", ["cpu", "meta"])
@pytest.mark.parametrize("make, path", [
    (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)), "{}.weight"),
    (lambda: nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 2), dim=1), "{}.weight"),
    (lambda: nn.utils.weight_norm(nn.Conv1d(3, 4, 2)), "{}.weight"),
    (lambda: nn.utils.weight_norm(nn.LSTM(3, 4), "weight_hh_l0"), "{}.weight_hh_l0"),
])
def test_a_weight_made_of_others_has_the_rules_values(make, path, of):
    with torch.device(of):
        model = nn.Sequential(make())
    ft.materialize(model, {"*bias*": fi.Zeros(), "*": fi.KaimingUniform()}, seed=0)
    name = path.format("0")
    weight = getattr(model[0], name.removeprefix("0."))
    expected = fi.kaiming_uniform(tuple(weight.shape), seed=0, name=name)
    np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-6)
    if isinstance(model[0], nn.Conv1d):  # computed anew, by the hook too
        model(torch.zeros(1, 3, 4))
        np.testing.assert_allclose(model[0].weight.detach().numpy(), expected, rtol=1e-6)


def test_zeros_of_a_normed_weight():
    """Its direction would be 0 / 0; the row of padding_idx is one such."""
    embedding = nn.utils.parametrizations.weight_norm(nn.Embedding(5, 4, padding_idx=1))
    ft.materialize(embedding, {"*": fi.Normal()}, seed=0)
    expected = fi.normal((5, 4), seed=0, name="weight")
    expected[1] = 0
    np.testing.assert_allclose(embedding.weight.detach().numpy(), expected, rtol=1e-6)
    linear = nn.utils.parametrizations.weight_norm(nn.Linear(3, 3))
    assert (ft.materialize(linear, {"*": fi.Zeros()}, seed=0).weight == 0).all()


def test_parts_of_a_weight_by_rules_of_their_own():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 5)))
    ft.materialize(model, {"*bias": fi.Zeros(), "*original0": fi.Constant(3.0), "*": fi.Normal()}, seed=0)
    assert same(model[0].parametrizations.weight.original0, np.full((5, 1), 3, "f4"))
    name = "0.parametrizations.weight.original1"
    assert same(model[0].parametrizations.weight.original1, fi.normal((5, 6), seed=0, name=name))


def test_a_weight_that_cannot_be_set_is_refused():
    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).T

    model = nn.Sequential(nn.Linear(3, 3))
    nn.utils.parametrize.register_parametrization(model[0], "weight", Symmetric())
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(NotImplementedError, match="'0.weight'.*'0.parametrizations.weight.original'"):
        ft.materialize(model, {"*": fi.Normal()}, seed=0)
    assert all(map(torch.equal, before, model.parameters()))
    ft.materialize(model, {"*.original": fi.Normal(), "*": fi.Zeros()}, seed=0)
    name = "0.parametrizations.weight.original"
    assert same(model[0].parametrizations.weight.original, fi.normal((3, 3), seed=0, name=name))


def test_models_that_cannot_be_filled():
    orthogonal = nn.utils.parametrizations.orthogonal(nn.Linear(5, 5))
    for model, error, message in ((nn.LazyLinear(3), ValueError, "'weight'.*shape"), ({}, TypeError, "model"),
                                  (orthogonal, NotImplementedError, "'weight'.*parametrization")):
        with pytest.raises(error, match=message):
            ft.materialize(model, {"*": fi.Normal()}, seed=0)


def test_shared_memory_is_refused_before_anything_is_written():
    base = torch.zeros(8)
    overlapping, expanded = nn.Module(), nn.Linear(4, 4)
    overlapping.a, overlapping.b = nn.Parameter(base[:5]), nn.Parameter(base[3:])
    expanded.weight = nn.Parameter(torch.zeros(1, 4).expand(4, 4))
    with torch.device("meta"):
        meta = nn.Linear(4, 4)
        meta.weight = nn.Parameter(torch.zeros(1, 4).expand(4, 4))
    windows = nn.Module()
    windows.a = nn.Parameter(base.as_strided((3, 4), (2, 1)))
    for model, name in ((overlapping, "'b'.*'a'"), (expanded, "'weight'"), (meta, "'weight'"), (windows, "'a'")):
        with pytest.raises(ValueError, match=name):
            ft.materialize(model, {"*": fi.Normal()}, seed=0)
    assert (base == 0).all() and expanded.bias.abs().max() <= 0.5 and meta.bias.is_meta


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wrapped_models_have_the_bare_ones_values():
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

    def inner():
        return nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3))

    def filled(model):
        ft.materialize(model, {"0.weight": fi.Orthogonal(), "*.bias": fi.Zeros(), "1.*": fi.Normal()}, seed=3)
        return list(model.parameters())

    model = inner()
    model[1] = torch.compile(checkpoint_wrapper(model[1]))
    for wrapped in (torch.compile(inner()), checkpoint_wrapper(inner()), nn.DataParallel(inner()), model):
        assert all(map(torch.equal, filled(wrapped), filled(inner())))


def test_a_module_that_is_called_module_is_no_wrapper():
    model = nn.ModuleDict({"module": nn.Linear(3, 3)})
    ft.materialize(model, {"module.*": fi.Normal()}, seed=0)
    assert same(model["module"].weight, fi.normal((3, 3), seed=0, name="module.weight"))


# Examples, benchmark, import


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("torch_*.py")), ids=lambda path: path.stem)
def test_example_runs_and_is_short(path):
    runpy.run_path(str(path))
    assert len(path.read_text().splitlines()) <= 20


def test_models_of_other_libraries():
    """The benchmark's own checks, on small models: distributions as torch's, and two builds equal."""
    command = [sys.executable, str(ROOT / "benchmarks" / "model_init.py"), "--small", "--turns", "1", "--check"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert run.returncode == 0, run.stderr
    skipped = run.stdout.partition("not installed: ")[2]
    missing = len(skipped.split(",")) if skipped else 0
    assert run.stdout.count("\n| ") == 8 - missing  # a heading and seven models
    for library, name in {"torch": "nn.Transformer", "transformers": "GPT-2", "timm": "timm vit_tiny"}.items():
        installed = importlib.util.find_spec(library) is not None
        assert f"\n| {name} | " in run.stdout if installed else name in skipped


@pytest.mark.filterwarnings("ignore")
def test_weights_that_transformers_loads_are_kept(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=100, pad_token_id=0)
    saved = transformers.GPT2LMHeadModel(config)
    saved.save_pretrained(tmp_path)
    loaded = []
    for seed in (0, 0, 1):
        with ft.accelerate(seed=seed):
            loaded.append(transformers.GPT2ForSequenceClassification.from_pretrained(tmp_path).state_dict())
    for name, tensor in loaded[0].items():
        missing = name == "score.weight"  # made anew
        assert torch.equal(tensor, loaded[1][name] if missing else saved.state_dict()[name]), name
        assert torch.equal(tensor, loaded[2][name]) != missing


def test_accelerate_repeats_in_other_processes():
    code = """if True:
        import hashlib, torch, fastinit.torch
        with fastinit.torch.accelerate(seed=5):
            layer = torch.nn.TransformerEncoderLayer(16, 2)
        print(hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in layer.parameters())).hexdigest())"""
    outputs = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                              env=os.environ | {"PYTHONHASHSEED": hash_seed, "FASTINIT_NUM_THREADS": hash_seed}).stdout
               for hash_seed in "12"}
    assert len(outputs) == 1 and len(outputs.pop()) == 65


def test_torch_is_not_imported_unasked():
    code = "import sys, json, fastinit; print(json.dumps('torch' in sys.modules))"
    assert json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) is False


def test_materialize_without_the_kernels_leaves_the_model(monkeypatch):
    """Refused before there is memory: a model half made has what it finds there."""
    monkeypatch.setattr("fastinit.torch.tensors._has_cuda", lambda: False)
    with torch.device("meta"):
        model = nn.Linear(3, 4)
    for device in ("cuda", "cuda:1", "xpu"):
        with pytest.raises(ValueError, match=r"device: .*fastinit-kernels\[cuda\]"):
            ft.materialize(model, {"*": fi.Zeros()}, seed=1, device=device)
    assert model.weight.is_meta and model.bias.is_meta
