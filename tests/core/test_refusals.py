"""Bad input: refused before a byte changes or a seed advances, by a message that names the argument and what came."""

import inspect
import math
import os
import pickle
import re
import subprocess
import sys
from collections import namedtuple

import ml_dtypes
import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided as strided

import fastinit as fi

INF, NAN, EITHER = math.inf, math.nan, (TypeError, ValueError)


def memory(shape, dtype="f4", then=lambda array: array):
    """Makes (arguments, the memory behind them): an array over a pattern of bytes, changed by `then`."""
    def make():
        raw = np.resize(np.arange(1, 252, dtype=np.uint8), math.prod(shape) * np.dtype(dtype).itemsize)
        return (then(raw.view(dtype).reshape(shape)),), [raw]

    return make


def given(*arguments):
    return lambda: (arguments, [])


def model(then=lambda b: np.ones((3, 4), "f4"), name="w"):
    """What `fill` takes: "b", which comes first and must stay, and another tensor, made from b or from nothing."""
    return memory((6, 6), then=lambda b: {"b": b, name: then(b)})


# What a function is called on, and with, besides the bad argument.
F32, F64, F16, BF16 = (memory((4, 6), d) for d in ("f4", "f8", "f2", ml_dtypes.bfloat16))
SUBJECTS = {"fill": model(), **dict.fromkeys(("dirac_", "delta_orthogonal_"), memory((4, 2, 3))), "bilinear_": memory(4 * (2,))}
NEEDS = {"sparse_": {"sparsity": 0.5}, "words": {"n": 1}, "normal": {"shape": 3}, "fill": {"rules": {"*": fi.XavierNormal()}},
         "explain": {"initializer": "normal", "shape": 3}}
WAYS = "normal_ eye_ orthogonal_"  # of writing
SCALED = "xavier_uniform_ kaiming_normal_ lecun_uniform_ variance_scaling_"
CASES, Case = [], namedtuple("Case", "function error argument came subject options")


def row(functions, error, argument, came, on=None, **options):
    """Each function raises `error`; the text names `argument` before its colon, and says `came`."""
    for function in functions.split():
        subject = on or SUBJECTS.get(function, F32 if function.endswith("_") else given())
        CASES.append(Case(function, error, argument, str(came), subject, NEEDS.get(function, {}) | options))


def each(functions, error, argument, *values, on=None, **options):
    """A row for each bad value of one argument."""
    for x in values:
        row(functions, error, argument, repr(x), on, **options, **{argument: x})


# Numbers: what is none, NaN (but for a constant), infinities (but for bounds), negative ones (where 0 is the least).
each("normal_", TypeError, "std", np.True_, np.array(True), b"1", np.complex64(1), np.array(1j), [[1], [2, 3]], {}, None)
for functions, name, kind in [
        ("normal_ trunc_normal_", "mean", ""), ("normal_ trunc_normal_ sparse_", "std", "-"), ("uniform_", "a", ""),
        ("uniform_", "b", ""), ("trunc_normal_", "a", "inf"), ("trunc_normal_", "b", "inf"), ("constant_", "val", "inf nan"),
        ("sparse_", "sparsity", "-"), ("variance_scaling_", "scale", "-"), ("xavier_uniform_ xavier_normal_", "gain", "-"),
        ("orthogonal_ delta_orthogonal_", "gain", ""), ("kaiming_uniform_ kaiming_normal_", "a", "")]:
    each(functions, EITHER, name, True, "0.5", 1j, [0.5], np.ones(2))
    row(functions, ValueError, name, 10**29, **{name: 10**400})
    for x in (INF, -INF) * ("inf" not in kind) + (NAN, np.float32(NAN)) * ("nan" not in kind) + (-0.5,) * ("-" in kind):
        row(functions, ValueError, name, x, **{name: x})
each("normal_ trunc_normal_", ValueError, "std", 1e-40)  # below the kernels' arithmetic

# Intervals: reversed, empty in the dtype, too narrow, without the mean; what truncation does not do yet.
for name in "ab":
    row("uniform_ trunc_normal_", ValueError, name, "a=1.0, b=0.5", a=1.0, b=0.5)
    row("uniform_", ValueError, name, "[1.001, 1.002)", BF16, a=1.001, b=1.002)
    row("trunc_normal_", ValueError, name, "[1.0002, 1.0007]", F16, mean=1.0005, std=1e-4, a=1.0002, b=1.0007)
row("uniform_", ValueError, "a", "[1.000000001, 1.000000002)", a=1.000000001, b=1.000000002)
row("uniform_ trunc_normal_", ValueError, "a", "too narrow", a=-1e-40, b=1e-40)
row("trunc_normal_", ValueError, "std", "[1.0, 2.0]", mean=0.5, std=0.0, a=1.0, b=2.0)
# No parent has this spread.
row("trunc_normal_", ValueError, "std", 0.5, std=0.5, a=1.0, b=1.0, bounds="std", std_is="result")
row("trunc_normal_", ValueError, "std", 1.2, std=1.2, std_is="result")
row("trunc_normal_", ValueError, "std", 1e300, std=1e300, a=0.0, b=1e-9, bounds="std", std_is="result")
# Beyond the dtype's range.
for on, std, reach in [(F16, 1e4, 66610), (BF16, 6e37, 3.9966e38), (F32, 6e37, 3.9966e38), (F64, 1e308, INF)]:
    row("normal_ sparse_", ValueError, "std", f"{reach:g}", on, std=std)
    row("trunc_normal_", ValueError, "std", f"{reach:g}", on, std=std, a=-INF, b=INF)
for mean, std, a, b in [(3.5e38, 1e37, 0.0, INF), (0.0, 1e39, 1.0, INF), (0.0, 1e39, -INF, INF)]:
    row("trunc_normal_", ValueError, "mean", "float32's range", F32, mean=mean, std=std, a=a, b=b)
row("trunc_normal_", ValueError, "std", "0", F32, mean=-1e38, a=0.0, b=INF)  # a spread of 1e-38 at 0
for on, x, came in [(F16, 70000, "70000"), (BF16, 3.4e38, "3.4e+38"), (F32, 1e39, "1e+39")]:
    row("constant_", ValueError, "val", came, on, val=x)
    row("uniform_", ValueError, "b", came, on, b=x)
    row("normal_", ValueError, "mean", came, on, mean=-x, std=0)
row("xavier_normal_ orthogonal_ delta_orthogonal_", ValueError, "gain", "1e+06", memory((4, 2, 3), "f2"), gain=1e6)
row("orthogonal_ xavier_uniform_", ValueError, "gain", "1e+300", gain=1e300)
row("variance_scaling_", ValueError, "scale", "1e+12", F16, scale=1e12)

# Words that mean nothing, fans, groups, ranks.
for functions, error, argument, *values in [
        ("variance_scaling_ kaiming_normal_", ValueError, "mode", "fan_sideways", ""),
        ("variance_scaling_ kaiming_normal_", TypeError, "mode", None, ["fan_in"]),
        ("variance_scaling_", ValueError, "distribution", "gaussian"),
        ("variance_scaling_", TypeError, "distribution", None, ["normal"]),
        ("kaiming_normal_ kaiming_uniform_", ValueError, "nonlinearity", "gelu", "ReLU"),
        ("kaiming_normal_ kaiming_uniform_", TypeError, "nonlinearity", None, ["relu"]),
        *(("trunc_normal_", ValueError, name, "sigma") for name in ("bounds", "std_is")),
        *(("trunc_normal_", TypeError, name, None, ["std"]) for name in ("bounds", "std_is")),
        ("kaiming_normal_ lecun_normal_", TypeError, "truncated", 1, None), ("normal_ xavier_normal_", TypeError, "sdt", "sdt"),
        *((SCALED, ValueError, fan, 0, -1, NAN, INF) for fan in ("fan_in", "fan_out")),
        *((SCALED, TypeError, fan, True, "3") for fan in ("fan_in", "fan_out")),
        (SCALED, ValueError, "layout", "OX"), (SCALED, TypeError, "layout", None), (SCALED, TypeError, "transposed", "no", 1),
        (SCALED, ValueError, "fused", 3), (SCALED, TypeError, "fused", 2.0), (SCALED, ValueError, "in_axis", 1),
        (SCALED + " dirac_", ValueError, "groups", 3, 0, -1), (SCALED + " dirac_", TypeError, "groups", 2.0, True, None, "2"),
        ("sparse_", ValueError, "sparsity", 1.5)]:
    each(functions, error, argument, *values)
row("kaiming_normal_", ValueError, "fan_in", "None", memory((6,)), fan_out=3)
for shape in [(), (6,), (0,)]:
    row(SCALED, ValueError, "shape", shape, memory(shape))
    row("eye_ orthogonal_ sparse_", ValueError, "tensor", shape, memory(shape))
for shape, functions in [((2, 3, 4), "eye_ sparse_ bilinear_ delta_orthogonal_"), ((4, 3), "dirac_ delta_orthogonal_"),
                         (6 * (1,), "eye_ sparse_ dirac_ delta_orthogonal_ bilinear_")]:
    row(functions, ValueError, "tensor", shape, memory(shape))

# Targets.
for d in ("i4", "?", "c8", "u2", ">f4", "U2", "M8", "g", [("x", "f4")], np.dtype(ml_dtypes.bfloat16).newbyteorder(">")):
    row(WAYS, TypeError, "tensor", np.dtype(d).str, memory((2, 2), d))
for d in ("f4", ">u2", "i2", "f2"):
    row(WAYS, TypeError, "dtype", np.dtype(d).str, memory((2, 2), d), dtype="bfloat16")
for came, then in [("read-only", lambda a: a.setflags(write=False) or a), ("read-only", lambda a: np.broadcast_to(a, (4, 9))),
                   ("(0, 4)", lambda a: strided(a, (4, 9), np.broadcast_to(a, (4, 9)).strides)),
                   ("(4, 0)", lambda a: strided(a, (9, 3), (4, 0))), ("(2, 16)", lambda a: strided(a, (6, 2), (2, 16))),
                   ("(16, 8)", lambda a: strided(a, (2, 4), (16, 8))),
                   ("(-4, 4)", lambda a: strided(a[1:], (2, 5), (-4, 4))), ("(4, 4)", lambda a: strided(a, (7, 3), (4, 4)))]:
    row(WAYS, ValueError, "tensor", came, memory((9,), then=then))
for came, x in [("None", None), ("str", "abc"), ("list", [[1.0]]), ("uint8", bytearray(16)), ("object", np.full((2, 2), None))]:
    row(WAYS, TypeError, "tensor", came, given(x))
row("normal_ uniform_", ValueError, "tensor", 2**49, memory((9,), then=lambda a: strided(a, (2**49,), (4,))))
row(WAYS, EITHER, "tensor", "memoryview", memory((6,), then=lambda a: (m := memoryview(a)).release() or m))
row(WAYS, TypeError, "tensor", "masked", memory((2, 2), then=lambda a: np.ma.masked_array(a, [[0, 1], [0, 0]], hard_mask=True)))
for came, then in [("uint8", lambda a: memoryview(a).cast("B")), ("[('x'", lambda a: a.view([("x", "f4")])),
                   ("complex64", lambda a: a.view("c8"))]:
    row(WAYS, TypeError, "tensor", came, memory((4,), then=then))
for then in (bytes, lambda a: memoryview(a).toreadonly(), lambda a: a[0]):
    row(WAYS, ValueError, "tensor", "read-only", memory((4,), then=then))

# Blocks, and over 2^48 words; no array of the huge size can be asked for.
HUGE = (2**60, 2**60)
for functions, on, shape in [("normal_", F32, (2**47, 6)), ("normal_", F64, (2**45, 8)), (WAYS, F16, HUGE),
                             ("orthogonal_", F32, (4, 7)), ("dirac_", None, (*HUGE, 3)), ("bilinear_", None, (2, 2, *HUGE))]:
    row(functions, ValueError, "global_shape", max(shape), on, global_shape=shape)
for shape, came, dtype in [(-1, "-1", "f4"), (2**48 + 1, 2**48 + 1, "f4"), (2**47 + 1, 2**48 + 2, "f8"), (HUGE, 2**60, "f4")]:
    row("explain normal", ValueError, "shape", came, shape=shape, dtype=dtype)
each("normal_", EITHER, "global_shape", (24,), (), (1, 4, 6), 5, "46", "x")
each("normal_", EITHER, "offset", (0, 0), 3)
each("normal_", EITHER, "offset", (1,), 3, "11", global_shape=(6, 6))
for n in (3, -4, 4.5, 8.0, NAN, None, "4", [4]):
    row("normal_", EITHER, "global_shape", n, global_shape=(n, 6))
    row("normal_", EITHER, "offset", n, global_shape=(6, 6), offset=(n, 0))
row("normal_", EITHER, "global_shape", True, memory((1, 6)), global_shape=(True, 6))

each("normal_", ValueError, "index", (slice(4), slice(6)), ())
each("normal_", EITHER, "index", (slice(4),), slice(4), 3, "46", (0, slice(6)), (slice(4), slice(7)), (slice(1, 4), slice(6)),
     global_shape=(9, 9))
for n in (slice(0, 8, 2), slice(3, None, -1), slice(4.0), ..., None, 2.0, True, "4", 9, -10):
    row("normal_", EITHER, "index", n, index=(n, slice(6)), global_shape=(9, 9))
row("normal_", ValueError, "index", "(0, 0)", offset=(0, 0), index=(slice(4), slice(6)), global_shape=(9, 9))
row("normal_", ValueError, "global_shape", -9, index=(slice(4), slice(6)), global_shape=(-9, 9))
row("eye_ orthogonal_", ValueError, "global_shape", 9, memory((6, 6)), index=(slice(6), slice(6)), global_shape=(9, 9))

# Seeds, names, threads, and the functions that fill nothing.
SEEDED = "normal_ eye_ words fill Rng manual_seed"
each(SEEDED, TypeError, "seed", 1.0, np.float64(3), True, np.True_, np.array(True), "0", b"0", {1}, np.random.RandomState(0))
each(SEEDED, ValueError, "seed", -1, [], (), [[1, 2]], (1, (2, 3)), [[1], [2, 3]], np.array([[1]]))
for error, came, seed in [(TypeError, "2.0", [1, 2.0]), (TypeError, "True", [True]), (TypeError, "'a'", ["a"]),
                          (TypeError, "1.0", np.ones(1)), (ValueError, "-1", np.int64(-1)), (ValueError, "-2", [1, -2])]:
    row(SEEDED, error, "seed", came, seed=seed)
for functions, error, argument, *values in [
        (WAYS + " words", TypeError, "name", 3, None, b"w", ("a",)), (WAYS + " words", ValueError, "name", "\ud800"),
        (WAYS + " fill", ValueError, "num_threads", 0, -1), (WAYS + " fill", TypeError, "num_threads", np.True_, 2.5, "2"),
        (WAYS + " normal explain fill", EITHER, "dtype", "float8", "int8", 5), ("fill", EITHER, "dtype", "float64"),
        ("normal explain", TypeError, "shape", 2.5, (2.0,), "34", None), ("words", EITHER, "n", -1, 2**48 + 1, 2.5, True),
        ("words", EITHER, "offset", -1, 2**48, 2.5, None), ("explain", ValueError, "initializer", "gaussian"),
        ("explain", TypeError, "initializer", 5),
        ("explain", ValueError, "std", -1), ("Normal", TypeError, "sdt", "sdt"), ("fill", EITHER, "rules", fi.Normal(), 5)]:
    each(functions, error, argument, *values)

for argument, came, bad in [("w", "-1", fi.Normal(std=-1)), ("w", "a=4.0, b=3.0", fi.TruncNormal(a=4, b=3)),
                            *(("rules", repr(bad), bad) for bad in ("normal", None, fi.normal_, fi.Normal))]:
    row("fill", (*EITHER, NotImplementedError), argument, came, rules={"b": fi.Ones(), "*": bad})
row("fill", ValueError, "rules", "'w'", rules={"b": fi.Normal()})
row("fill", EITHER, "rules", "3", rules={3: fi.Normal()})
for came, then in [("(4,)", lambda b: np.ones(4)), ("list", list), ("read-only", lambda b: np.broadcast_to(b, (2, 6, 6))),
                   # One memory under two names: which values win would depend on the threads.
                   ("'b'", lambda b: b), ("'b'", lambda b: b[1:]), ("'b'", lambda b: b.T)]:
    row("fill", EITHER, "w", came, model(then))
row("fill", TypeError, "name", "3", model(name=3))
row("fill", ValueError, "name", "\\ud800", model(name="\ud800"), rules={"b": fi.Ones(), "*": fi.Orthogonal()})
row("fill", TypeError, "arrays", "list", given([]))


def name_of(case):
    """Without addresses, which differ from one process to the next."""
    return f"{case.function}-{case.argument}-{re.sub(' at 0x[0-9a-fA-F]+', '', case.came):.40}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_refused(case):
    function = getattr(fi, case.function)
    takes_seed = "seed" in inspect.signature(function).parameters
    for seed in (fi.Rng(0), np.random.default_rng(0)):
        arguments, memories = case.subject()
        before = pickle.dumps((memories, seed, fi.default_rng()))
        with pytest.raises(case.error) as caught:
            function(*arguments, **({"seed": seed} if takes_seed else {}) | case.options)
        text = str(caught.value)
        assert case.argument in re.findall(r"\w+", text.partition(":")[0]), text
        assert case.came in text or case.came in text.lower(), text
        assert pickle.dumps((memories, seed, fi.default_rng())) == before


@pytest.mark.parametrize("isa", ["sse9", "AVX2"])
def test_unknown_isa(isa):
    command, environment = [sys.executable, "-c", "import fastinit"], {**os.environ, "FASTINIT_ISA": isa}
    run = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert run.returncode and f"FASTINIT_ISA: expected one of {', '.join(fi.show_config()['isas'])}, got '{isa}'" in run.stderr
