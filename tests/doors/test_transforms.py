"""Where torch runs a function otherwise than once for its values, what it draws is as without fastinit; what else is drawn in a
block is seeded."""

import pytest

torch = pytest.importorskip("torch")

from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import fastinit.torch as ft  # noqa: E402


def draws(init=ft):
    """By all the ways that a block fills."""
    x = torch.randn(4) + torch.rand_like(torch.zeros(4)) + torch.bernoulli(torch.full((4,), 0.5))
    y = torch.zeros(4, 4) * torch.randn(4)  # of its own for every member of a vmap
    torch.nn.init.kaiming_uniform_(y)
    x = x + y[0]
    return x + init.xavier_normal_(y)[0] + init.uniform_(y)[1] + y.normal_()[2]


def plain(x):
    """The same by torch alone."""
    return x + draws(torch.nn.init)


def noisy(x):
    return x + draws()


def vmapped(function):
    return torch.vmap(function, randomness="different")(torch.zeros(3, 4))


RUNS = {
    "vmap": vmapped,
    "vmap of vmap": lambda function: torch.vmap(torch.vmap(function, randomness="same"), randomness="different")(
        torch.zeros(2, 3, 4)),
    "grad": lambda function: torch.func.grad(lambda x: (x * function(x.detach())).sum())(torch.ones(4)),
    "jacrev": lambda function: torch.func.jacrev(lambda x: x * function(x.detach()))(torch.ones(4)),
    "jit.trace": lambda function: torch.jit.trace(function, torch.zeros(4), check_trace=False)(torch.zeros(4)),
    "make_fx": lambda function: make_fx(function)(torch.zeros(4))(torch.zeros(4)),
    "checkpoint": lambda function: checkpoint(function, torch.zeros(4), use_reentrant=False),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_values_are_torchs(run):
    torch.manual_seed(5)
    expected = run(plain)
    with ft.accelerate(seed=0):
        torch.manual_seed(5)
        found = run(noisy)
    assert torch.equal(found, expected)


def test_a_block_alone_does_not_give_way():
    """What the test above would not notice: that nothing is ever filled."""
    torch.manual_seed(5)
    expected = plain(torch.zeros(4))
    with ft.accelerate(seed=0):
        torch.manual_seed(5)
        assert not torch.equal(noisy(torch.zeros(4)), expected)


def test_vmap_refuses_what_it_would_refuse():
    with ft.accelerate(seed=0), pytest.raises(RuntimeError, match="randomness"):
        torch.vmap(noisy)(torch.zeros(3, 4))


def test_members_differ():
    with ft.accelerate(seed=0):
        assert len({tuple(row.tolist()) for row in vmapped(noisy)}) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("record", [make_fx, lambda f: lambda x: torch.jit.trace(f, x, check_trace=False)], ids=["fx", "jit"])
def test_what_is_recorded_draws_anew(record):
    with ft.accelerate(seed=0):
        recorded = record(noisy)(torch.zeros(4))
    assert not torch.equal(recorded(torch.zeros(4)), recorded(torch.zeros(4)))


@pytest.mark.parametrize("within", [True, False], ids=["within", "after"])
@pytest.mark.parametrize("reentrant", [True, False])
def test_a_recomputed_function_draws_the_same(reentrant, within):
    seen = []

    def function(x):
        seen.append(draws())
        return (x * seen[-1]).sum()

    x = torch.ones(4, requires_grad=True)
    with ft.accelerate(seed=0):
        y = checkpoint(function, x, use_reentrant=reentrant)
        if within:
            y.backward()
    if not within:
        y.backward()
    assert len(seen) == 2 and torch.equal(seen[0], seen[1]) and torch.equal(x.grad, seen[0])


def test_fake_tensors_stay_so():
    from torch._subclasses import FakeTensorMode

    with ft.accelerate(seed=0), FakeTensorMode():
        assert type(torch.nn.Linear(3, 4).weight.data).__name__ == "FakeTensor" == type(torch.randn(3)).__name__


def test_exported():
    class Noisy(torch.nn.Module):
        def forward(self, x):
            return x + torch.randn(4)

    with ft.accelerate(seed=0):
        program = torch.export.export(Noisy(), (torch.zeros(4),))
    assert "randn" in program.graph_module.code


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled(backend):
    """Whole, and with values of its own at each call; what runs the graph decides whether they are fastinit's."""
    with ft.accelerate(seed=0):
        compiled = torch.compile(noisy, fullgraph=True, backend=backend)
        assert not torch.equal(compiled(torch.zeros(4)), compiled(torch.zeros(4)))


def test_a_seed_cannot_be_recorded():
    with pytest.raises(TypeError, match="seed: expected none where torch transforms"):
        make_fx(lambda x: ft.normal_(x.clone(), seed=0))(torch.zeros(4))


half = torch.full((50,), 0.5)
DRAWN = {
    "bernoulli": lambda: half.bernoulli(),
    "multinomial": lambda: half.multinomial(20),
    "poisson": lambda: torch.poisson(9 * half),
    "binomial": lambda: torch.binomial(40 * half, half),
    "randint_like": lambda: torch.randint_like(half, 99),
}
LAWS = {"Gamma": 2, "Beta": 2, "Normal": 2, "Cauchy": 2, "Laplace": 2, "Dirichlet": 1, "Categorical": 1, "Poisson": 1,
        "StudentT": 1, "Exponential": 1, "Geometric": 1}  # how many parameters


def sampler(name, n):
    return lambda: getattr(torch.distributions, name)(*[half] * n).sample((20,))


DRAWN |= {name: sampler(name, n) for name, n in LAWS.items()}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_what_takes_a_generator_is_seeded(draw):
    def drawn(seed, torch_seed):
        torch.manual_seed(torch_seed)
        with ft.accelerate(seed=seed):
            return draw()

    assert torch.equal(drawn(1, 1), drawn(1, 2))
    assert not torch.equal(drawn(1, 1), drawn(2, 1))


class Noise(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.randn(3)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning", "ignore:os.fork:RuntimeWarning")
def test_workers_draw_items_of_their_own():
    with ft.accelerate(seed=0):
        loader = torch.utils.data.DataLoader(Noise(), num_workers=2, multiprocessing_context="fork")
        assert len({tuple(item.flatten().tolist()) for item in loader}) == 8


def test_dropout_is_torchs():
    torch.manual_seed(1)
    expected = torch.nn.functional.dropout(half)
    with ft.accelerate(seed=0):
        torch.manual_seed(1)
        assert torch.equal(torch.nn.functional.dropout(half), expected)
