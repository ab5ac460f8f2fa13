"""`audit --against`: what was meant passes, and each way of missing it is told."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastinit as fi
from fastinit.audit import Intent, audit
from fastinit.commands import cli, specs
from fastinit.core.dtypes import DTYPES
from fastinit.weights import Tensor, of_array, read

BLOCKS = 4
SPEC = {
    "tensors": {"wte.weight": [500, 64], **{f"h.<0-{BLOCKS - 1}>.{name}": shape for name, shape in {
        "ln.weight": [64], "ln.bias": [64], "fc.weight": [256, 64], "fc.bias": [256], "proj.weight": [64, 256]}.items()},
                "head.weight": [30, 64]},
    "rules": {"*.bias": "zeros", "*.ln.weight": "ones", "*.proj.weight": {"initializer": "normal", "std": 0.02 / 8**0.5},
              "*.fc.weight": {"initializer": "kaiming_normal", "nonlinearity": "relu"},
              "head.weight": "orthogonal", "*": {"initializer": "normal", "std": 0.02}},
}


@pytest.fixture
def against(tmp_path, capsys):
    """What the command says of tensors, by name: of the spec's own, with changes."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC))
    spec = specs.load(str(tmp_path / "spec.json"))

    def run(changes=(), drop=(), what=None, prefix=""):
        model = {name: np.empty(shape, "f4") for name, (shape, _) in spec.tensors.items()}
        fi.fill(model, spec.rules, seed=1)
        model |= dict(changes)
        np.savez(tmp_path / "w.npz", **{prefix + name: w for name, w in model.items() if name not in drop})
        code = cli.main(["audit", str(tmp_path / "w.npz"), "--json", "--against", what or str(tmp_path / "spec.json")])
        report = json.loads(capsys.readouterr().out)
        found = {tensor["name"]: tensor for tensor in report["tensors"]}
        faults = {name: [(f["kind"], f["text"]) for f in tensor["findings"] if f["fault"]] for name, tensor in found.items()}
        faults = {name: told for name, told in faults.items() if told}
        assert code == bool(faults)
        return found, faults

    return run


def drawn(shape, std, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) * std).astype("f4")


def test_what_was_meant_passes(against):
    for prefix in ("", "transformer.", "model.transformer."):
        found, faults = against(prefix=prefix)
        assert faults == {}
        assert found[prefix + "h.0.fc.weight"]["meant"] == "KaimingNormal(nonlinearity='relu')"


FAULTS = {
    "depth": ("h.1.proj.weight", lambda: drawn((64, 256), 0.02), "law", f"1/sqrt(2 * {BLOCKS})"),
    "forgotten rule": ("h.2.fc.weight", lambda: np.random.default_rng(0).uniform(-1 / 8, 1 / 8, (256, 64)), "law",
                       "torch_linear, torch's default"),
    "forgotten embedding": ("wte.weight", lambda: drawn((500, 64), 1.0), "law", "torch_embedding, torch's default"),
    "wrong fans": ("h.0.fc.weight", lambda: drawn((256, 64), math.sqrt(2 / 256)), "law", "the wrong fans"),
    "another rule": ("h.0.fc.weight", lambda: drawn((256, 64), 0.02), "law", "it has that of *, Normal(std=0.02)"),
    "another law": ("wte.weight", lambda: np.random.default_rng(0).uniform(-1, 1, (500, 64)) * 0.02 * 3**0.5, "law",
                    "the law normal, not uniform"),
    "mean": ("wte.weight", lambda: drawn((500, 64), 0.02) + 0.005, "law", "a mean of 0, not 0.005"),
    "norm of zeros": ("h.0.ln.weight", lambda: np.zeros(64), "law", "1 alone"),
    "bias": ("h.0.fc.bias", lambda: drawn(256, 0.1), "law", "0 alone"),
    "not orthogonal": ("head.weight", lambda: drawn((30, 64), 1 / 8), "law", "orthogonal"),
    "transposed": ("h.0.fc.weight", lambda: drawn((64, 256), math.sqrt(2 / 64)), "shape", "(256, 64) was meant, (64, 256)"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_was_not_meant_is_told(against, case):
    name, make, kind, text = FAULTS[case]
    _, faults = against({name: make().astype("f4")})
    assert list(faults) == [name] and faults[name][0][0] == kind and text in faults[name][0][1], faults


def test_missing_and_unasked_tensors(against):
    found, faults = against({"extra": drawn((30, 40), 1.0)}, drop=["h.3.fc.bias"])
    assert {name: told[0][0] for name, told in faults.items()} == {"h.3.fc.bias": "missing"}
    assert [f["kind"] for f in found["extra"]["findings"]] == ["unasked"] and found["extra"]["meant"] == ""


def test_frameworks_and_presets(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Embedding(500, 64), torch.nn.Linear(64, 200), torch.nn.LayerNorm(200),
                                torch.nn.Conv1d(200, 50, 3))
    with torch.no_grad():
        model.append(torch.nn.Linear(50, 300)).append(torch.nn.Linear(300, 20))
        model[5].weight.normal_(std=0.02)
        model[5].bias.uniform_(-1, 1)
    torch.save(model.state_dict(), tmp_path / "w.pt")
    assert cli.main(["audit", str(tmp_path / "w.pt"), "--json", "--against", "torch"]) == 1
    found = json.loads(capsys.readouterr().out)["tensors"]
    assert [t["name"] for t in found if any(f["fault"] for f in t["findings"])] == ["5.weight", "5.bias"]
    for what, code in [("torch_linear", 1), ("keras", 1)]:
        assert cli.main(["audit", str(tmp_path / "w.pt"), "--against", what]) == code
        capsys.readouterr()
    for what in ("nothing", "w.json", ""):
        if what:
            assert cli.main(["audit", str(tmp_path / "w.pt"), "--against", what]) == 2
            assert what in capsys.readouterr().err


GIVEN = {"constant": st.tuples(st.sampled_from([0.0, 0.5, -2.0, 1e-3])),
         "sparse": st.tuples(st.sampled_from([0.0, 0.1, 0.9, 1.0])),
         "uniform": st.sampled_from([(), (0.1, 0.2), (-3.0, -1.0)]), "normal": st.sampled_from([(), (0.5, 0.01), (3.0, 0.0)]),
         "trunc_normal": st.sampled_from([(), (0.0, 0.02), (0.0, 1.0, 1.0, 3.0)]), "orthogonal": st.sampled_from([(), (0.3,)]),
         "delta_orthogonal": st.sampled_from([(), (2.0,)])}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_whatever_init_makes_agrees_with_its_spec(data):
    """Any initializer, parameters, shape and dtype: the tensor is what was meant, and no fault is left."""
    name = data.draw(st.sampled_from(sorted(fi.INITIALIZERS)))
    args = data.draw(GIVEN.get(name, st.just(())))
    shape = data.draw(st.sampled_from([(1,), (7,), (1000,), (1, 1), (5, 3), (300, 20), (20, 300), (64, 64), (16, 8, 3),
                                       (8, 8, 5, 5), (40, 20, 3, 3), (8, 64, 48)]))
    dtype, seed = data.draw(st.sampled_from(list(DTYPES))), data.draw(st.integers(0, 2**32))
    try:
        w = getattr(fi, name)(shape, *args, seed=seed, dtype=dtype)
    except ValueError:
        return
    rule = fi.Rule(fi.INITIALIZERS[name], args)
    report, = audit([Tensor("w", w, DTYPES[dtype], dtype)], meant=lambda *_: Intent([rule]))
    assert report.meant == repr(rule) and report.faults == [], (rule, shape, dtype, seed)


def test_what_is_not_looked_into_is_not_compared(tmp_path):
    np.save(tmp_path / "n.npy", np.arange(9))
    report, = audit(read(tmp_path / "n.npy"), meant=lambda *_: Intent([fi.Zeros()]))
    assert report.kinds == ["skipped"]
    bad = of_array("w", np.full((5, 5), np.nan, "f4"))
    assert audit([bad], meant=lambda *_: Intent([fi.Zeros()]))[0].kinds == ["nan"]
