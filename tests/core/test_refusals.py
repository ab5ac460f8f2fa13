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

INF, NAN = math.inf, math.nan


def array(shape, dtype="f4", then=lambda array: array):
    """Makes a call's arguments, an array over a pattern of bytes, changed by `then`; and the memory behind, which must stay."""
    def make():
        raw = np.resize(np.arange(1, 252, dtype=np.uint8), math.prod(shape) * np.dtype(dtype).itemsize)
        return (then(raw.view(dtype).reshape(shape)),), [raw]

    return make


def arguments(*values):
    """Makes a call's arguments, behind which there is no memory."""
    return lambda: (values, [])


def model(then=lambda b: np.ones((3, 4), "f4"), name="w"):
    """What `fill` takes: "b", which comes first and must stay, and another tensor, made from b or from nothing."""
    return array((6, 6), then=lambda b: {"b": b, name: then(b)})


F32, F64, F16, BF16 = (array((4, 6), d) for d in ("f4", "f8", "f2", ml_dtypes.bfloat16))
# What a function is called on, unless a case says otherwise, and what it needs besides the bad argument.
TARGETS = {"fill": model(), **dict.fromkeys(("dirac_", "delta_orthogonal_"), array((4, 2, 3))), "bilinear_": array(4 * (2,))}
REQUIRED = {"sparse_": {"sparsity": 0.5}, "words": {"n": 1}, "normal": {"shape": 3},
            "fill": {"rules": {"*": fi.XavierNormal()}}, "explain": {"initializer": "normal", "shape": 3}}
IN_PLACE = "normal_ eye_ orthogonal_"  # one of each way of writing
SCALED = "xavier_uniform_ kaiming_normal_ lecun_uniform_ variance_scaling_"
CASES, Case = [], namedtuple("Case", "function error argument shown target options")


def refused(error, functions, argument, shown, on=None, **options):
    """Each of the functions, called on a target with these options, raises `error`: its text names the argument before the
    colon, and shows what came."""
    for function in functions.split():
        target = on or TARGETS.get(function, F32 if function.endswith("_") else arguments())
        CASES.append(Case(function, error, argument, str(shown), target, REQUIRED.get(function, {}) | options))


def wrong(error, functions, argument, *values, on=None, **options):
    """`refused` for each value of one argument."""
    for value in values:
        refused(error, functions, argument, repr(value), on, **options, **{argument: value})


def wrong_type(functions, argument, *values, **options):
    wrong(TypeError, functions, argument, *values, **options)


def wrong_value(functions, argument, *values, **options):
    wrong(ValueError, functions, argument, *values, **options)


# Numbers: what is none, NaN (but for a constant), infinities (but for bounds), negative ones (where 0 is the least).
wrong_type("normal_", "std", np.True_, np.array(True), b"1", np.complex64(1), np.array(1j), [[1], [2, 3]], {}, None)
for functions, name, kind in [
        ("normal_ trunc_normal_", "mean", ""), ("normal_ trunc_normal_ sparse_", "std", "-"), ("uniform_", "a", ""),
        ("uniform_", "b", ""), ("trunc_normal_", "a", "inf"), ("trunc_normal_", "b", "inf"), ("constant_", "val", "inf nan"),
        ("sparse_", "sparsity", "-"), ("variance_scaling_", "scale", "-"), ("xavier_uniform_ xavier_normal_", "gain", "-"),
        ("orthogonal_ delta_orthogonal_", "gain", ""), ("kaiming_uniform_ kaiming_normal_", "a", "")]:
    wrong_type(functions, name, True, "0.5", 1j, [0.5], np.ones(2))
    refused(ValueError, functions, name, 10**29, **{name: 10**400})
    for x in (INF, -INF) * ("inf" not in kind) + (NAN, np.float32(NAN)) * ("nan" not in kind) + (-0.5,) * ("-" in kind):
        refused(ValueError, functions, name, x, **{name: x})
wrong_value("normal_ trunc_normal_", "std", 1e-40)  # below the kernels' arithmetic

# Intervals: reversed, empty in the dtype, too narrow, without the mean; what truncation does not do yet.
for name in "ab":
    refused(ValueError, "uniform_ trunc_normal_", name, "a=1.0, b=0.5", a=1.0, b=0.5)
    refused(ValueError, "uniform_", name, "[1.001, 1.002)", BF16, a=1.001, b=1.002)
    refused(ValueError, "trunc_normal_", name, "[1.0002, 1.0007]", F16, mean=1.0005, std=1e-4, a=1.0002, b=1.0007)
refused(ValueError, "uniform_", "a", "[1.000000001, 1.000000002)", a=1.000000001, b=1.000000002)
refused(ValueError, "uniform_ trunc_normal_", "a", "too narrow", a=-1e-40, b=1e-40)
refused(ValueError, "trunc_normal_", "std", "[1.0, 2.0]", mean=0.5, std=0.0, a=1.0, b=2.0)
# No parent has this spread.
refused(ValueError, "trunc_normal_", "std", 0.5, std=0.5, a=1.0, b=1.0, bounds="std", std_is="result")
refused(ValueError, "trunc_normal_", "std", 1.2, std=1.2, std_is="result")
refused(ValueError, "trunc_normal_", "std", 1e300, std=1e300, a=0.0, b=1e-9, bounds="std", std_is="result")
# Beyond the dtype's range.
for on, std, reach in [(F16, 1e4, 66610), (BF16, 6e37, 3.9966e38), (F32, 6e37, 3.9966e38), (F64, 1e308, INF)]:
    refused(ValueError, "normal_ sparse_", "std", f"{reach:g}", on, std=std)
    refused(ValueError, "trunc_normal_", "std", f"{reach:g}", on, std=std, a=-INF, b=INF)
for mean, std, a, b in [(3.5e38, 1e37, 0.0, INF), (0.0, 1e39, 1.0, INF), (0.0, 1e39, -INF, INF)]:
    refused(ValueError, "trunc_normal_", "mean", "float32's range", F32, mean=mean, std=std, a=a, b=b)
refused(ValueError, "trunc_normal_", "std", "0", F32, mean=-1e38, a=0.0, b=INF)  # a spread of 1e-38 at 0
for on, x, came in [(F16, 70000, "70000"), (BF16, 3.4e38, "3.4e+38"), (F32, 1e39, "1e+39")]:
    refused(ValueError, "constant_", "val", came, on, val=x)
    refused(ValueError, "uniform_", "b", came, on, b=x)
    refused(ValueError, "normal_", "mean", came, on, mean=-x, std=0)
refused(ValueError, "xavier_normal_ orthogonal_ delta_orthogonal_", "gain", "1e+06", array((4, 2, 3), "f2"), gain=1e6)
refused(ValueError, "orthogonal_ xavier_uniform_", "gain", "1e+300", gain=1e300)
refused(ValueError, "variance_scaling_", "scale", "1e+12", F16, scale=1e12)

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
    wrong(error, functions, argument, *values)
refused(ValueError, "kaiming_normal_", "fan_in", "None", array((6,)), fan_out=3)
for shape in [(), (6,), (0,)]:
    refused(ValueError, SCALED, "shape", shape, array(shape))
    refused(ValueError, "eye_ orthogonal_ sparse_", "tensor", shape, array(shape))
for shape, functions in [((2, 3, 4), "eye_ sparse_ bilinear_ delta_orthogonal_"), ((4, 3), "dirac_ delta_orthogonal_"),
                         (6 * (1,), "eye_ sparse_ dirac_ delta_orthogonal_ bilinear_")]:
    refused(ValueError, functions, "tensor", shape, array(shape))

# Targets.
for d in ("i4", "?", "c8", "u2", ">f4", "U2", "M8", "g", [("x", "f4")], np.dtype(ml_dtypes.bfloat16).newbyteorder(">")):
    refused(TypeError, IN_PLACE, "tensor", np.dtype(d).str, array((2, 2), d))
for d in ("f4", ">u2", "i2", "f2"):
    refused(TypeError, IN_PLACE, "dtype", np.dtype(d).str, array((2, 2), d), dtype="bfloat16")
for came, then in [("read-only", lambda a: a.setflags(write=False) or a), ("read-only", lambda a: np.broadcast_to(a, (4, 9))),
                   ("(0, 4)", lambda a: strided(a, (4, 9), np.broadcast_to(a, (4, 9)).strides)),
                   ("(4, 0)", lambda a: strided(a, (9, 3), (4, 0))), ("(2, 16)", lambda a: strided(a, (6, 2), (2, 16))),
                   ("(16, 8)", lambda a: strided(a, (2, 4), (16, 8))),
                   ("(-4, 4)", lambda a: strided(a[1:], (2, 5), (-4, 4))), ("(4, 4)", lambda a: strided(a, (7, 3), (4, 4)))]:
    refused(ValueError, IN_PLACE, "tensor", came, array((9,), then=then))
for came, x in [("None", None), ("str", "abc"), ("list", [[1.0]]), ("uint8", bytearray(16)), ("object", np.full((2, 2), None))]:
    refused(TypeError, IN_PLACE, "tensor", came, arguments(x))
refused(ValueError, "normal_ uniform_", "tensor", 2**49, array((9,), then=lambda a: strided(a, (2**49,), (4,))))
refused(TypeError, IN_PLACE, "tensor", "memoryview", array((6,), then=lambda a: (m := memoryview(a)).release() or m))
refused(TypeError, IN_PLACE, "tensor", "masked",
        array((2, 2), then=lambda a: np.ma.masked_array(a, [[0, 1], [0, 0]], hard_mask=True)))
for came, then in [("uint8", lambda a: memoryview(a).cast("B")), ("[('x'", lambda a: a.view([("x", "f4")])),
                   ("complex64", lambda a: a.view("c8"))]:
    refused(TypeError, IN_PLACE, "tensor", came, array((4,), then=then))
for then in (bytes, lambda a: memoryview(a).toreadonly(), lambda a: a[0]):
    refused(ValueError, IN_PLACE, "tensor", "read-only", array((4,), then=then))

# Blocks, and over 2^48 words; no array of the huge size can be asked for.
HUGE = (2**60, 2**60)
for functions, on, shape in [("normal_", F32, (2**47, 6)), ("normal_", F64, (2**45, 8)), (IN_PLACE, F16, HUGE),
                             ("orthogonal_", F32, (4, 7)), ("dirac_", None, (*HUGE, 3)), ("bilinear_", None, (2, 2, *HUGE))]:
    refused(ValueError, functions, "global_shape", max(shape), on, global_shape=shape)
for shape, came, dtype in [(-1, "-1", "f4"), (2**48 + 1, 2**48 + 1, "f4"), (2**47 + 1, 2**48 + 2, "f8"), (HUGE, 2**60, "f4")]:
    refused(ValueError, "explain normal", "shape", came, shape=shape, dtype=dtype)
wrong_value("normal_", "global_shape", (24,), (), (1, 4, 6), 5)
wrong_type("normal_", "global_shape", "46", "x")
wrong_value("normal_", "offset", (0, 0), 3)
wrong_value("normal_", "offset", (1,), 3, global_shape=(6, 6))
wrong_type("normal_", "offset", "11", global_shape=(6, 6))
for error, numbers in ((ValueError, (3, -4)), (TypeError, (4.5, 8.0, NAN, None, "4", [4]))):
    for n in numbers:
        refused(error, "normal_", "global_shape", n, global_shape=(n, 6))
        refused(error, "normal_", "offset", n, global_shape=(6, 6), offset=(n, 0))
refused(TypeError, "normal_", "global_shape", True, array((1, 6)), global_shape=(True, 6))

wrong_value("normal_", "index", (slice(4), slice(6)), ())
wrong_value("normal_", "index", (slice(4),), (0, slice(6)), (slice(4), slice(7)), (slice(1, 4), slice(6)),
     global_shape=(9, 9))
wrong_type("normal_", "index", slice(4), 3, "46", global_shape=(9, 9))
for error, entries in ((ValueError, (slice(0, 8, 2), slice(3, None, -1), 9, -10)),
                       (TypeError, (slice(4.0), ..., None, 2.0, True, "4"))):
    for n in entries:
        refused(error, "normal_", "index", n, index=(n, slice(6)), global_shape=(9, 9))
refused(ValueError, "normal_", "index", "(0, 0)", offset=(0, 0), index=(slice(4), slice(6)), global_shape=(9, 9))
refused(ValueError, "normal_", "global_shape", -9, index=(slice(4), slice(6)), global_shape=(-9, 9))
refused(ValueError, "eye_ orthogonal_", "global_shape", 9, array((6, 6)), index=(slice(6), slice(6)), global_shape=(9, 9))

# Seeds, names, threads, and the functions that fill nothing.
SEEDED = "normal_ eye_ words fill Rng manual_seed"
wrong_type(SEEDED, "seed", 1.0, np.float64(3), True, np.True_, np.array(True), "0", b"0", {1}, np.random.RandomState(0))
wrong_value(SEEDED, "seed", -1, [], (), [[1, 2]], (1, (2, 3)), [[1], [2, 3]], np.array([[1]]))
for error, came, seed in [(TypeError, "2.0", [1, 2.0]), (TypeError, "True", [True]), (TypeError, "'a'", ["a"]),
                          (TypeError, "1.0", np.ones(1)), (ValueError, "-1", np.int64(-1)), (ValueError, "-2", [1, -2])]:
    refused(error, SEEDED, "seed", came, seed=seed)
for functions, error, argument, *values in [
        (IN_PLACE + " words", TypeError, "name", 3, None, b"w", ("a",)), (IN_PLACE + " words", ValueError, "name", "\ud800"),
        (IN_PLACE + " fill", ValueError, "num_threads", 0, -1),
        (IN_PLACE + " fill", TypeError, "num_threads", np.True_, 2.5, "2"),
        (IN_PLACE + " normal explain fill", TypeError, "dtype", "float8", "int8", 5), ("fill", TypeError, "dtype", "float64"),
        ("normal explain", TypeError, "shape", 2.5, (2.0,), "34", None), ("words", ValueError, "n", -1, 2**48 + 1),
        ("words", TypeError, "n", 2.5, True), ("words", ValueError, "offset", -1, 2**48),
        ("words", TypeError, "offset", 2.5, None), ("explain", ValueError, "initializer", "gaussian"),
        ("explain", TypeError, "initializer", 5),
        ("explain", ValueError, "std", -1), ("Normal", TypeError, "sdt", "sdt"), ("fill", TypeError, "rules", fi.Normal(), 5)]:
    wrong(error, functions, argument, *values)

for came, bad in [("-1", fi.Normal(std=-1)), ("a=4.0, b=3.0", fi.TruncNormal(a=4, b=3))]:
    refused(ValueError, "fill", "w", came, rules={"b": fi.Ones(), "*": bad})
for bad in ("normal", None, fi.normal_, fi.Normal):
    refused(TypeError, "fill", "rules", repr(bad), rules={"b": fi.Ones(), "*": bad})
refused(ValueError, "fill", "rules", "'w'", rules={"b": fi.Normal()})
refused(TypeError, "fill", "rules", "3", rules={3: fi.Normal()})
refused(TypeError, "fill", "w", "list", model(list))
for came, then in [("(4,)", lambda b: np.ones(4)), ("read-only", lambda b: np.broadcast_to(b, (2, 6, 6))),
                   # One memory under two names: which values win would depend on the threads.
                   ("'b'", lambda b: b), ("'b'", lambda b: b[1:]), ("'b'", lambda b: b.T)]:
    refused(ValueError, "fill", "w", came, model(then))
refused(TypeError, "fill", "name", "3", model(name=3))
refused(ValueError, "fill", "name", "\\ud800", model(name="\ud800"), rules={"b": fi.Ones(), "*": fi.Orthogonal()})
refused(TypeError, "fill", "arrays", "list", arguments([]))


def name_of(case):
    """Without addresses, which differ from one process to the next."""
    return f"{case.function}-{case.argument}-{re.sub(' at 0x[0-9a-fA-F]+', '', case.shown):.40}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_refused(case):
    function = getattr(fi, case.function)
    takes_seed = "seed" in inspect.signature(function).parameters
    for seed in (fi.Rng(0), np.random.default_rng(0)):
        given, memories = case.target()
        before = pickle.dumps((memories, seed, fi.default_rng()))
        with pytest.raises(case.error) as caught:
            function(*given, **({"seed": seed} if takes_seed else {}) | case.options)
        text = str(caught.value)
        assert case.argument in re.findall(r"\w+", text.partition(":")[0]), text
        assert case.shown in text or case.shown in text.lower(), text
        assert pickle.dumps((memories, seed, fi.default_rng())) == before


@pytest.mark.parametrize("isa", ["sse9", "AVX2"])
def test_unknown_isa(isa):
    command, environment = [sys.executable, "-c", "import fastinit"], {**os.environ, "FASTINIT_ISA": isa}
    run = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert run.returncode and f"FASTINIT_ISA: expected one of {', '.join(fi.show_config()['isas'])}, got '{isa}'" in run.stderr
