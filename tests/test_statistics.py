"""Is it random, and is it the distribution asked for? Fixed seeds and limits at 1e-9 (alpha), so that a failure is a bug.

Every check is a function of numbers that asserts, naming what is wrong; every test also feeds it numbers that are wrong on
purpose (a negative control), which it must refuse under that name. All limits are two-sided where both sides mean something:
too even is not random either.
"""

import math

import ml_dtypes
import numpy as np
import pytest
from scipy import fft, stats
from scipy.special import ndtr

import fastinit as fi

ALPHA = 1e-9
SEED = 20240229
MANY = 2**24


def rejects(what):
    return pytest.raises(AssertionError, match=f"^{what}: ")


@pytest.fixture(scope="module")
def gaussians():
    x = fi.normal(MANY, seed=SEED, name="gaussians")
    x.flags.writeable = False
    return x


# -- One distribution --------------------------------------------------------------------------------------------------------

CUT = {(a, b): ndtr(b) - ndtr(a) for a, b in ((-2.0, 2.0), (-1.0, 3.5), (0.1, 0.9))}
LAWS = {"uniform": ("uniform", (-0.7, 1.1), lambda x: (x + 0.7) / 1.8), "normal": ("normal", (0.0, 1.0), ndtr)}
LAWS |= {f"trunc {a} {b}": ("trunc_normal", (0.0, 1.0, a, b), lambda x, a=a, mass=mass: (ndtr(x) - ndtr(a)) / mass)
         for (a, b), mass in CUT.items()}


def draw(law, n, **options):
    name, parameters, _ = LAWS[law]
    return getattr(fi, name)(n, *parameters, name=law, **options)


# Central moments 2, 4, 6, 8 over powers of the variance; those of the normal cut at ±2 by E x^k = (k-1) E x^(k-2) - 2^k phi(2) / Phi.
def _cut_moments():
    m = [1.0]
    for k in (2, 4, 6, 8):
        m.append((k - 1) * m[-1] - 2**k * stats.norm.pdf(2) / (CUT[-2.0, 2.0] / 2))
    return m[1], [m[i] / m[1]**i for i in (1, 2, 3, 4)]


CUT_VARIANCE, CUT_SHAPE = _cut_moments()
NORMAL_SHAPE, UNIFORM_SHAPE = [1, 3, 15, 105], [1, 9 / 5, 27 / 7, 9]


def check_moments(x, mean, std, shape):
    """|z| < 6 (2e-9) for four moments of a symmetric law, by the variances that the law's own moments give them."""
    n, sums = len(x), np.zeros(4)
    for part in np.array_split(x, max(n >> 18, 1)):
        t = (part.astype(np.float64) - mean) / std
        square = t * t
        sums += [t.sum(), square.sum(), (square * t).sum(), (square * square).sum()]
    m1, m2, m3, m4 = sums / n
    variance = m2 - m1**2
    skewness = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
    _, b4, b6, b8 = shape
    for name, value, expected, unit in (("mean", m1, 0, 1), ("variance", variance, 1, b4 - 1), ("skewness", skewness, 0, b6 - 6 * b4 + 9),
                                        ("kurtosis", kurtosis, b4, b8 - 4 * b4 * b6 - b4**2 + 4 * b4**3)):
        z = (value - expected) / math.sqrt(unit / n)
        print(f"{name} {value:.6f} z {z:+.2f}")
        assert abs(z) < 6, f"{name}: {value}, z {z:+.1f}"


def test_normal_moments(gaussians):
    check_moments(gaussians, 0, 1, NORMAL_SHAPE)
    check_moments(fi.normal(2**22, 3.0, 0.02, dtype="float64", seed=SEED), 3.0, 0.02, NORMAL_SHAPE)
    with rejects("mean"):
        check_moments(gaussians + np.float32(0.002), 0, 1, NORMAL_SHAPE)
    with rejects("variance"):
        check_moments(gaussians * np.float32(1.003), 0, 1, NORMAL_SHAPE)
    with rejects("skewness"):
        check_moments(gaussians + np.float32(0.001) * (gaussians**2 - 1), 0, 1, NORMAL_SHAPE)
    with rejects("kurtosis"):
        check_moments(0.9998 * gaussians + np.float32(0.01995) * np.roll(gaussians, 1)**3 / math.sqrt(15), 0, 1, NORMAL_SHAPE)


def test_uniform_moments():
    x = fi.uniform(MANY, -3.0, 5.0, seed=SEED)
    check_moments(x, 1, 4 / math.sqrt(3), UNIFORM_SHAPE)
    with rejects("variance"):
        check_moments(x * np.float32(1.001), 1, 4 / math.sqrt(3), UNIFORM_SHAPE)


def check_cut(x, std):
    assert abs(x).max() <= 2 * std, f"outside: {abs(x).max()}"
    result = x.std(dtype=np.float64) / std
    assert abs(result - 0.87962566) < 1e-3, f"std: {result} of the parent's"
    assert abs(CUT_SHAPE[1] - 2.3655) < 1e-4
    check_moments(x, 0, std * math.sqrt(CUT_VARIANCE), CUT_SHAPE)


def test_truncated_moments(gaussians):
    check_cut(fi.trunc_normal(MANY, seed=SEED), 1.0)
    check_cut(fi.trunc_normal(MANY // 4, 0, 2.0**-6, bounds="std", seed=SEED), 2.0**-6)
    with rejects("outside"):
        check_cut(gaussians, 1.0)
    with rejects("std"):
        check_cut(np.clip(gaussians, -2, 2), 1.0)
    with rejects("kurtosis"):  # right std and bounds, wrong law
        check_cut(fi.uniform(2**20, -1, 1, seed=SEED) * np.float32(3 * CUT_VARIANCE)**0.5, 1.0)


def check_ks(x, cdf):
    """Massart's bound: P(D > d) <= 2 exp(-2 n d^2); 3.27e-3 at a million."""
    n = len(x)
    u = cdf(np.sort(x).astype(np.float64))
    i = np.arange(n)
    d = max((u - i / n).max(), ((i + 1) / n - u).max())
    print(f"D {d:.2e}")
    assert d < math.sqrt(math.log(2 / ALPHA) / (2 * n)), f"D: {d}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", LAWS)
def test_ks(law, dtype):
    for seed in range(2):
        check_ks(draw(law, 10**6, dtype=dtype, seed=seed), LAWS[law][2])


def test_ks_control(gaussians):
    with rejects("D"):
        check_ks(gaussians[:10**6] * np.float32(1.02), ndtr)
    with rejects("D"):  # gaussians rejected on one side only, from the other's draws
        check_ks(np.where(gaussians[:10**6] > 2, -1, gaussians[:10**6]), LAWS["normal"][2])


def check_chi2(u):
    """1024 bins of equal probability."""
    counts = np.bincount((u * 1024).astype(np.int64), minlength=1024)
    chi2 = ((counts - len(u) / 1024)**2).sum() / (len(u) / 1024)
    print(f"chi2 {chi2:.1f}")
    assert 774.6 < chi2 < 1318.0, f"chi2: {chi2}"


@pytest.mark.parametrize("law", LAWS)
def test_chi2(law):
    check_chi2(LAWS[law][2](draw(law, 2**22, seed=SEED).astype(np.float64)))


def test_chi2_control(gaussians):
    with rejects("chi2"):
        check_chi2(ndtr(gaussians[:2**22] * 1.02))
    with rejects("chi2"):  # too even
        check_chi2((np.arange(2**22) + 0.5) / 2**22)


def check_tails(x):
    """Counts beyond 3, 4, 4.5 and 5 sigma, each sign, inside exact binomial limits."""
    n = len(x)
    for side, y in (("positive", x), ("negative", -x)):
        for sigma in (0, 3, 4, 4.5, 5):
            count, law = np.count_nonzero(y > sigma), stats.binom(n, ndtr(-sigma))
            low, high = law.ppf(ALPHA), law.isf(ALPHA)
            print(f"{side} beyond {sigma}: {count} of {law.mean():.1f} in [{low:.0f}, {high:.0f}]")
            assert low <= count <= high, f"{side}: {count} beyond {sigma} sigma, expected {law.mean():.1f}"


def test_tails(gaussians):
    check_tails(gaussians)
    half_of_tail = gaussians[abs(gaussians) > 4][::2]
    heavy = gaussians.copy()
    heavy[:len(half_of_tail)] = half_of_tail
    with rejects("positive"):  # tail mass x 1.5
        check_tails(heavy)
    with rejects("negative"):  # no negative tail
        check_tails(np.where(gaussians < -4.5, np.float32(0.5), gaussians))


def check_rounded(patterns, values):
    """Exact bins: each representable value's mass is the normal's between the midpoints to its neighbours. Bins of fewer than
    10 expected are merged with the next."""
    finite = np.isfinite(values)
    ordered = np.concatenate([np.arange(0xFFFF, 0x7FFF, -1), np.arange(0x8000)])  # patterns by value, -0 before +0
    ordered = ordered[finite[ordered]]
    v = values[ordered]
    expected = len(patterns) * np.diff(ndtr(np.concatenate([[-np.inf], (v[1:] + v[:-1]) / 2, [np.inf]])))
    starts, total = [0], 0.0
    for i, mass in enumerate(expected):
        total += mass
        if total >= 10:
            starts.append(i + 1)
            total = 0.0
    starts.pop()  # what is left belongs to the last full bin
    observed = np.add.reduceat(np.bincount(patterns, minlength=65536)[ordered], starts)
    merged = np.add.reduceat(expected, starts)
    chi2, df = ((observed - merged)**2 / merged).sum(), len(merged) - 1
    print(f"chi2 {chi2:.0f} of {df}")
    assert observed.sum() == len(patterns), "rounding: NaN or infinite values"
    assert stats.chi2.ppf(ALPHA, df) < chi2 < stats.chi2.isf(ALPHA, df), f"rounding: chi2 {chi2} at {df} degrees of freedom"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounded(dtype, gaussians):
    values = np.arange(65536).astype(np.uint16).view(ml_dtypes.bfloat16 if dtype == "bfloat16" else np.float16).astype(np.float64)
    check_rounded(fi.normal(2**22, dtype=dtype, seed=SEED).view(np.uint16), values)
    x = gaussians[:2**22]
    nearest = x.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else np.float16).view(np.uint16)
    down = nearest - (abs(values[nearest]) > abs(x)).astype(np.uint16)  # one pattern less is one value nearer to zero
    check_rounded(nearest, values)
    with rejects("rounding"):
        check_rounded(down, values)


# -- One stream --------------------------------------------------------------------------------------------------------------


def check_autocorrelation(x):
    """All (circular) lags at once, of the values, their squares and their signs. 7 is 1e-5 over two million lags."""
    n = len(x)
    for name, t in (("values", x.astype(np.float64)), ("squares", x.astype(np.float64)**2), ("signs", np.sign(x, dtype=np.float64))):
        t = t - t.mean()
        power = abs(fft.rfft(t, workers=2))**2
        r = fft.irfft(power, n, workers=2)[1:n // 2] / (t @ t)
        worst = abs(r).max() * math.sqrt(n)
        print(f"{name} {worst:.2f} at lag {abs(r).argmax() + 1}")
        assert worst < 7, f"{name}: {worst:.1f} at lag {abs(r).argmax() + 1}"


@pytest.mark.parametrize("law", ["uniform", "normal", "trunc -2.0 2.0"])
def test_autocorrelation(law):
    x = draw(law, 2**22, seed=SEED) - np.float32(0.2 if law == "uniform" else 0)
    check_autocorrelation(x)
    x[2**20:][:2**18] = x[:2**18]  # a block comes twice
    with rejects("values"):
        check_autocorrelation(x)


def test_autocorrelation_control(gaussians):
    x = gaussians[:2**22].copy()
    pairs = x.reshape(-1, 2, 16)
    pairs[:, 1] = np.copysign(0.1 * abs(pairs[:, 0]) + 0.9 * abs(pairs[:, 1]), pairs[:, 1])  # a Box-Muller pair shares its radius
    with rejects("squares"):
        check_autocorrelation(x)


def check_blocks(x):
    """No 4 KiB appear twice."""
    data = memoryview(x).cast("B")
    blocks = {bytes(data[i:i + 4096]) for i in range(0, len(data), 4096)}
    assert len(blocks) == len(data) // 4096, f"blocks: {len(blocks)} different of {len(data) // 4096}"


def test_blocks(gaussians):
    check_blocks(gaussians)
    with rejects("blocks"):  # what a block counter of too few bits does (tt-metal#47431)
        check_blocks(np.concatenate([gaussians[:2**20], gaussians[2**18:2**19]]))


def check_repeats(w):
    """Equal words: random ones meet by chance, about n^2 / 2^33 times; a permutation of a counter never does."""
    repeats, law = len(w) - len(np.unique(w)), stats.poisson(len(w)**2 / 2**33)
    print(f"repeats {repeats} of {law.mean():.1f}")
    assert law.ppf(ALPHA) <= repeats <= law.isf(ALPHA), f"repeats: {repeats}, expected {law.mean()}"


def test_repeats():
    w = fi.words(2**22, seed=SEED)
    check_repeats(w[:2**20])
    assert len(np.unique(w.view(np.uint64))) == 2**21  # 1.2e-7 expected
    with rejects("repeats"):
        check_repeats(np.arange(2**20, dtype=np.uint32) * np.uint32(2654435761))


# -- Between streams ---------------------------------------------------------------------------------------------------------

SEEDS = [*range(24), 2**32, 2**48, 2**52, 2**58, 2**60, 2**63, 2**64, 2**127]
STREAMS = [(0, f"h.{i}.attn.weight") for i in range(32)] + [(seed, "") for seed in SEEDS]


def check_unrelated(streams):
    """Correlations of all pairs, of values and of squares."""
    for name, t in (("values", streams), ("squares", streams**2)):
        t = t - t.mean(axis=1, keepdims=True)
        t /= np.sqrt((t * t).sum(axis=1, keepdims=True))
        worst = abs(np.triu(t @ t.T, 1)).max() * math.sqrt(t.shape[1])
        print(f"{name} {worst:.2f}")
        assert worst < 6.8, f"{name}: {worst:.1f}"


def test_streams_unrelated():
    streams = np.stack([fi.normal(2**16, seed=seed, name=name, dtype="float64") for seed, name in STREAMS])
    check_unrelated(streams)
    with rejects("values"):
        check_unrelated(np.stack([streams[0], streams[1] + 0.05 * streams[0]]))
    with rejects("squares"):
        check_unrelated(np.stack([streams[0], streams[1] * np.sqrt(0.95 + 0.05 * streams[0]**2)]))
    with rejects("values"):  # seeds cut to 32 bits
        check_unrelated(np.stack([fi.normal(2**16, seed=seed % 2**32, dtype="float64") for seed in SEEDS]))


def check_pair(a, b):
    """Chi-square of the top five bits of two word sequences against each other."""
    counts = np.bincount((a >> 27).astype(np.int64) * 32 + (b >> 27), minlength=1024)
    z = (((counts - len(a) / 1024)**2).sum() / (len(a) / 1024) - 1023) / math.sqrt(2 * 1023)
    assert abs(z) < 7.5, f"pair: z {z:.1f}"
    return z


def pcg32(seed, n):
    """The classic generator (XSH-RR), sequence 54, seeded as it seeds itself."""
    mult, inc = 6364136223846793005, 109
    s = np.array([((seed + inc) * mult + inc) % 2**64], np.uint64)
    while len(s) < n:  # as many again, len(s) steps on
        s = np.concatenate([s, s * np.uint64(mult) + np.uint64(inc)])
        mult, inc = mult * mult % 2**64, inc * (mult + 1) % 2**64
    shifted, turn = (((s >> 18) ^ s) >> 27).astype(np.uint32), (s >> 59).astype(np.uint32)
    return shifted >> turn | shifted << (-turn & 31)


def test_pairs():
    n = 2**20
    w = [fi.words(n, seed=seed, name=name) for seed, name in STREAMS]
    z = [check_pair(a, b) for a, b in zip(w, w[1:])]
    z += [check_pair(w[0], fi.words(n, seed=STREAMS[0][0], name=STREAMS[0][1], offset=2**k)) for k in range(20, 48, 3)]
    print(f"z from {min(z):.2f} to {max(z):.2f}")
    assert pcg32(42, 6).tolist()[:6] == [0xA15C02B7, 0x7B47F409, 0xBA1D3330, 0x83D2F293, 0xBFA4784B, 0xCBED606E]
    with pytest.raises(AssertionError, match="^pair: z ([3-9].|....*)[.]"):  # at least 30
        check_pair(pcg32(0, n), pcg32(2**58, n))


def check_avalanche(words_of, changes):
    """Each change of the key flips half of 4096 output bits, within 6 sigma, and so do all changes together."""
    flips = np.array([np.bitwise_count(words_of(*old) ^ words_of(*new)).sum(dtype=np.int64) for old, new in changes])
    z = (flips - 2048) / 32
    print(f"{len(z)} changes, z from {z.min():.2f} to {z.max():.2f}, together {z.sum() / math.sqrt(len(z)):.2f}")
    assert abs(z).max() < 6 and abs(z.sum()) < 6 * math.sqrt(len(z)), f"flips: from {flips.min()} to {flips.max()} of 4096"


def test_avalanche():
    name = "transformer.h.11.mlp.c_proj.weight"
    other = [name[:i] + chr(ord(c) ^ 1 << bit) + name[i + 1:] for i, c in enumerate(name) for bit in range(7)]
    changes = [((SEED, name), (SEED ^ 1 << bit, name)) for bit in range(128)] + [((SEED, name), (SEED, o)) for o in other]
    check_avalanche(lambda seed, name: fi.words(128, seed=seed, name=name), changes)
    with rejects("flips"):
        check_avalanche(lambda seed, name: fi.words(128, seed=seed % 2**32, name=name), changes)
    with rejects("flips"):  # four bytes of a name's sum
        check_avalanche(lambda seed, name: fi.words(128, seed=sum(name.encode()) % 4), changes)
