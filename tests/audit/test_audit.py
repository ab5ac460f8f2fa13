"""Healthy files pass, and each kind of damage is named. Draws are seeded; a check blames a healthy tensor with 1e-9 at most."""

import json
import math
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import special, stats

import fastinit as fi
from fastinit.commands import cli
from fastinit.audit import audit
from fastinit.core.dtypes import DTYPES
from fastinit.models.architectures import ARCHITECTURES
from fastinit.audit.densities import fit
from fastinit.audit.scan import PIECE, Anchors, Scan
from fastinit.weights import Tensor, of_array, read

BF16 = DTYPES["bfloat16"]


def write(path, arrays, dtype="float32"):
    """A file of the arrays, which are memory of the dtype."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".npy":
        np.save(path, next(iter(arrays.values())))
    elif path.suffix == ".safetensors":
        from safetensors import TensorSpec, serialize_file

        serialize_file({name: TensorSpec(dtype=dtype, shape=a.shape, data_ptr=a.ctypes.data, data_len=a.nbytes)
                        for name, a in arrays.items()}, path)
    else:
        import torch

        made = {name: torch.from_numpy(a.view(np.int16) if dtype == "bfloat16" else a) for name, a in arrays.items()}
        torch.save({"state": {name: t.view(getattr(torch, dtype)) for name, t in made.items()}, "step": 3}, path)
    return path


def command(capsys, *args):
    code = cli.main(["audit", *map(str, args), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == int(report["faults"] > 0)
    return {tensor["name"]: tensor for tensor in report["tensors"]}


def kinds(tensor):
    return [finding["kind"] for finding in tensor["findings"] if finding["fault"]]


def of(array, dtype=None, name="w"):
    return of_array(name, array) if dtype is None else Tensor(name, array, DTYPES[dtype], dtype)


# ---- healthy


def mlp(dtype="float32", **options):
    rules = {"*.bias": fi.Zeros(), "*": fi.KaimingNormal(nonlinearity="relu", **options)}
    model = {"0.weight": (512, 784), "0.bias": (512,), "1.weight": (256, 512), "1.bias": (256,), "2.weight": (10, 256)}
    return fi.fill({name: np.empty(shape, DTYPES[dtype].storage) for name, shape in model.items()}, rules, seed=1, dtype=dtype)


def published(name, dtype):
    """Two blocks of a published model, without the largest tensors."""
    arrays = {tensor: np.empty(shape, DTYPES[dtype].storage) for tensor, shape in ARCHITECTURES[name].tensors().items()
              if not re.search(r"(h\.|encoder_layer_)([2-9]|1\d)|wte", tensor)}
    return fi.fill(arrays, ARCHITECTURES[name].rules(), seed=2, dtype=dtype)


def numpys(dtype="float32"):
    rng = np.random.default_rng(3)
    uniform = (rng.random((300, 200), dtype=dtype) * 2 - 1) * np.float32(math.sqrt(6 / 500))
    return {"a": rng.standard_normal((400, 300), dtype=dtype) * np.float32(0.02), "b": uniform}


HEALTHY = {
    "gpt2.safetensors": (lambda: published("gpt2", "bfloat16"), "bfloat16"),
    "resnet50.npz": (lambda: published("resnet50", "float32"), "float32"),
    "vit.safetensors": (lambda: published("vit-b-16", "float32"), "float32"),
    "mlp.pt": (lambda: mlp("bfloat16", truncated=True), "bfloat16"),
    "numpy.npz": (numpys, "float32"),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_files_pass(tmp_path, capsys, name):
    pytest.importorskip({".safetensors": "safetensors", ".pt": "torch"}.get(name[name.index("."):], "numpy"))
    make, dtype = HEALTHY[name]
    arrays = make()
    found = command(capsys, write(tmp_path / name, arrays, dtype))
    assert len(found) == len(arrays)
    for tensor in found.values():
        assert not kinds(tensor), tensor
        assert tensor["law"] in ("constant", "normal", "uniform", "trunc_normal"), tensor
        array = BF16.decode(arrays[tensor["name"].removeprefix("state.")]) if dtype == "bfloat16" else arrays[tensor["name"]]
        values = array.astype(np.float64)
        assert (tensor["low"], tensor["high"]) == (values.min(), values.max())
        assert tensor["std"] == pytest.approx(values.std(), abs=1e-12 + 1e-9 * values.std())
        assert tensor["mean"] == pytest.approx(values.mean(), abs=1e-9 * abs(values).max())


LAWS = {
    "uniform": lambda shape, dtype, seed: fi.uniform(shape, -0.1, 0.1, dtype=dtype, seed=seed),
    "normal": lambda shape, dtype, seed: fi.normal(shape, 0.3, 0.03, dtype=dtype, seed=seed),
    "trunc_normal": lambda shape, dtype, seed: fi.trunc_normal(shape, std=0.03, bounds="std", dtype=dtype, seed=seed),
    "sparse normal": lambda shape, dtype, seed: fi.sparse(shape, 0.5, dtype=dtype, seed=seed),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_laws_are_told(law, dtype):
    """Among 30 tensors of each law and dtype none is blamed, and none is of another law where there are values enough."""
    for seed in range(30):
        shape = [(2, 17), (64, 3), (33, 40), (300, 300), (3000, 1)][seed % 5]
        report, = audit([of(LAWS[law](shape, dtype, seed), dtype)])
        assert not [f for f in report.faults if f.kind != "swapped fans"], report
        assert report.law == law or math.prod(shape) < 2000 and report.law != "other", (shape, report)


@pytest.mark.parametrize("law", LAWS)
def test_rounding_of_many_values_is_no_other_law(law):
    """16 million values of bfloat16: what is rounded to the last value within the bounds is 20 times what chance allows."""
    report, = audit([of(LAWS[law]((4096, 4096), "bfloat16", 6), "bfloat16")])
    assert report.law == law and report.faults == []


@pytest.mark.parametrize(("initializer", "options", "rule"), [
    ("kaiming_normal", {"nonlinearity": "relu"}, "kaiming fan_in"),
    ("kaiming_uniform", {"a": math.sqrt(5)}, "torch fan_in"),
    ("xavier_normal", {"truncated": True}, "xavier"),
    ("lecun_normal", {}, "lecun fan_in"),
    ("normal", {"std": 0.02}, "0.02"),
])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fan_rules_are_told(initializer, options, rule, dtype):
    for layout, shape in (("OI", (310, 50, 3, 3)), ("IO", (3, 3, 50, 310))):
        fans = {} if initializer == "normal" else {"layout": layout}
        report, = audit([of(getattr(fi, initializer)(shape, dtype=dtype, seed=0, **options, **fans), dtype)], layout=layout)
        assert report.rules == [rule]


# ---- damaged


def erfinv(shape, std, dtype, seed=0):
    """torch.nn.init.trunc_normal_ with bounds of -2 and 2 as it was before 2.12: an inverse error function in the dtype."""
    entry, rng = DTYPES[dtype], np.random.default_rng(seed)
    bits = 24 if dtype == "float32" else 8
    u = entry.decode(entry.encode(rng.integers(0, 2**bits, shape) * 2.0 ** (1 - bits) - 1))
    if dtype == "float32":
        u.flat[:: u.size // 3 + 1] = -1  # which 1 in 2^24 are: as many as 50 million elements have
    with np.errstate(divide="ignore"):
        x = entry.decode(entry.encode(special.erfinv(u)))
    return entry.encode(np.clip(entry.decode(entry.encode(x * entry.nearest(std * math.sqrt(2)))), -2, 2))


def test_erfinv_outliers(tmp_path, capsys):
    arrays = {"bad": erfinv((1024, 1024), 0.002, "float32"), "good": fi.trunc_normal((1024, 1024), std=0.002, seed=0)}
    found = command(capsys, write(tmp_path / "w.npz", arrays))
    assert kinds(found["bad"]) == ["outliers"] and kinds(found["good"]) == []
    text = found["bad"]["findings"][0]["text"]
    assert "3 values" in text and "up to -2, 1,000 standard deviations" in text and "pytorch#155588" in text
    assert found["bad"]["kurtosis"] > 1000 and found["bad"]["law"] == "normal"


@pytest.mark.parametrize("std", [0.01, 0.02, 1.0])
def test_bfloat16_truncated_at_the_wrong_bounds(tmp_path, capsys, std):
    pytest.importorskip("safetensors")
    arrays = {"bad": erfinv((1024, 512), std, "bfloat16"),
              "good": fi.trunc_normal((1024, 512), std=std, dtype="bfloat16", seed=0)}
    found = command(capsys, write(tmp_path / "w.safetensors", arrays, "bfloat16"))
    assert kinds(found["good"]) == []
    texts = " ".join(finding["text"] for finding in found["bad"]["findings"])
    if std < 1:
        assert set(kinds(found["bad"])) == {"outliers", "stuck"} and "pytorch#145498" in texts and "up to -2" in texts
    else:
        assert kinds(found["bad"]) == ["stuck"] and "values at -2" in texts


@pytest.mark.parametrize("axis", [0, 1])
def test_shards_drawn_alike(tmp_path, capsys, axis):
    shard = fi.normal((512, 512), std=0.02, seed=0)
    found = command(capsys, write(tmp_path / "w.npy", {"w": np.concatenate([shard, shard], axis)}))
    assert kinds(found["w"]) == [["equal rows"], ["repeats"]][axis]
    assert ["shards of 512 rows", "512 elements later"][axis] in found["w"]["findings"][0]["text"]


def test_files_drawn_alike(tmp_path, capsys):
    for name in "ab":
        write(tmp_path / f"{name}.npy", {name: fi.normal((300, 300), seed=0)})
    found = command(capsys, tmp_path / "a.npy", tmp_path / "b.npy")
    assert kinds(found["a"]) == [] and kinds(found["b"]) == ["repeats"]
    assert "are those of a" in found["b"]["findings"][0]["text"]


def test_constant_hidden_layer(tmp_path, capsys):
    arrays = mlp() | {"1.weight": np.full((256, 512), 0.01, np.float32), "2.weight": np.zeros((10, 256), np.float32)}
    found = command(capsys, write(tmp_path / "w.npz", arrays))
    assert [name for name, tensor in found.items() if kinds(tensor)] == ["1.weight"]
    assert kinds(found["1.weight"]) == ["constant"] and "symmetry" in found["1.weight"]["findings"][0]["text"]
    assert [finding["kind"] for finding in found["2.weight"]["findings"]] == ["constant"]  # a note: an output may start at 0


@pytest.mark.parametrize("others", [True, False])
def test_swapped_fans(tmp_path, capsys, others):
    arrays = mlp() if others else {}
    arrays["1.weight"] = fi.kaiming_normal((256, 512), nonlinearity="relu", layout="IO", seed=0)
    found = command(capsys, write(tmp_path / "w.npz", arrays))
    assert [name for name, tensor in found.items() if kinds(tensor)] == ["1.weight"]
    assert kinds(found["1.weight"]) == ["swapped fans"]
    assert "of kaiming over fan_out, not fan_in" in found["1.weight"]["findings"][0]["text"]


def change(array, where, value):
    array = array.copy()
    array[where] = value
    return array


DAMAGE = {
    "nan": lambda w: change(w, (3, 4), np.nan),
    "inf": lambda w: change(w, (3, 4), -np.inf),
    "outliers": lambda w: change(w, (3, 4), 0.02 * 9),
    "stuck": lambda w: np.clip(w, -0.04, 0.04),
    "dead rows": lambda w: change(w, slice(3, 5), 0),
    "equal rows": lambda w: change(w, 400, w[3]),
    "repeats": lambda w: change(w, slice(300, 400), np.roll(w[33:133].ravel(), 7).reshape(100, -1)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(kind, dtype):
    entry = DTYPES[dtype]
    healthy = fi.normal((512, 300), std=0.02, dtype=dtype, seed=4)
    damaged = entry.encode(DAMAGE[kind](entry.decode(healthy)))
    clean, hurt = (audit([of(array, dtype)])[0] for array in (healthy, damaged))
    assert [finding.kind for finding in clean.findings] == []
    assert {finding.kind for finding in hurt.faults} == {kind}


def test_a_padding_row_is_a_note():
    report, = audit([of(change(fi.normal((512, 300), seed=4), 0, 0))])
    assert report.faults == [] and report.kinds == ["dead rows"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_and_their_negatives_are_no_fault(dtype):
    entry = DTYPES[dtype]
    half = entry.decode(fi.normal((256, 300), dtype=dtype, seed=4))
    report, = audit([of(entry.encode(np.concatenate([half, -half])), dtype)])
    assert report.faults == []


def test_tied_weights_of_torch_are_no_fault(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    w = torch.from_numpy(fi.normal((300, 300), seed=0))
    torch.save({"wte": w, "lm_head": w, "copy": w.clone()}, tmp_path / "w.pt")
    found = command(capsys, tmp_path / "w.pt")
    assert [name for name, tensor in found.items() if kinds(tensor)] == ["copy"]


# ---- reading


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".safetensors", ".pt"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_format_and_dtype(tmp_path, suffix, dtype):
    pytest.importorskip({".safetensors": "safetensors", ".pt": "torch"}.get(suffix, "numpy"))
    values = fi.normal((20, 30), dtype=dtype, seed=0)
    tensor, = read(write(tmp_path / f"w{suffix}", {"w": values}, dtype), "bfloat16" if dtype == "bfloat16" else None)
    assert (tensor.stored, tensor.dtype, tensor.memory.shape) == (dtype, DTYPES[dtype], (20, 30))
    assert (tensor.memory == values).all()


def test_ml_dtypes_and_other_dtypes(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    np.save(tmp_path / "w.npy", fi.normal(100, dtype=ml_dtypes.bfloat16, seed=0))
    tensor, = read(tmp_path / "w.npy")
    assert tensor.stored == "bfloat16" and (tensor.memory == fi.normal(100, dtype="bfloat16", seed=0)).all()
    np.save(tmp_path / "n.npy", np.arange(4))
    report, = audit(read(tmp_path / "n.npy"))
    assert report.kinds == ["skipped"] and report.faults == []


def test_odd_shapes_and_orders():
    w = fi.normal((40, 50, 60), seed=0)
    for array in (np.asfortranarray(w), w.transpose(2, 0, 1), w[::2, ::-1, ::3], w[0, 0, 0], w[:0], w[:1], w.reshape(1, -1)):
        report, = audit([of(array)])
        assert report.faults == []
        if array.size > 1:
            assert report.std == pytest.approx(array.astype(np.float64).std(), rel=1e-9)


def test_long_rows_are_scanned_in_pieces():
    w = fi.normal((3, 300_001), seed=0)
    report, = audit([of(change(w, 2, w[0]))])
    assert [finding.kind for finding in report.faults] == ["equal rows"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_the_same_pieces_in_another_order_are_not_equal(dtype):
    row = fi.normal(2 * PIECE, dtype=dtype, seed=0)
    report, = audit([of(np.stack([row, np.roll(row, PIECE)]))])
    assert [finding.kind for finding in report.faults] == ["repeats"]


HEADER = (76).to_bytes(8, "little") + b'{"w": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 324]}}'.ljust(76)


@pytest.mark.parametrize(("name", "content"), [
    ("w.safetensors", b""), ("w.safetensors", b"\xff" * 64), ("w.safetensors", (8).to_bytes(8, "little") + b"not json"),
    ("w.safetensors", HEADER), ("w.npz", b"PK"), ("w.npz", b"\x93NUMPY"), ("w.npy", b"\x93NUMPY"), ("w.txt", b""),
    ("w.pt", b"junk"),
])
def test_bad_files(tmp_path, capsys, name, content):
    if name == "w.pt":
        pytest.importorskip("torch")
    (tmp_path / name).write_bytes(content)
    assert cli.main(["audit", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err


@hypothesis.settings(max_examples=300, derandomize=True, deadline=None,
                     suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(data=st.data())
def test_damaged_headers_are_refused_or_read(tmp_path, data):
    """Bytes of a safetensors file changed, dropped or replaced by JSON of other kinds: a ValueError, or tensors."""
    header = {"w": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, "__metadata__": {"format": "pt"}}
    if data.draw(st.booleans()):
        text = bytearray(json.dumps(header).encode())
        for place in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=3)):
            text[place] = data.draw(st.integers(32, 126))
    else:
        odd = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2))
        key = data.draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
        text = json.dumps(header | {"w": header["w"] | {key: data.draw(odd)}}).encode()
    content = len(text).to_bytes(8, "little") + bytes(text) + bytes(48)
    path = tmp_path / "w.safetensors"
    path.write_bytes(content[:data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        assert all(report.findings or not math.prod(report.shape) or report.law for report in audit(read(path)))
    except ValueError as error:
        assert "w.safetensors" in str(error)


def test_missing_file(tmp_path, capsys):
    assert cli.main(["audit", str(tmp_path / "w.npz")]) == 2
    assert "w.npz" in capsys.readouterr().err


def test_torch_files_run_nothing(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    import fractions

    torch.save({"w": fractions.Fraction(1, 3)}, tmp_path / "w.pt")
    assert cli.main(["audit", str(tmp_path / "w.pt")]) == 2
    assert "weights only" in capsys.readouterr().err


# ---- parts


def test_text_fits_80_columns(tmp_path, capsys):
    name = "encoder.layers.encoder_layer_11.self_attention.out_proj.weight"
    arrays = {name: erfinv((512, 512), 0.02, "bfloat16"), f"{name}.2": fi.kaiming_normal((512, 128), dtype="bfloat16", seed=0),
              "ids": np.arange(3)}
    path = write(tmp_path / "w.npz", arrays)
    assert cli.main(["audit", str(path), "--dtype", "bfloat16"]) == 1
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80, out
    assert "1 with faults" in out and "FAULT" in out and "kaiming fan_in" in out and "1 tensors of int64" in out


@pytest.mark.parametrize(("a", "b"), [(-2, 2), (-9.5, 9.5), (-1, 3), (1, 2), (0.5, 6)])
def test_law_is_the_truncated_gaussian(a, b):
    exact = stats.truncnorm(a, b)
    law, x = fit(exact.mean(), exact.std(), a, b), np.linspace(a, b, 101)
    assert abs(law.cdf(x) - exact.cdf(x)).max() < 3e-6
    assert abs(law.pdf(x) - exact.pdf(x)).max() < 1e-4
    assert law.parent == pytest.approx((0, 1), abs=2e-3)


def test_anchors_thin_out_and_still_find(monkeypatch):
    monkeypatch.setattr("fastinit.audit.scan.ANCHORS", 2**12)
    anchors = Anchors()
    w = fi.normal(2**23, seed=0)
    w[2**22 + 5:2**22 + 5 + 2**20] = w[100:100 + 2**20]
    Scan(w, DTYPES["float32"], anchors, 0)
    (a, b, lag, values), = anchors.repeats()
    assert (a, b, abs(lag)) == (0, 0, 2**22 - 95) and values == pytest.approx(2**20, rel=0.3)
    assert anchors.rarity > 8 and anchors.count <= 2**12
