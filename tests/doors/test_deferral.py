"""Within `accelerate` fills are put off: whatever reads the memory sees what it would have seen; what is left is the same."""

import copy
import ctypes
import gc
import io
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import fastinit.torch as ft  # noqa: E402
from fastinit.torch.deferral import pending  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.dlpack import from_dlpack  # noqa: E402


def saved(x):
    torch.save(x, file := io.BytesIO())
    file.seek(0)
    return torch.load(file)


def by_address(x):
    return torch.frombuffer((ctypes.c_char * x.nbytes).from_address(x.data_ptr()), dtype=x.dtype).clone().reshape(x.shape)


def updated(x):
    with torch.no_grad():
        return x.clamp_(-0.9, 0.9).erfinv_().mul_(2).clone()


def row_set(x):
    with torch.no_grad():
        x[1] = 5
        x[2].zero_()
    return x.clone()


READS = {
    "numpy": lambda x: torch.from_numpy(x.detach().numpy().copy()),
    "tolist": lambda x: torch.tensor(x.tolist()),
    "item": lambda x: torch.tensor(x.detach().sum().item()),
    "data_ptr": by_address,
    "array": lambda x: torch.tensor(np.array(x.detach())),
    "dlpack": lambda x: from_dlpack(x.detach()).clone(),
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "save": saved,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "clone": Tensor.clone,
    "data": lambda x: x.data.clone(),
    "view": lambda x: x.view(-1)[7:9],
    "index": lambda x: x[3],
    "mask": lambda x: x[x > 0],
    "iterate": lambda x: [row for row in x][4],
    "repr": lambda x: torch.tensor(len(repr(x))),
    "update": updated,
    "row": row_set,
    "to": lambda x: x.to(torch.float64),
    "half": lambda x: x.half(),
    "matmul": lambda x: x @ x.T,
    "linear": lambda x: nn.functional.linear(torch.ones(3, x.shape[1]), x),
    "stack": lambda x: torch.stack([x, x]),
    "foreach": lambda x: torch._foreach_mul([x.detach(), x.detach()], 2.0)[1],
    "equal": lambda x: x == x.clone(),
    "max": lambda x: x.max(),
    "out": lambda x: torch.add(x.detach(), 1, out=torch.empty(0)),
    "copy_": lambda x: torch.empty_like(x).copy_(x),
    "bytes": lambda x: torch.tensor([x.detach().untyped_storage()[i] for i in range(64)]),
    "storage": lambda x: torch.tensor(x.detach().storage().tolist()),
    "reinterpret": lambda x: x.detach().view(torch.int32).clone(),
    "operator": lambda x: torch.ops.aten.mul(x.detach(), 2.0), "overload": lambda x: torch.ops.aten.add.Tensor(x.detach(), 1),
    "out_": lambda x: torch.zeros(5, out=x.detach())[:2],
    "vector": lambda x: nn.utils.parameters_to_vector([x]),
    "transposed": lambda x: x.detach().t().contiguous(),
    "callable": lambda x: x.detach().clone().apply_(abs),
    "set_": lambda x: torch.empty(0).set_(x.detach()).clone(),
    "gather": lambda x: x.gather(0, torch.zeros(1, 2, dtype=torch.long)),
    "named": lambda x: next(iter(nn.ParameterList([x]).state_dict().values())).clone(),
    "where": lambda x: torch.where(x > 0, x, 0.0),
}


def fake():
    return torch._subclasses.fake_tensor.FakeTensorMode(allow_non_fake_inputs=True)


FILLS = [lambda x: nn.init.trunc_normal_(x, std=0.5), lambda x: x.data.normal_(), nn.init.xavier_uniform_]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fill", FILLS, ids=["trunc_normal_", "data.normal_", "xavier_uniform_"])
@pytest.mark.filterwarnings("ignore:TypedStorage", "ignore:__array__ implementation:DeprecationWarning")
def test_reads(name, fill):
    seen = []
    for defer in (False, True):
        with ft.accelerate(seed=3, defer=defer):
            w = nn.Parameter(torch.empty(30, 40))
            fill(w)
            assert bool(pending._fills) == defer
            found = READS[name](w)
            assert found is None or type(found) in (Tensor, nn.Parameter)
        assert not pending._fills
        seen.append((found.detach(), w.detach()))
    for a, b in zip(*seen):
        assert a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)


def test_what_is_recorded_is_not_written_before_it_is_read():
    """The control: without this the tests here would show nothing."""
    with ft.accelerate(seed=0):
        w = torch.zeros(1000)
        nn.init.normal_(w)
        (storage,) = [torch.UntypedStorage._new_with_weak_ptr(fill.storage.cdata) for fill in pending._fills.values()]
        assert bytes(storage)[:4000] == bytes(4000)
    assert w.count_nonzero() == 1000


FORK = """
import ctypes, os, torch, fastinit.torch as ft
with ft.accelerate(seed=1):
    w = torch.empty(256)
    address = w.data_ptr()
    torch.nn.init.normal_(w)
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, ctypes.string_at(address, 1024))
        os._exit(0)
    os.wait()
    print(os.read(read, 1024) == w.numpy().tobytes() != bytes(1024))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_sees_the_values():
    """In a process of its own: other tests' libraries have threads, and warn."""
    assert subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True).stdout == "True\n"


def test_the_last_fill_wins_and_is_written_once(monkeypatch):
    from fastinit.core import memory

    written = []
    execute = memory.execute

    def executed(jobs, threads, wholes=()):
        written.extend(wholes)
        execute(jobs, threads, wholes)

    monkeypatch.setattr(memory, "execute", executed)
    values = []
    for defer in (False, True):
        with ft.accelerate(seed=2, defer=defer):
            kept, gone = torch.empty(100), torch.empty(100)
            for tensor in (kept, gone):
                nn.init.normal_(tensor)
            kept.uniform_()
            nn.init.zeros_(zeroed := torch.empty(50).normal_())
            del gone, tensor
            gc.collect()
        values.append((kept, zeroed))
    assert all(torch.equal(a, b) for a, b in zip(*values)) and values[0][1].count_nonzero() == 0
    assert len(written) == 1, "neither what was replaced nor what is gone"


def test_copies_wait_too():
    models = []
    for defer in (False, True):
        with ft.accelerate(seed=5, defer=defer):
            layer = nn.Linear(20, 30)
            layers = nn.ModuleList([copy.deepcopy(layer) for _ in range(3)])
            assert len(pending._fills) == 8 * defer
            nn.init.normal_(layers[1].weight)  # a copy's own
        models.append(layers)
    for a, b in zip(models[0].parameters(), models[1].parameters()):
        assert torch.equal(a, b) and a.requires_grad and b.requires_grad and type(b) is nn.Parameter
    assert torch.equal(models[1][0].weight, models[1][2].weight) and not torch.equal(models[1][0].weight, models[1][1].weight)


def test_nested_blocks_and_errors():
    with ft.accelerate(seed=1):
        w = torch.empty(100)
        nn.init.normal_(w)
        with ft.accelerate(seed=2):
            nn.init.normal_(w)
        inner = w.clone()
    with ft.accelerate(seed=2):
        assert torch.equal(inner, nn.init.normal_(torch.empty(100)))
    assert torch.equal(w, inner)
    with pytest.raises(KeyError), ft.accelerate(seed=1):
        nn.init.normal_(v := torch.empty(100))
        raise KeyError
    with ft.accelerate(seed=1):
        assert torch.equal(v, nn.init.normal_(torch.empty(100)))
    with ft.accelerate(seed=1), pytest.raises(ValueError, match="std"):
        nn.init.trunc_normal_(torch.empty(3), std=-1.0)
    with pytest.raises(TypeError, match="defer"):
        ft.accelerate(seed=1, defer=1)


def test_what_torch_refuses_leaves_the_values():
    values = []
    for defer in (False, True):
        with ft.accelerate(seed=1, defer=defer):
            w = nn.Parameter(torch.empty(100))
            nn.init.normal_(w)
            for refused in (w.zero_, lambda w=w: w.fill_(torch.ones(2)), lambda w=w: w.normal_(std=-1.0)):
                with pytest.raises(RuntimeError):
                    refused()
        values.append(w.detach())
    assert torch.equal(*values) and values[0].count_nonzero() == 100


@pytest.mark.parametrize("context", [lambda: torch.device("meta"), torch.inference_mode, torch.no_grad, fake])
def test_other_modes(context):
    """What waits from outside is written within, and what is made within is as it would be."""
    values = []
    for defer in (False, True):
        with ft.accelerate(seed=1, defer=defer):
            w = nn.init.normal_(torch.empty(100))
            with context():
                inner = nn.init.normal_(torch.empty(100, device="cpu"))
                w.numpy() if context is not fake else w.untyped_storage()
                copied = w.clone() if context is not fake else inner
        values.append((w.clone(), inner, copied))
    for a, b in zip(*values):
        assert type(a) is type(b) and a.device == b.device and (type(a) is not Tensor or torch.equal(a, b))


def test_memory_that_others_have_is_filled_at_once():
    theirs = np.zeros(100, np.float32)
    with ft.accelerate(seed=1):
        nn.init.normal_(torch.from_numpy(theirs))
        assert np.count_nonzero(theirs) == 100
        mine = torch.zeros(100)
        view = mine.numpy()
        nn.init.normal_(mine)
        assert np.count_nonzero(view) == 100
        part = torch.zeros(4, 100)
        nn.init.normal_(part[1])
        nn.init.normal_(part[:, 3])
        assert not pending._fills
        nn.init.normal_(part)
        nn.init.zeros_(part[0])
        assert part.count_nonzero() == 300


def test_versions_and_grads():
    with ft.accelerate(seed=1):
        w = nn.Parameter(torch.empty(10, 10))
        version = w._version
        nn.init.normal_(w)
        assert w._version > version and w.requires_grad and w.is_leaf and w.grad_fn is None
        y = (w * 2).sum()
        y.backward()
        assert torch.equal(w.grad, torch.full((10, 10), 2.0))
        copied = w.clone()
        assert copied.grad_fn is not None and torch.equal(copied, w)


def test_models_are_the_same():
    """Layers that are built and then filled again, tied, padded, recurrent, with attention."""
    def model():
        m = nn.ModuleDict({"lstm": nn.LSTM(8, 16, 2), "attention": nn.MultiheadAttention(16, 4),
                           "embedding": nn.Embedding(50, 16, padding_idx=3), "conv": nn.Conv2d(3, 8, 3),
                           "transformer": nn.Transformer(16, 2, 2, 2, 32, batch_first=True), "norm": nn.BatchNorm2d(8),
                           "head": nn.Linear(16, 50), "bf16": nn.Linear(16, 16, dtype=torch.bfloat16)})
        m["head"].weight = m["embedding"].weight
        for layer in m.modules():
            if isinstance(layer, nn.Linear | nn.Embedding):
                layer.weight.data.normal_(0.0, 0.02)
                if isinstance(layer, nn.Embedding):
                    layer.weight.data[layer.padding_idx].zero_()
        return m

    made = []
    for defer in (False, True):
        with ft.accelerate(seed=7, defer=defer):
            made.append(model().state_dict())
    assert made[0].keys() == made[1].keys()
    for name in made[0]:
        assert torch.equal(made[0][name], made[1][name]), name


def test_threads_have_their_own():
    import threading

    found = []

    def other():
        found.append(len(pending._fills))

    with ft.accelerate(seed=1):
        nn.init.normal_(torch.empty(100), 0.0, 1.0)
        w = nn.init.normal_(torch.empty(100))
        (thread := threading.Thread(target=other)).start()
        thread.join()
    assert found == [0] and w.count_nonzero() == 100 and sys.getrefcount(w) <= 3
