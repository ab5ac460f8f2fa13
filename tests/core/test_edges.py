"""Words chosen by the test, straight into the transforms: the ends of what they can give, their symmetries, their error.

Sampling cannot show these: a gaussian's reach would take 1e10 draws. Every transform here runs on all ISAs, whose bytes must
agree. Claims about an array are functions, so that a known wrong array can be shown to be refused.
"""

import functools

import ml_dtypes
import mpmath
import numpy as np
import pytest

import fastinit as fi
from fastinit.core import _kernels, plan
from fastinit.core.dtypes import DTYPES

REALS = ["float32", "float64"]
UNIT, BITS = {"float32": np.uint32, "float64": np.uint64}, {"float32": 32, "float64": 64}  # two words, the earlier one low
DROPPED = {"float32": (1, 2), "float64": (11, 11)}  # low bits of a radius and of an angle that are not used


def transform(made, units):
    """Every ISA on the same units; the scalar kernel's result."""
    words = units if units.dtype == np.uint32 else np.stack([units & np.uint64(2**32 - 1), units >> np.uint64(32)], axis=-1)
    words = np.ascontiguousarray(words.ravel(), np.uint32)
    first = None
    for isa in _kernels.AVAILABLE_ISAS:
        out = np.empty(len(words), np.uint32)
        _kernels.transform(made.kernel, _kernels.ISAS.index(isa), words, out)
        first = out if first is None else first
        assert np.array_equal(out, first), f"{isa}: {np.count_nonzero(out != first)} words differ from scalar's"
    return first.view(made.dtype.real)


def gaussians(real, radius, angle):
    """The cosine's and the sine's gaussian of each pair of units."""
    radius, angle = (x.ravel() for x in np.broadcast_arrays(radius, angle))
    half, n = 512 // BITS[real], len(radius)
    units = np.stack([np.resize(x, (-(-n // half), half)) for x in (radius, angle)], axis=1)
    z = transform(plan.normal(0.0, 1.0, DTYPES[real]), units).reshape(-1, 2, half)
    return z[:, 0].ravel()[:n], z[:, 1].ravel()[:n]


def edges(real):
    near = {(sign * 2**k + d) % 2**BITS[real] for k in range(BITS[real]) for sign in (1, -1) for d in range(-2, 3)}
    return np.array(sorted(near), UNIT[real])


def random_units(real, n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**BITS[real], n, UNIT[real])


def check_reach(real, z):
    reach = abs(z).max()
    assert np.isfinite(z).all() and (z != 0).all(), "infinite, NaN or zero"
    assert {"float32": 6.66, "float64": 8.57}[real] <= reach <= plan.REACH[np.dtype(real)], f"reach: {reach}"


@pytest.mark.parametrize("real", REALS)
def test_reach(real):
    e = edges(real)
    for z in gaussians(real, e[:, None], e):
        check_reach(real, z)
        check_reach(real, -z)
    with pytest.raises(AssertionError, match="^reach: 5.76"):  # a radius of 24 bits
        check_reach("float32", gaussians("float32", np.maximum(edges("float32") >> 8 << 8, 2**8), np.uint32(0))[0])


@pytest.mark.parametrize("real", REALS)
def test_symmetries(real):
    """The top bit of an angle is the sign of the large coordinate, the next one exchanges the two, and all others together
    are the sign of the small one."""
    bit = [UNIT[real](1 << BITS[real] - 1), UNIT[real](1 << BITS[real] - 2)]
    e = edges(real)
    radius = np.concatenate([np.repeat(e, len(e)), random_units(real, 2**16)])
    angle = np.concatenate([np.tile(e, len(e)), random_units(real, 2**16, 1)])
    c, s = gaussians(real, radius, angle)
    exchanged = angle & bit[1] != 0
    large, small = np.where(exchanged, s, c), np.where(exchanged, c, s)
    assert (abs(small) <= abs(large) * (1 + 1e-6)).all() and np.array_equal(large < 0, angle & bit[0] != 0)
    for flip, expected in ((bit[0], np.where(exchanged, (c, -s), (-c, s))), (bit[1], (s, c)),
                           (bit[1] - UNIT[real](1), np.where(exchanged, (-c, s), (c, -s)))):
        assert np.array_equal(gaussians(real, radius, angle ^ flip), expected), hex(flip)


def check_falling(r):
    rises = np.flatnonzero(np.diff(r) > 0)
    assert not len(rises), f"rises: {len(rises)}, the first behind {r[rises[0]]!r}"


@pytest.mark.parametrize("real", REALS)
def test_radius_is_monotone(real):
    """The angle 0 has the cosine 1, so that the gaussian is the radius itself. 2^20 strata, and all words near the joints of
    the logarithm's pieces."""
    bits, unused = BITS[real], 1 << DROPPED[real][0]
    strata = (np.arange(2**20, dtype=UNIT[real]) << UNIT[real](bits - 20)) + random_units(real, 2**20) // UNIT[real](2**20)
    joints = {(2**k + d * unused) % 2**bits for k in range(bits + 1) for d in range(-200, 200)}
    r = gaussians(real, np.union1d(strata, np.array(sorted(joints), UNIT[real])), UNIT[real](0))[0]
    check_falling(r)
    with pytest.raises(AssertionError, match="^rises: 1,"):
        check_falling(np.roll(r, 1))


def centre(units, dropped):
    return units >> units.dtype.type(dropped) << units.dtype.type(dropped) | units.dtype.type(1 << dropped - 1)


def check_error(z, exact, real):
    worst = (abs(z.astype(exact.dtype) - exact) / np.spacing(abs(z)).astype(exact.dtype)).max()
    assert worst <= 5, f"error: {float(worst):.2f} ulp"


@pytest.mark.parametrize("real, n, number, of", [
    ("float32", 2**20, np.float64, lambda name: getattr(np, name)),
    ("float64", 3000, np.frompyfunc(mpmath.mpf, 1, 1), lambda name: np.frompyfunc(getattr(mpmath, name), 1, 1)),
], ids=REALS)
def test_error(real, n, number, of):
    """At most 5 units in the last place of the result, against float64 and against mpmath."""
    radius = np.concatenate([random_units(real, n), edges(real)])
    angle = np.concatenate([random_units(real, n, 1), np.random.default_rng(2).permutation(edges(real))])
    c, s = gaussians(real, radius, angle)
    exchanged, negative = angle >> UNIT[real](BITS[real] - 2) & UNIT[real](1) != 0, angle >> UNIT[real](BITS[real] - 1) != 0
    with mpmath.workprec(200):
        u = number(centre(radius, DROPPED[real][0]).astype(object)) / 2**BITS[real]
        eighths = number(centre(angle << UNIT[real](2), DROPPED[real][1]).view(f"i{BITS[real] // 8}").astype(object))
        arc = eighths / 2**(BITS[real] - 1) * number(mpmath.pi) / 4
        r = of("sqrt")(-2 * of("log")(u))
        small, large = r * of("sin")(arc), r * of("cos")(arc) * np.where(negative, -1, 1)
        check_error(c, np.where(exchanged, small, large), real)
        check_error(s, np.where(exchanged, large, small), real)
        with pytest.raises(AssertionError, match="^error: "):
            check_error(c + 7 * np.spacing(c), np.where(exchanged, small, large), real)


NASTY = [(-0.1, 0.1), (-1, 1), (1, 2), (1, 1 + 2**-20), (0.5, 1.5), (-1e-3, 1), (-0.05, 0.05), (3, 3.0001),
         (3, float(np.float32(3.0001))), (100, 101), (-1 / 3, 1 / 3), (-0.0625, 0.0625), (0, 1)]


def check_bounds(x, low, high):
    """Against the bounds as asked, not as rounded to the array's type."""
    beyond, below = np.count_nonzero(x.astype(np.float64) >= high), np.count_nonzero(x.astype(np.float64) < low)
    assert not beyond, f"high: {beyond}"
    assert not below, f"low: {below}"


@functools.cache
def all_words():
    """The 2^24 different inputs of float32's uniform, ascending, with whatever in the low bits that it drops."""
    return (np.arange(-2**23, 2**23, dtype=np.int32) << 8).view(np.uint32) | random_units("float32", 2**24) >> np.uint32(24)


@pytest.mark.parametrize("low, high", NASTY)
def test_every_uniform(low, high):
    x = transform(plan.uniform(low, high, DTYPES["float32"]), all_words())
    check_bounds(x, low, high)
    assert (x[1:] >= x[:-1]).all()
    assert low != -high or np.array_equal(x, -x[::-1])
    # The ends are the formula's, or else the outermost values inside the bounds.
    least, most = np.float32(low), np.float32(high)
    least = least if float(least) >= low else np.nextafter(least, np.float32(np.inf))
    most = most if float(most) < high else np.nextafter(most, np.float32(-np.inf))
    middle, half = (low + high) / 2, (2**23 - 0.5) * float(np.float32((high - low) * 2.0**-24))
    last_place = np.spacing(np.float32(max(-low, high)))
    assert abs(x[0] - max(middle - half, least)) <= last_place and abs(x[-1] - min(middle + half, most)) <= last_place
    # In between, every value within an ulp of the larger bound from where it would be.
    exact = low + (np.arange(2**24) + 0.5) * ((high - low) / 2**24)
    assert abs(x - exact).max() <= last_place


def test_every_uniform_control():
    u = np.arange(2**24, dtype=np.float32) * np.float32(2**-24)
    for low, high, beyond in ((3, np.float32(3.0001), 20019), (1, 2, 1), (100, 101, 64), (1, 1 + 2**-20, 2**20)):
        with pytest.raises(AssertionError, match=rf"^high: {beyond}\b"):
            check_bounds(np.float32(low) + (np.float32(high) - np.float32(low)) * u, low, float(high))


@pytest.mark.parametrize("low, high", NASTY)
def test_uniform_float64(low, high):
    e = np.unique(np.concatenate([edges("float64"), random_units("float64", 2**16)]).view(np.int64)).view(np.uint64)
    x = transform(plan.uniform(low, high, DTYPES["float64"]), np.resize(e, -(-len(e) // 16) * 16))[:len(e)]
    assert low <= x[0] and x[-1] < high and (x[1:] >= x[:-1]).all()
    assert high - x[-1] <= 2 * np.spacing(max(-low, high)) and x[0] - low <= 2 * np.spacing(max(-low, high))


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
@pytest.mark.parametrize("low, high", NASTY)
def test_uniform_rounded(low, high, dtype):
    """The float32 value rounded once; where that leaves the bounds, the nearest value inside."""
    x, wide = (fi.uniform(2**20, low, high, dtype=t, seed=1).astype(np.float32) for t in (dtype, np.float32))
    check_bounds(x, low, high)
    values = np.arange(65536, dtype=np.uint16).view(dtype).astype(np.float32)
    values = values[np.isfinite(values)].astype(np.float64)
    inside = values[(values >= low) & (values < high)]
    once = wide.astype(dtype).astype(np.float32)
    assert np.array_equal(x, np.clip(once, inside.min(), inside.max()))
    if (low, high) == (0, 1):
        with pytest.raises(AssertionError, match="^high: "):
            check_bounds(once, low, high)
