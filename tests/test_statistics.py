"""Is it random, and is it the distribution asked for? Fixed seeds, and limits at 1e-9 where none is named: a failure is a bug.

A check is a function of an array that asserts, naming first what is wrong. Each test also feeds it negative controls, arrays
that are wrong on purpose, which it must refuse by that name. Limits are two-sided: too even is not random either.
"""

import math

import ml_dtypes
import numpy as np
import pytest
from scipy import fft, stats
from scipy.special import ndtr

import fastinit as fi

ALPHA, SEED = 1e-9, 20240229


def rejects(what):
    return pytest.raises(AssertionError, match=f"^{what}: ")


@pytest.fixture(scope="module")
def gaussians():
    return fi.normal(2**24, seed=SEED, name="gaussians")


def cut(a, b):
    return fi.trunc_normal, (0.0, 1.0, a, b), lambda x: (ndtr(x) - ndtr(a)) / (ndtr(b) - ndtr(a))


LAWS = {"normal": (fi.normal, (0.0, 1.0), ndtr), "uniform": (fi.uniform, (-0.7, 1.1), lambda x: (x + 0.7) / 1.8),
        "cut": cut(-2.0, 2.0), "one-sided": cut(-1.0, 3.5), "narrow": cut(0.1, 0.9)}


def draw(law, n, **options):
    return LAWS[law][0](n, *LAWS[law][1], name=law, **options)


# Variance, then the moments 4, 6 and 8 over its powers. Cut at ±2: E x^k = (k-1) E x^(k-2) - 2^k phi(2) / mass.
NORMAL, UNIFORM, CUT = (1.0, 3.0, 15.0, 105.0), (1.0, 9 / 5, 27 / 7, 9.0), [1.0]
for k in (2, 4, 6, 8):
    CUT.append((k - 1) * CUT[-1] - 2**k * stats.norm.pdf(2) / (ndtr(2) - ndtr(-2)))
CUT = (CUT[1], *(CUT[i] / CUT[1]**i for i in (2, 3, 4)))


def check_moments(x, mean, std, law):
    """|z| < 6 for the first four moments, by the variances that they have under the (symmetric) law."""
    n, sums = len(x), np.zeros(4)
    for part in np.array_split(x, n >> 14):
        t = (part.astype(np.float64) - mean) / std
        square = t * t
        sums += t.sum(), square.sum(), (t * square).sum(), (square * square).sum()
    m1, m2, m3, m4 = sums / n
    variance, (_, b4, b6, b8) = m2 - m1**2, law
    skewness = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
    units = {"mean": 1, "variance": b4 - 1, "skewness": b6 - 6 * b4 + 9, "kurtosis": b8 - 4 * b4 * b6 - b4**2 + 4 * b4**3}
    for (name, unit), value, expected in zip(units.items(), (m1, variance, skewness, kurtosis), (0, 1, 0, b4)):
        z = (value - expected) / math.sqrt(unit / n)
        assert abs(z) < 6, f"{name}: {value}, z {z:+.1f}"


def test_moments(gaussians):
    check_moments(gaussians, 0, 1, NORMAL)
    check_moments(fi.normal(2**22, 3.0, 0.02, dtype="float64", seed=SEED), 3.0, 0.02, NORMAL)
    check_moments(fi.uniform(2**24, -3.0, 5.0, seed=SEED), 1, 4 / math.sqrt(3), UNIFORM)
    square = gaussians**2
    for what, wrong in (("mean", gaussians + 0.003), ("variance", gaussians * 1.003),
                        ("skewness", gaussians + 0.0015 * (square - 1)), ("kurtosis", gaussians * (1 + 0.001 * (square - 3)))):
        with rejects(what):
            check_moments(wrong, 0, 1, NORMAL)


def check_cut(x, std):
    assert abs(x).max() <= 2 * std, f"outside: {abs(x).max()}"
    assert abs(x.std(dtype=np.float64) / std - 0.87962566) < 1e-3, f"std: {x.std()}"
    check_moments(x, 0, std * math.sqrt(CUT[0]), CUT)


def test_cut_moments(gaussians):
    assert abs(math.sqrt(CUT[0]) - 0.87962566) < 1e-8 and abs(CUT[1] - 2.3655) < 1e-4
    check_cut(draw("cut", 2**24, seed=SEED), 1.0)
    check_cut(fi.trunc_normal(2**22, 0.0, 2.0**-6, bounds="std", seed=SEED), 2.0**-6)
    for what, wrong in (("outside", gaussians), ("std", np.clip(gaussians, -2, 2)),
                        ("kurtosis", fi.uniform(2**20, -1, 1, seed=SEED) * math.sqrt(3 * CUT[0]))):
        with rejects(what):
            check_cut(wrong, 1.0)


def check_ks(x, cdf):
    """Massart's bound, P(D > d) <= 2 exp(-2 n d^2): 3.27e-3 at a million."""
    n = len(x)
    excess = cdf(np.sort(x).astype(np.float64)) - np.arange(n) / n
    d = max(excess.max(), 1 / n - excess.min())
    assert d < math.sqrt(math.log(2 / ALPHA) / (2 * n)), f"D: {d}"


def check_chi2(u):
    """1024 bins of equal probability."""
    chi2 = stats.chisquare(np.bincount((u * 1024).astype(np.int64), minlength=1024)).statistic
    assert 774.6 < chi2 < 1318.0, f"chi2: {chi2}"


@pytest.mark.parametrize("law", LAWS)
def test_whole_distribution(law):
    check_chi2(LAWS[law][2](draw(law, 2**22, seed=SEED).astype(np.float64)))
    for dtype, seed in (("float32", 0), ("float32", 1), ("float64", 0), ("float64", 1)):
        check_ks(draw(law, 10**6, dtype=dtype, seed=seed), LAWS[law][2])


def test_whole_distribution_controls(gaussians):
    with rejects("D"):
        check_ks(gaussians[:10**6] * 1.02, ndtr)
    for wrong in (ndtr(gaussians[:2**22] * 1.02), (np.arange(2**22) + 0.5) / 2**22):  # too wide, too even
        with rejects("chi2"):
            check_chi2(wrong)


def check_tails(x):
    """Counts beyond so many sigma, each sign, inside exact binomial limits."""
    for side, y in (("positive", x), ("negative", -x)):
        for sigma in (0, 3, 4, 4.5, 5):
            count, law = np.count_nonzero(y > sigma), stats.binom(len(x), ndtr(-sigma))
            assert law.ppf(ALPHA) <= count <= law.isf(ALPHA), f"{side}: {count} beyond {sigma}, expected {law.mean():.1f}"


def test_tails(gaussians):
    check_tails(gaussians)
    with rejects("positive"):  # half as much tail again
        check_tails(np.concatenate([gaussians, gaussians[abs(gaussians) > 4][::2]]))
    with rejects("negative"):  # a ziggurat without the sign of its tail
        check_tails(np.where(gaussians < -4, np.float32(0.5), gaussians))


def check_rounded(patterns, positive):
    """A representable value has the mass between the midpoints to its neighbours; bins of fewer than 10 are merged."""
    values, counts = np.concatenate([-positive[::-1], positive]), np.bincount(patterns, minlength=65536)  # -0 before +0
    counts = np.concatenate([counts[0x8000:][:len(positive)][::-1], counts[:len(positive)]])
    below = len(patterns) * ndtr([-np.inf, *(values[1:] + values[:-1]) / 2, np.inf])
    starts = [0]
    for i, mass in enumerate(below):
        if mass - below[starts[-1]] >= 10:
            starts.append(i)
    starts.pop()  # what is left belongs to the last full bin
    chi2 = stats.chisquare(np.add.reduceat(counts, starts), np.diff(below[starts], append=below[-1])).statistic
    law = stats.chi2(len(starts) - 1)
    assert law.ppf(ALPHA) < chi2 < law.isf(ALPHA), f"rounding: chi2 {chi2} of {len(starts) - 1}"


@pytest.mark.parametrize("dtype, infinity", [(ml_dtypes.bfloat16, 0x7F80), (np.float16, 0x7C00)])
def test_rounded(dtype, infinity, gaussians):
    positive = np.arange(infinity, dtype=np.uint16).view(dtype).astype(np.float64)
    check_rounded(fi.normal(2**24, dtype=dtype, seed=SEED).view(np.uint16), positive)
    nearest = gaussians.astype(dtype).view(np.uint16)
    with rejects("rounding"):  # towards zero: one pattern less where rounding to nearest went away from it
        check_rounded(nearest - (abs(nearest.view(dtype).astype(np.float32)) > abs(gaussians)), positive)


def check_autocorrelation(x):
    """All circular lags at once; 7 sigma is 1e-5 over three times two million lags, which fixed seeds allow."""
    x = x - x.mean()
    for name, t in (("values", x), ("squares", x * x), ("signs", np.sign(x))):
        r = fft.irfft(abs(fft.rfft(t - t.mean(), workers=2))**2, workers=2)
        z = abs(r[1:len(x) // 2]) / r[0] * math.sqrt(len(x))
        assert z.max() < 7, f"{name}: {z.max():.1f} sigma at lag {z.argmax() + 1}"


@pytest.mark.parametrize("law", ["uniform", "normal", "cut"])
def test_autocorrelation(law):
    check_autocorrelation(draw(law, 2**22, seed=SEED))


def test_autocorrelation_controls(gaussians):
    x, block = gaussians[:2**22], gaussians[:2**18]
    with rejects("values"):
        check_autocorrelation(np.concatenate([x[:2**20], block, x[2**20 + 2**18:]]))
    pairs = x.reshape(-1, 2, 16).copy()
    pairs[:, 1] *= 1 + 0.01 * pairs[:, 0]**2  # cosines and sines that know each other's radius
    with rejects("squares"):
        check_autocorrelation(pairs.ravel())


def check_blocks(x, size=1024):
    blocks = [block.tobytes() for block in x.reshape(-1, size)]
    assert len(set(blocks)) == len(blocks), f"blocks: {len(set(blocks))} different ones of {len(blocks)}"


def test_blocks(gaussians):
    check_blocks(gaussians)
    check_blocks(draw("cut", 2**20, dtype="float64", seed=SEED), 1)  # no redraw is another element's draw
    with rejects("blocks"):  # what a block counter of too few bits does: tt-metal#47431
        check_blocks(np.concatenate([gaussians[:2**20], gaussians[2**18:2**19]]))


SEEDS = [*range(24), 2**32, 2**48, 2**52, 2**58, 2**60, 2**63, 2**64, 2**127]
STREAMS = [(0, f"h.{i}.attn.weight") for i in range(32)] + [(seed, "") for seed in SEEDS]


def check_unrelated(streams):
    for name, t in (("values", streams), ("squares", streams**2)):
        t = (t - t.mean(axis=1, keepdims=True)) / t.std(axis=1, keepdims=True)
        worst = abs(np.triu(np.einsum("ik,jk->ij", t, t), 1)).max() / t.shape[1]**0.5  # BLAS threads crawl on busy CPUs
        assert worst < 6.8, f"{name}: {worst:.1f} sigma"


def test_streams():
    streams = np.stack([fi.normal(2**16, seed=seed, name=name, dtype="float64") for seed, name in STREAMS])
    check_unrelated(streams)
    a, b = streams[:2]
    for what, wrong in (("values", [a, b + 0.05 * a]), ("squares", [a, b * np.sqrt(0.95 + 0.05 * a**2)]),
                        ("values", [fi.normal(2**16, seed=seed % 2**32) for seed in SEEDS])):  # cut to 32 bits
        with rejects(what):
            check_unrelated(np.stack(wrong))


def pair_z(a, b):
    """Chi-square of the top five bits of two word sequences against each other."""
    chi2 = stats.chisquare(np.bincount((a >> 27).astype(np.int64) * 32 + (b >> 27), minlength=1024)).statistic
    return (chi2 - 1023) / math.sqrt(2 * 1023)


def pcg32(seed):
    """2^20 words of the classic generator (XSH-RR), sequence 54, started as pcg32_srandom does."""
    mult, inc = 6364136223846793005, 2 * 54 + 1
    s = np.array([((seed + inc) * mult + inc) % 2**64], np.uint64)
    while len(s) < 2**20:  # as many again, each as many steps on
        s = np.concatenate([s, s * np.uint64(mult) + np.uint64(inc)])
        mult, inc = mult * mult % 2**64, inc * (mult + 1) % 2**64
    shifted, turn = (((s >> 18) ^ s) >> 27).astype(np.uint32), (s >> 59).astype(np.uint32)
    return shifted >> turn | shifted << (-turn & 31)


def test_pairs():
    w = [fi.words(2**20, seed=seed, name=name) for seed, name in STREAMS]
    z = [pair_z(a, b) for a, b in zip(w, w[1:])]
    z += [pair_z(w[32], fi.words(2**20, seed=0, offset=2**k)) for k in range(20, 48)]  # shards of one stream
    assert max(np.abs(z)) < 7.5, z
    assert pcg32(42)[:6].tolist() == [0xA15C02B7, 0x7B47F409, 0xBA1D3330, 0x83D2F293, 0xBFA4784B, 0xCBED606E]
    assert pair_z(pcg32(0), pcg32(2**58)) > 30


def check_avalanche(words_of, changes):
    """Each change of a key flips half of 4096 bits; so do all changes together."""
    flips = np.array([np.unpackbits((words_of(*a) ^ words_of(*b)).view(np.uint8)).sum(dtype=np.int64) for a, b in changes])
    z = (flips - 2048) / 32
    assert abs(z).max() < 6 and abs(z.sum()) < 6 * len(z)**0.5, f"flips: from {flips.min()} to {flips.max()} of 4096"


def test_avalanche():
    name = "h.11.mlp.c_proj.weight"
    changes = [((SEED, name), (SEED ^ 1 << bit, name)) for bit in range(128)]
    changes += [((SEED, name), (SEED, name[:i] + chr(ord(c) ^ 1 << bit) + name[i + 1:]))
                for i, c in enumerate(name) for bit in range(7)]
    check_avalanche(lambda seed, name: fi.words(128, seed=seed, name=name), changes)
    for weak in (lambda seed, name: fi.words(128, seed=seed % 2**32, name=name),
                 lambda seed, name: fi.words(128, seed=seed, name=name[-4:])):
        with rejects("flips"):
            check_avalanche(weak, changes)
