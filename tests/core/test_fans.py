"""Fans and gains against numbers written out by hand from each framework's convention, and against torch itself."""

import math
from fractions import Fraction

import numpy as np
import pytest

from fastinit.core.fans import Fans, calculate_fans, calculate_gain, fan_for_mode

AXES = {"in_axis": -2, "out_axis": -1}  # JAX's defaults


@pytest.mark.parametrize("shape, options, expected", [
    # torch: (O, I, *k)
    ((5, 3), {}, (3, 5)),
    ((64, 32, 3), {"layout": "OIL"}, (96, 192)),
    ((64, 32, 3, 5), {}, (480, 960)),
    ((64, 32, 3, 5), {"layout": "OI*"}, (480, 960)),
    ((64, 32, 3, 5), {"layout": "OIHW"}, (480, 960)),
    ((8, 4, 2, 3, 5), {"layout": "OIDHW"}, (120, 240)),
    # Keras, TF, JAX: (*k, I, O)
    ((3, 5), {"layout": "IO"}, (3, 5)),
    ((3, 5, 32, 64), {"layout": "IO"}, (480, 960)),
    ((3, 5, 32, 64), {"layout": "*IO"}, (480, 960)),
    ((3, 5, 32, 64), {"layout": "HWIO"}, (480, 960)),
    ((2, 3, 5, 4, 8), {"layout": "DHWIO"}, (120, 240)),
    # MLX: (O, *k, I)
    ((5, 3), {"layout": "O*I"}, (3, 5)),
    ((64, 3, 5, 32), {"layout": "O*I"}, (480, 960)),
    ((64, 3, 5, 32), {"layout": "OHWI"}, (480, 960)),
    # neither end
    ((32, 3, 64, 5), {"layout": "IHOW"}, (480, 960)),
    ((32, 64, 3, 5), {"layout": "IO*"}, (480, 960)),
    ((32, 3, 5, 64), {"layout": "I*O"}, (480, 960)),
    # groups: 64 outputs and 32 inputs in 4 groups of 16 and 8; the depthwise one has 32 groups of 2 and 1
    ((64, 8, 3, 3), {"groups": 4}, (72, 144)),
    ((3, 3, 8, 64), {"layout": "IO", "groups": 4}, (72, 144)),
    ((64, 3, 3, 8), {"layout": "O*I", "groups": 4}, (72, 144)),
    ((64, 1, 3, 3), {"groups": 32}, (9, 18)),
    # transposed: 32 inputs, 64 outputs; torch (I, O/g, *k), Keras (*k, O, I)
    ((32, 64, 3, 3), {"transposed": True}, (288, 576)),
    ((32, 16, 3, 3), {"transposed": True, "groups": 4}, (72, 144)),
    ((3, 3, 64, 32), {"layout": "IO", "transposed": True}, (288, 576)),
    # fused: QKV of 768, Conv1D of GPT-2, gate and up on the input axis, a transposed pair, 2 x 4 groups of 8
    ((2304, 768), {"fused": 3}, (768, 768)),
    ((768, 2304), {"layout": "IO", "fused": 3}, (768, 768)),
    ((768, 2304), {"fused": (3, -1)}, (768, 768)),
    ((32, 128, 3, 3), {"transposed": True, "fused": 2}, (288, 576)),
    ((64, 8, 3, 3), {"groups": 4, "fused": 2}, (72, 72)),
    ((2304, 768), {"in_axis": 1, "out_axis": 0, "fused": 3}, (768, 768)),
    ((768, 36, 64), {"in_axis": 0, "out_axis": (1, 2), "fused": (3, 1)}, (768, 768)),
    # JAX
    ((3, 3, 1, 64), AXES, (9, 576)),
    ((512, 8, 64), AXES, (4096, 32768)),
    ((512, 8, 64), {"in_axis": 0, "out_axis": (1, 2)}, (512, 512)),
    ((12, 512, 512), AXES, (6144, 6144)),
    ((12, 512, 512), {**AXES, "batch_axis": 0}, (512, 512)),
    ((8, 64, 512), {"in_axis": [0, 1], "out_axis": 2}, (512, 512)),
    ((7,), {"in_axis": (), "out_axis": 0}, (1, 7)),
    ((), {"in_axis": (), "out_axis": ()}, (1, 1)),
    # depthwise, Keras: (*k, C, multiplier); an expert axis before torch's
    ((3, 3, 32, 2), {"in_axis": (), "out_axis": 3, "batch_axis": 2}, (9, 18)),
    ((12, 64, 32), {"batch_axis": 0}, (32, 64)),
    ((3, 3, 12, 8, 64), {"layout": "HWIO", "groups": 4, "batch_axis": (2,)}, (72, 144)),
    # Flax's Embed divides by the features
    ((1000, 64), {}, (64, 1000)),
    # zero sizes
    ((0, 5), {}, (5, 0)),
    ((5, 4, 0), {}, (0, 0)),
    ((0, 6), {**AXES, "fused": 3}, (0, 2)),
    ((0, 4, 3), {"groups": 4}, (12, 0)),
    # explicit fans
    ((), {"fan_in": 3, "fan_out": 4}, (3, 4)),
    ((7,), {"fan_in": 7}, (7, None)),
    ((7,), {"fan_out": 2.5}, (None, 2.5)),
    ((5, 3), {"fan_in": 0.5}, (0.5, 5)),
    ((5, 3), {"fan_out": 64.0}, (3, 64)),
    ((5, 3), {"fan_in": Fraction(1, 2), "fan_out": 2**70 + 1}, (0.5, 2**70 + 1)),
    # exact above 2**53
    ((3**20, 3**20, 3**20), {}, (3**40, 3**40)),
    ((3**20, 3**20, 3**20), AXES, (3**40, 3**40)),
])
def test_fans(shape, options, expected):
    fans = calculate_fans(shape, **options)
    assert fans == expected and isinstance(fans, Fans)
    assert [type(fan) for fan in fans] == [type(fan) for fan in expected]


def test_integers_of_other_libraries_become_pythons():
    fans = calculate_fans(np.array([64, 32, 3], np.int32), groups=np.int8(2), fan_in=np.float32(0.5))
    assert fans == (0.5, 96) and [type(fan) for fan in fans] == [float, int]
    assert calculate_fans((np.int32(2**31 - 1), np.int32(2**31 - 1), 4)) == (4 * (2**31 - 1), 4 * (2**31 - 1))


@pytest.mark.parametrize("shape, options, message", [
    ((), {}, r"shape: expected at least 2 dimensions, or fan_in= and fan_out=, got \(\)"),
    ((0,), {}, r"shape: .*got \(0,\)"),
    (5, {}, r"shape: .*got \(5,\)"),
    ((12, 7), {"batch_axis": 0}, r"shape: .*got \(12, 7\), batch_axis \(0,\)"),
    ((5, -1), {}, r"shape: expected ints >= 0, got \(5, -1\)"),
    *(((5, 3, 1), {"layout": layout}, "layout: expected one O, one I .*'OI', 'IO', .*got")
      for layout in ("", "O", "OO", "OIO", "OI**", "OI*H", "OIHH", "OIX", "oi", "NHWC")),
    ((5, 3), {"layout": "OIHW"}, r"layout: 'OIHW' expects 4 axes, got 2 of shape \(5, 3\)"),
    ((5, 3, 1), {"layout": "OIL", "batch_axis": 2}, "layout: 'OIL' expects 3 axes, got 2"),
    ((64, 8), {"groups": 3}, r"groups: expected a divisor of 64 \(axis 0 of \(64, 8\)\), got 3"),
    ((8, 64), {"groups": 3, "layout": "IO"}, "groups: expected a divisor of 64 .axis 1"),
    ((64, 9), {"groups": 3, "transposed": True}, "groups: expected a divisor of 64"),
    *(((64, 8), {"groups": groups}, f"groups: expected an int >= 1, got {groups}") for groups in (0, -1)),
    ((64, 8), {"fused": 3}, "fused: expected a divisor of 64 .axis 0 of .*got 3"),
    ((64, 8), {"fused": (3, 1)}, "fused: expected a divisor of 8 .axis 1 of .*got 3"),
    ((64, 8), {"groups": 32, "fused": 4}, "fused: expected a divisor of 2 "),
    *(((64, 8), {"fused": n}, "fused: expected an int >= 1, got 0") for n in (0, (0, 1))),
    ((64, 8), {"fused": (2, 2)}, r"fused: expected an int in \[-2, 1\], got 2"),
    ((64, 8), {"fused": (2, (0, 1))}, r"fused: expected \(n, axis\) with one axis"),
    ((64, 8, 8), {"fused": 2, "in_axis": 0, "out_axis": (1, 2)}, r"fused: expected \(n, axis\).*got 2 for the axes \(1, 2\)"),
    *(((5, 3), {name: 0}, "in_axis, out_axis: expected both.* got") for name in ("in_axis", "out_axis")),
    *(((6, 4), {**AXES, **other}, "layout, groups and transposed at their defaults")
      for other in ({"layout": "IO"}, {"groups": 2}, {"transposed": True})),
    ((5, 3), {"in_axis": 2, "out_axis": 0}, r"in_axis: expected an int in \[-2, 1\], got 2"),
    ((5, 3), {"in_axis": 0, "out_axis": -3}, r"out_axis: .*got -3"),
    ((), {"in_axis": 0, "out_axis": ()}, "in_axis: .*got 0"),
    ((1000, 64), {"in_axis": -2, "out_axis": 0}, r"in_axis, out_axis, batch_axis: expected distinct axes of \(1000, 64\)"),
    ((5, 3), {**AXES, "batch_axis": 1}, "expected distinct axes"),
    *(((5, 3), {"fan_in": fan, "fan_out": 1}, f"fan_in: expected a number > 0, got {fan}") for fan in (0, -1, 0.0)),
    *(((5, 3), {"fan_in": fan, "fan_out": 1}, "fan_in: expected a .*number.*, got") for fan in (math.nan, math.inf, 10**400)),
])
def test_wrong_values_are_refused(shape, options, message):
    with pytest.raises(ValueError, match=message):
        calculate_fans(shape, **options)


@pytest.mark.parametrize("shape, options, message", [
    ((5, 3.0), {}, r"shape: expected ints >= 0, got \(5, 3.0\)"),
    ((5, True), {}, r"shape: expected ints >= 0, got \(5, True\)"),
    (None, {}, "shape: expected an int >= 0, got None"),
    *(((5, 3, 1), {"layout": layout}, "layout: expected a str, got") for layout in (None, ("O", "I"), 3)),
    *(((64, 8), {"groups": groups}, "groups: expected an int >= 1, got") for groups in (2.0, True, None, (2, 4), "2")),
    *(((64, 8), {"transposed": value}, "transposed: expected a bool, got") for value in ("no", 1, None)),
    *(((64, 8), {"fused": n}, "fused: expected an int >= 1, got") for n in (True, "3", (), (2, 1, 1), 2.0, (2.0, 1))),
    *(((5, 3), {**AXES, axis: "0"}, rf"{axis}: expected ints in \[-2, 1\], got '0'") for axis in (*AXES, "batch_axis")),
    *(((5, 3), {"fan_in": fan, "fan_out": 1}, "fan_in: expected a real number, got") for fan in (True, "3", 1j, [3])),
    ((5, 3), {"fan_out": False}, "fan_out: expected a real number, got False"),
])
def test_wrong_types_are_refused(shape, options, message):
    with pytest.raises(TypeError, match=message):
        calculate_fans(shape, **options)


@pytest.mark.parametrize("fans, mode, expected", [
    ((9, 25), "fan_in", 9.0), ((9, 25), "fan_out", 25.0), ((9, 25), "fan_avg", 17.0), ((9, 25), "fan_geo_avg", 15.0),
    ((9, 25), "FAN_IN", 9.0), ((9, 26), "Fan_Avg", 17.5), ((2, 3), "fan_geo_avg", 2.449489742783178),
    ((2.5, 10), "fan_geo_avg", 5.0), ((0, 5), "fan_in", 0.0), ((0, 5), "fan_geo_avg", 0.0),
    ((7, None), "fan_in", 7.0), ((None, 2.5), "fan_out", 2.5),
    ((2**53 + 1, 1), "fan_avg", 4503599627370497.0),  # a sum of floats loses both ones
    ((2**53 - 1, 2**53 - 1), "fan_geo_avg", 9007199254740991.0),
])
def test_mode(fans, mode, expected):
    value = fan_for_mode(Fans(*fans), mode)
    assert value == expected and type(value) is float


@pytest.mark.parametrize("fans, mode, message", [
    ((9, 25), "fan", "mode: expected one of fan_in, fan_out, fan_avg, fan_geo_avg, got 'fan'"),
    *(((7, None), mode, f"mode='{mode}' needs, got 7 and None") for mode in ("fan_out", "fan_avg", "fan_geo_avg")),
    ((None, 7), "fan_in", "needs, got None and 7"),
])
def test_mode_refused(fans, mode, message):
    with pytest.raises(ValueError, match=message):
        fan_for_mode(Fans(*fans), mode)


GAINS = {
    "tanh": 1.6666666666666667, "relu": 1.4142135623730951, "leaky_relu": 1.4141428569978354, "selu": 0.75, "linear": 1.0,
    "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "conv_transpose1d": 1.0, "conv_transpose2d": 1.0, "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
}


@pytest.mark.parametrize("name, param, expected", [
    *((name, None, gain) for name, gain in GAINS.items()),
    ("leaky_relu", 0, 1.4142135623730951), ("leaky_relu", 1, 1.0), ("leaky_relu", -1.0, 1.0),
    ("leaky_relu", math.sqrt(5), 0.5773502691896257), ("leaky_relu", np.float32(0.5), 1.2649110640673518),
    ("leaky_relu", 1e300, 0.0), ("relu", 0, 1.4142135623730951), ("tanh", 0.3, 1.6666666666666667),
])
def test_gain(name, param, expected):
    gain = calculate_gain(name, param)
    assert gain == expected and type(gain) is float


@pytest.mark.parametrize("name, param, error, message", [
    *(("leaky_relu", param, TypeError, "param: expected a real number, got") for param in (True, "0.1", [0.1])),
    *(("leaky_relu", param, ValueError, "param: expected a .*number, got") for param in (math.nan, -math.inf)),
    ("relu", math.nan, ValueError, "param: .*got nan"),
    ("gelu", None, ValueError, "nonlinearity: expected one of 'linear', .*'relu', 'leaky_relu', 'selu', got 'gelu'"),
    ("ReLU", None, ValueError, "nonlinearity: .*got 'ReLU'"),
    (None, None, TypeError, "nonlinearity: .*got None"),
])
def test_gain_refused(name, param, error, message):
    with pytest.raises(error, match=message):
        calculate_gain(name, param)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    init = torch.nn.init
    for shape in [(5, 3), (64, 32, 3), (64, 32, 3, 5), (8, 4, 2, 3, 5), (7, 1, 1, 1), (0, 5), (5, 4, 0)]:
        assert calculate_fans(shape) == init._calculate_fan_in_and_fan_out(torch.empty(shape, device="meta")), shape
    for name in GAINS:
        for param in (None, 0, 0.01, 0.2, 0.25, 1, math.sqrt(5), -3.7):
            assert calculate_gain(name, param) == init.calculate_gain(name, param), (name, param)
