"""Is it random, and is it the distribution asked for? Fixed seeds, and each p-value beyond 1e-9: a failure is a bug.

The checks are those of checks.py. Each test also gives them negative controls, arrays that are wrong on purpose, which they
must find at less than 1e-12, and by the right statistic.
"""

import ml_dtypes
import numpy as np
import pytest
from checks import (
    CUT, LAWS, NORMAL, UNIFORM, anderson_darling, autocorrelation, avalanche, chi_square, cut, draw, interleaved,
    inverse_error_function, kolmogorov_smirnov, logarithm_in_bfloat16, moments, paired, pcg32, pieces, repeats, rounded,
    spaced, tails, unrelated,
)
from scipy.special import ndtr

import fastinit as fi
from fastinit.core.streams import seed_material, stream_key

ALPHA, SEED = 1e-9, 20240229


def passes(found):
    worst = min(found, key=found.get)
    assert found[worst] > ALPHA, f"{worst}: p {found[worst]:.1e}"


def refuses(what, found):
    assert found[what] < 1e-12, f"a control passes: {what}: p {found[what]:.1e}"


@pytest.fixture(scope="module")
def gaussians():
    return fi.normal(2**24, seed=SEED, name="gaussians")


def test_moments(gaussians):
    passes(moments(pieces(gaussians), 0, 1, NORMAL))
    passes(moments(pieces(fi.normal(2**22, 3.0, 0.02, dtype="float64", seed=SEED)), 3.0, 0.02, NORMAL))
    passes(moments(pieces(fi.uniform(2**24, -3.0, 5.0, seed=SEED)), 1, 4 / 3**0.5, UNIFORM))
    square = gaussians**2
    for what, wrong in (("mean", gaussians + 0.003), ("variance", gaussians * 1.003),
                        ("skewness", gaussians + 0.0025 * (square - 1)), ("kurtosis", gaussians * (1 + 0.002 * (square - 3)))):
        refuses(what, moments(pieces(wrong), 0, 1, NORMAL))


def test_cut_moments(gaussians):
    assert abs(CUT[0]**0.5 - 0.87962566) < 1e-8 and abs(CUT[1] - 2.3655) < 1e-4
    narrow = fi.trunc_normal(2**22, 0.0, 2.0**-6, bounds="std", seed=SEED)
    for x, std in ((draw("cut", 2**24, seed=SEED), 1.0), (narrow, 2.0**-6)):
        assert abs(x).max() <= 2 * std
        assert abs(x.std(dtype=np.float64) / std - 0.87962566) < 1e-3
        passes(moments(pieces(x), 0, std * CUT[0]**0.5, CUT))
    uniform = fi.uniform(2**20, -1, 1, seed=SEED) * (3 * CUT[0])**0.5
    for what, wrong in (("variance", np.clip(gaussians, -2, 2)), ("kurtosis", uniform)):
        refuses(what, moments(pieces(wrong), 0, CUT[0]**0.5, CUT))


def test_bounds_far_out_cut_nothing():
    passes(moments(pieces(fi.trunc_normal(2**22, 0.0, 0.002, -2.0, 2.0, seed=SEED)), 0, 0.002, NORMAL))
    refuses("kurtosis", moments(pieces(inverse_error_function(0.002, -2.0, 2.0)), 0, 0.002, NORMAL))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_on_the_bounds_are_kept(dtype):
    """Bounds at the outermost values; and at the largest magnitude, which is a negative number's or a positive one's."""
    signs = set()
    for seed in range(8):
        x = fi.normal(4096, dtype=dtype, seed=seed)
        far = x[abs(x).argmax()]
        signs.add(np.sign(far))
        for a, b in ((x.min(), x.max()), (-abs(far), abs(far))):
            assert np.array_equal(fi.trunc_normal(4096, 0.0, 1.0, a, b, dtype=dtype, seed=seed), x)
    assert len(signs) == 2


@pytest.mark.parametrize("law", LAWS)
def test_whole_distribution(law):
    cdf = LAWS[law][2]
    passes(chi_square(pieces(draw(law, 2**22, seed=SEED)), cdf))
    passes(chi_square(pieces(draw(law, 2**20, dtype="float64", seed=SEED)), cdf))
    for dtype, seed in (("float32", 0), ("float32", 1), ("float64", 0), ("float64", 1)):
        x = draw(law, 10**6, dtype=dtype, seed=seed)
        passes(kolmogorov_smirnov(x, cdf))
        passes(anderson_darling(x[:200_000], cdf))


def test_whole_distribution_controls(gaussians):
    refuses("ks", kolmogorov_smirnov(gaussians[:10**6] * 1.02, ndtr))
    refuses("ad", anderson_darling(gaussians[:200_000] * 1.03, ndtr))
    even = (np.arange(2**22) + 0.5) / 2**22
    for wrong in (ndtr(gaussians[:2**22] * 1.02), even):  # too wide, too even
        refuses("chi2", chi_square([wrong], lambda u: u))
    refuses("ks", kolmogorov_smirnov(even[::8], lambda u: u))
    refuses("chi2", chi_square(pieces(logarithm_in_bfloat16(2**17, 1.0, ml_dtypes.bfloat16)), cut(1.0, 10.0)[2]))


def test_tails(gaussians):
    passes(tails(pieces(gaussians)))
    # Half as much tail again; a ziggurat without the sign of its tail; one whose tail starts a layer early.
    refuses("positive", tails([gaussians, gaussians[abs(gaussians) > 4][::2]]))
    refuses("negative", tails([np.where(gaussians < -4, np.float32(0.5), gaussians)]))
    refuses("positive", tails([np.where(gaussians > 2.5, gaussians + np.float32(0.9), gaussians)]))


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
def test_rounded(dtype, gaussians):
    passes(rounded([fi.normal(2**24, dtype=dtype, seed=SEED)], dtype))
    nearest = gaussians.astype(dtype).view(np.uint16)
    towards_zero = nearest - (abs(nearest.view(dtype).astype(np.float32)) > abs(gaussians))  # where nearest went away from it
    refuses("rounding", rounded([towards_zero], dtype))


@pytest.mark.parametrize("law", ["uniform", "normal", "cut"])
def test_autocorrelation(law):
    passes(autocorrelation(draw(law, 2**22, seed=SEED)))


def test_autocorrelation_controls(gaussians):
    x, block = gaussians[:2**22], gaussians[:2**18]
    refuses("values", autocorrelation(np.concatenate([x[:2**20], block, x[2**20 + 2**18:]])))
    pairs = x.reshape(-1, 2, 16).copy()
    pairs[:, 1] *= 1 + 0.02 * pairs[:, 0]**2  # cosines and sines that know each other's radius
    refuses("squares", autocorrelation(pairs.ravel()))


def test_repeats(gaussians):
    """What a block counter of too few bits does: tt-metal#47431."""
    words = fi.words(2**22, seed=SEED)
    passes(repeats(words.view(np.uint64), 2.0**64))
    passes(repeats(words[:2**20], 2.0**32))
    passes(repeats(draw("cut", 2**20, dtype="float64", seed=SEED), 2.0**53))  # no redraw is another element's draw
    for x in (gaussians, draw("cut", 2**24, seed=SEED)):
        passes(repeats(x.view("V4096").ravel(), np.inf))
    refuses("repeats", repeats(np.concatenate([words[:2**20], words[2**18:2**19]]), 2.0**32))
    refuses("repeats", repeats((np.arange(2**20, dtype=np.uint64) * 2654435769 % 2**32), 2.0**32))  # no repeats at all
    names = [stream_key(seed_material(SEED), f"layer.{i}") for i in range(2**18)]
    for part in range(4):
        eight_bytes = np.array([int.from_bytes(name[8 * part:8 * part + 8], "little") for name in names], np.uint64)
        passes(repeats(eight_bytes, 2.0**64))
        refuses("repeats", repeats(eight_bytes >> np.uint64(32), 2.0**64))  # a 32-bit hash of the name


SEEDS = [*range(24), 2**32, 2**48, 2**52, 2**58, 2**60, 2**63, 2**64, 2**127]
STREAMS = [(0, f"h.{i}.attn.weight") for i in range(32)] + [(seed, "") for seed in SEEDS]


def test_streams():
    streams = np.stack([fi.normal(2**16, seed=seed, name=name, dtype="float64") for seed, name in STREAMS])
    passes(unrelated(streams))
    a, b = streams[:2]
    for what, wrong in (("values", [a, b + 0.05 * a]), ("squares", [a, b * np.sqrt(0.95 + 0.05 * a**2)]),
                        ("values", [fi.normal(2**16, seed=seed % 2**32) for seed in SEEDS])):  # cut to 32 bits
        refuses(what, unrelated(np.stack(wrong)))


def test_pairs():
    w = [fi.words(2**20, seed=seed, name=name) for seed, name in STREAMS]
    passes(paired(zip(w, w[1:])))
    passes(paired((w[32], fi.words(2**20, seed=0, offset=2**k)) for k in range(20, 48)))  # shards of one stream
    assert pcg32(42, 6).tolist() == [0xA15C02B7, 0x7B47F409, 0xBA1D3330, 0x83D2F293, 0xBFA4784B, 0xCBED606E]
    refuses("pairs", paired([(pcg32(0, 2**20), pcg32(2**58, 2**20))]))


@pytest.mark.parametrize("shards", [2, 16, 256])
def test_interleaved_shards(shards):
    u = interleaved(lambda first, n: fi.words(n, seed=SEED, offset=first), shards, 2**21) / 2.0**32
    passes(chi_square([u], lambda u: u))
    passes(autocorrelation(u))


def test_interleaved_shards_controls():
    """The classic generator at distances of 2^56 words; shards that start from the same place."""
    def classic(first, n):
        state, power, plus = 42, 6364136223846793005, 109
        while first:
            state = (state * power + plus) % 2**64 if first & 1 else state
            power, plus, first = power * power % 2**64, plus * (power + 1) % 2**64, first >> 1
        return pcg32((state - 109) % 2**64, n)

    for words in (classic, lambda first, n: fi.words(n, seed=SEED)):
        refuses("values", autocorrelation(interleaved(words, 16, 2**20, whole=2**60) / 2.0**32))


@pytest.mark.parametrize("log2", [20, 24, 28, 32])
def test_places_at_equal_steps(log2):
    """As in a column of a matrix whose rows have 2^log2 elements."""
    passes(spaced(lambda first, n: fi.words(n, seed=SEED, offset=first), 2**log2, 2**20))


def test_places_at_equal_steps_control():
    """At 2^44 words the low bits are not to be trusted (docs/quality.md says where that begins)."""
    for bit in (0, 1, 2):
        refuses(f"bit {bit}", spaced(lambda first, n: fi.words(n, seed=SEED, offset=first), 2**44, 2**18))


def test_avalanche():
    name = "h.11.mlp.c_proj.weight"
    changes = [((SEED, name), (SEED ^ 1 << bit, name)) for bit in range(128)]
    changes += [((SEED, name), (SEED, name[:i] + chr(ord(c) ^ 1 << bit) + name[i + 1:]))
                for i, c in enumerate(name) for bit in range(7)]
    passes(avalanche(lambda seed, name: fi.words(128, seed=seed, name=name), changes))
    for weak in (lambda seed, name: fi.words(128, seed=seed % 2**32, name=name),
                 lambda seed, name: fi.words(128, seed=seed, name=name[-4:])):
        refuses("flips", avalanche(weak, changes))
