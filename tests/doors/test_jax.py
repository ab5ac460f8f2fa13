"""fastinit.jax against JAX's own initializers, fastinit's arrays, and any sharding."""

import importlib
import inspect
import math
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastinit as fi

jax = pytest.importorskip("jax")
fj = importlib.import_module("fastinit.jax")
KEY = jax.random.key(3)
SEED = jax.random.key_data(KEY).tolist()
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def test_names_and_signatures_are_jaxs():
    theirs = {name: f for name, f in vars(jax.nn.initializers).items() if inspect.isfunction(f) or inspect.isbuiltin(f)}
    assert sorted(fj.__all__) == sorted(theirs)

    def told(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    for name, function in theirs.items():
        assert told(getattr(fj, name)) == told(function), name
    assert told(fj.normal(dtype="bfloat16")) == told(jax.nn.initializers.normal(dtype="bfloat16"))


EQUAL = [
    (fj.uniform(0.3), lambda shape, **o: fi.uniform(shape, 0.0, 0.3, **o)),
    (fj.normal(), lambda shape, **o: fi.normal(shape, 0.0, 0.01, **o)),
    (fj.truncated_normal(0.5, lower=-1, upper=3), lambda shape, **o: fi.trunc_normal(shape, 0, 0.5, -1, 3, bounds="std", **o)),
    (fj.glorot_uniform(), lambda shape, **o: fi.xavier_uniform(shape, layout="IO", **o)),
    (fj.glorot_normal(), lambda shape, **o: fi.xavier_normal(shape, truncated=True, layout="IO", **o)),
    (fj.lecun_normal(), lambda shape, **o: fi.lecun_normal(shape, layout="IO", **o)),
    (fj.he_uniform(), lambda shape, **o: fi.kaiming_uniform(shape, layout="IO", **o)),
    (fj.he_normal(), lambda shape, **o: fi.kaiming_normal(shape, truncated=True, layout="IO", **o)),
    (fj.orthogonal(2.0), lambda shape, **o: fi.orthogonal((math.prod(shape[:-1]), shape[-1]), 2.0, **o).reshape(shape)),
]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("mine, core", EQUAL)
def test_values_are_the_cores_with_the_key_as_seed(mine, core, dtype):
    shape = (3, 3, 16, 24)
    made = mine(KEY, shape, dtype)
    expected = core(shape, dtype=jax.numpy.dtype(dtype), seed=SEED)
    assert made.dtype.name == dtype and np.array_equal(np.asarray(made), expected)


def test_keys():
    w = np.asarray(fj.normal()(KEY, (50,)))
    assert np.array_equal(w, fj.normal()(jax.random.PRNGKey(3), (50,)))
    assert np.array_equal(w, fj.normal()(SEED, (50,))), "what fastinit takes as a seed"
    others = [fj.normal()(key, (50,)) for key in (*jax.random.split(KEY), jax.random.key(3, impl="rbg"))]
    assert not any(np.array_equal(w, other) for other in others)
    for keys in (jax.random.split(KEY), jax.random.split(jax.random.PRNGKey(3))):
        with pytest.raises(ValueError, match="key: expected a single key"):
            fj.normal()(keys, (50,))


LAWS = [
    ("uniform", (0.3,), {}, (300, 200)), ("normal", (0.3,), {}, (300, 200)), ("truncated_normal", (0.3,), {}, (300, 200)),
    *((name, (), {}, (3, 3, 60, 90)) for name in ("glorot_uniform", "glorot_normal", "lecun_uniform", "lecun_normal",
                                                  "he_uniform", "he_normal")),
    ("glorot_normal", (), {"in_axis": -1, "out_axis": (0, 1), "batch_axis": 2}, (10, 12, 20, 40)),
    ("he_uniform", (), {"in_axis": 0, "out_axis": (1, 2)}, (512, 8, 16)),
    ("variance_scaling", (1.0, "fan_in", "normal"), {"out_axis": 0}, (1000, 64)),  # flax.linen.Embed
    ("variance_scaling", (2.0, "fan_geo_avg", "truncated_normal"), {}, (64, 900)),
    ("orthogonal", (1.5,), {}, (200, 300)), ("orthogonal", (1.5,), {"column_axis": 1}, (20, 100, 30)),
    ("delta_orthogonal", (1.5,), {}, (3, 3, 60, 90)),
]


@pytest.mark.parametrize("name, args, options, shape", LAWS)
def test_laws_are_jaxs(name, args, options, shape):
    """Standard deviation and extremes beside JAX's own, of at least 48 600 values each: the ratio of the first is off by 2.5%,
    five of its standard errors, with a probability below 1e-6. Orthogonal ones are so exactly."""
    mine, theirs = (np.asarray(getattr(module, name)(*args, **options)(KEY, shape), float)
                    for module in (fj, jax.nn.initializers))
    assert mine.shape == theirs.shape and mine.std() == pytest.approx(theirs.std(), rel=0.025)
    gaussian = "normal" in (name, *args)
    assert mine.max() == pytest.approx(theirs.max(), rel=0.4 if gaussian or "orthogonal" in name else 0.01)
    assert (mine.min() < 0) == (theirs.min() < 0)
    if name == "orthogonal":
        matrix = np.moveaxis(mine, options.get("column_axis", -1), -1).reshape(-1, shape[options.get("column_axis", -1)])
        matrix = matrix if len(matrix) >= matrix.shape[1] else matrix.T
        assert np.allclose(matrix.T @ matrix, 1.5**2 * np.eye(matrix.shape[1]), atol=1e-5)
    if name == "delta_orthogonal":
        assert np.array_equal(mine != 0, theirs != 0)
        assert np.allclose(mine[1, 1] @ mine[1, 1].T, 1.5**2 * np.eye(60), atol=1e-5)


@pytest.mark.parametrize("trace", [
    lambda: jax.jit(lambda key: fj.normal()(key, (3, 4)))(KEY),
    lambda: jax.jit(lambda: fj.glorot_normal()(KEY, (3, 4)))(),
    lambda: jax.jit(lambda: fj.orthogonal()(3, (3, 4)))(),
    lambda: jax.vmap(lambda key: fj.normal()(key, (3, 4)))(jax.random.split(KEY, 2)),
])
def test_inside_transformations_it_says_so(trace):
    with pytest.raises(TypeError, match="key: .* cannot run inside jax.jit or jax.vmap"):
        trace()


def test_shapes_can_be_traced():
    out = jax.eval_shape(lambda key: fj.he_normal()(key, (3, 4), "bfloat16"), KEY)
    assert (out.shape, out.dtype.name) == ((3, 4), "bfloat16")
    with pytest.raises(ValueError, match="in_axis"):
        jax.eval_shape(lambda key: fj.he_normal()(key, (3,)), KEY)


@pytest.mark.parametrize("init, arguments, error, text", [
    (fj.normal(-1.0), ((3,),), ValueError, "std"),
    (fj.normal(), ((3,), "int32"), TypeError, "dtype"),
    (fj.normal(), ((3,), "complex64"), TypeError, "dtype"),
    (fj.normal(), ((-3,),), ValueError, "shape"),
    (fj.glorot_normal(), ((3,),), ValueError, "axes of the shape"),
    (fj.variance_scaling(1.0, "fan", "normal"), ((3, 4),), ValueError, "mode"),
    (fj.orthogonal(), ((3,),), ValueError, "at least 2 dimensions"),
    (fj.delta_orthogonal(), ((3, 8, 4),), ValueError, "input than output"),
])
def test_refusals(init, arguments, error, text):
    with pytest.raises(error, match=text):
        init(KEY, *arguments)


def test_empty():
    for init in (fj.normal(), fj.glorot_uniform(), fj.orthogonal()):
        assert init(KEY, (0, 5)).shape == (0, 5)


def test_flax_linen():
    nn = pytest.importorskip("flax.linen")
    layer = nn.Dense(24, kernel_init=fj.he_normal())
    x = jax.numpy.ones((2, 16))
    variables = layer.init(KEY, x)
    assert variables["params"]["kernel"].shape == (16, 24)
    assert jax.jit(layer.apply)(variables, x).shape == (2, 24)  # which traces the initializer for its shape


SHARDED = """
import jax, numpy as np, fastinit as fi, fastinit.jax as fj
from jax.sharding import NamedSharding, PartitionSpec as P
assert len(jax.devices()) == 8
key, shape = jax.random.key(3), (16, 48)
seed = jax.random.key_data(key).tolist()
asked, own = [], fi.normal.in_place
fi.normal.in_place = lambda memory, *args, **options: asked.append(memory.shape) or own(memory, *args, **options)
names = set(fj.__all__) - {"constant", "ones", "zeros", "variance_scaling", "delta_orthogonal"}
inits = {name: getattr(fj, name)() for name in names}
whole = {(name, dtype): np.asarray(inits[name](key, shape, dtype)) for name in names for dtype in ("float32", "bfloat16")}
line, grid = [P(), P("x"), P(None, "x")], [P("x", "y"), P("y", "x"), P(None, ("x", "y")), P(("y", "x"))]
for axes in ((8,), (4, 2), (2, 4), (2, 2, 2)):
    mesh = jax.make_mesh(axes, tuple("xyz"[:len(axes)]))
    for spec in line + grid * (len(axes) > 1):
        sharding = NamedSharding(mesh, spec)
        for (name, dtype), expected in whole.items():
            asked.clear()
            made = inits[name](key, shape, dtype, out_sharding=sharding)
            assert made.sharding == sharding and np.array_equal(np.asarray(made), expected), (axes, spec, name, dtype)
            for shard in made.addressable_shards:
                assert np.array_equal(np.asarray(shard.data), expected[shard.index])
            if name == "normal":
                assert set(asked) == {sharding.shard_shape(shape)}, "a device makes its shard, no more"
with jax.set_mesh(jax.make_mesh((8,), ("x",), axis_types=(jax.sharding.AxisType.Auto,))):
    assert np.array_equal(np.asarray(inits["normal"](key, shape, out_sharding=P("x"))), whole["normal", "float32"])
    assert np.array_equal(np.asarray(inits["normal"](key, shape)), whole["normal", "float32"])
blocks = [fi.normal((2, 48), 0, 0.01, seed=seed)] * 8
assert not np.array_equal(np.concatenate(blocks), whole["normal", "float32"]), "the control: each shard from the start"
print(len(whole), "equal")
"""


def run(*command):
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    return subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def test_any_sharding_over_eight_devices():
    assert run("-c", SHARDED) == "28 equal\n"


def test_example_over_eight_devices():
    assert run(EXAMPLES / "jax_sharded.py").startswith("(128, 128) True\n")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("needs, printed", [("flax", "(2, 256) 0.08"), ("equinox", "(10,) [0.08")])
def test_examples(needs, printed, capsys):
    pytest.importorskip(needs)
    runpy.run_path(str(EXAMPLES / f"{needs}_model.py"))
    assert capsys.readouterr().out.startswith(printed)


@pytest.mark.parametrize("name", sorted(set(fj.__all__) - {"constant", "ones", "zeros"}))  # those three are jax's own
def test_an_unknown_keyword_is_told_what_there_is(name):
    ours = getattr(fj, name)
    own = name.replace("xavier", "glorot").replace("kaiming", "he")
    with pytest.raises(TypeError, match=rf"^{own}\(\) got an unexpected keyword argument 'sdt': its parameters are .*dtype"):
        ours(sdt=1) if name != "variance_scaling" else ours(1.0, "fan_in", "normal", sdt=1)
