"""Statistical checks, for both tiers. Each takes what was drawn and gives {what: p}: two-sided p-values, as too even is not
random either. A value that is the worst of many is multiplied by their number (Bonferroni), unless it is said to be one alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import fft, stats
from scipy.special import erfinv, ndtr

import fastinit as fi

Found = dict[str, float]
Parts = Iterable[np.ndarray]


def two_sided(below: float, above: float) -> float:
    return float(min(1.0, 2 * min(below, above)))


def beyond(z: float, of: int = 1) -> float:
    """Probability that the largest of so many standard normal |z| is larger."""
    return float(min(1.0, of * 2 * ndtr(-abs(z))))


def counts_p(observed: np.ndarray, expected: np.ndarray | None = None) -> float:
    law, chi2 = stats.chi2(len(observed) - 1), stats.chisquare(observed, expected).statistic
    return two_sided(law.cdf(chi2), law.sf(chi2))


def pieces(x: np.ndarray) -> list[np.ndarray]:
    return np.array_split(x, max(1, len(x) >> 14))


# -- Laws --------------------------------------------------------------------------------------------------------------------


def cut(a, b):
    return fi.trunc_normal, (0.0, 1.0, a, b), lambda x: (ndtr(x) - ndtr(a)) / (ndtr(b) - ndtr(a))


LAWS = {"normal": (fi.normal, (0.0, 1.0), ndtr), "uniform": (fi.uniform, (-0.7, 1.1), lambda x: (x + 0.7) / 1.8),
        "cut": cut(-2.0, 2.0), "one-sided": cut(-1.0, 3.5), "narrow": cut(0.1, 0.9), "far": cut(1.0, 10.0)}

# Variance, then the moments 4, 6 and 8 over its powers. Cut at ±2: E x^k = (k-1) E x^(k-2) - 2^k phi(2) / mass.
NORMAL, UNIFORM, CUT = (1.0, 3.0, 15.0, 105.0), (1.0, 9 / 5, 27 / 7, 9.0), [1.0]
for k in (2, 4, 6, 8):
    CUT.append((k - 1) * CUT[-1] - 2**k * stats.norm.pdf(2) / (ndtr(2) - ndtr(-2)))
CUT = (CUT[1], *(CUT[i] / CUT[1]**i for i in (2, 3, 4)))


def draw(law, n, **options):
    return LAWS[law][0](n, *LAWS[law][1], name=law, **options)


# -- One sample against a law ------------------------------------------------------------------------------------------------


def moments(parts: Parts, mean: float, std: float, law: Sequence[float]) -> Found:
    """The first four, by the variances that they have under the (symmetric) law."""
    n, sums = 0, np.zeros(4)
    for part in parts:
        t = (part.astype(np.float64) - mean) / std
        square = t * t
        sums += t.sum(), square.sum(), (t * square).sum(), (square * square).sum()
        n += len(part)
    m1, m2, m3, m4 = sums / n
    variance, (_, b4, b6, b8) = m2 - m1**2, law
    skewness = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    kurtosis = (m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4) / variance**2
    units = {"mean": 1, "variance": b4 - 1, "skewness": b6 - 6 * b4 + 9, "kurtosis": b8 - 4 * b4 * b6 - b4**2 + 4 * b4**3}
    return {name: beyond((value - expected) / math.sqrt(unit / n))
            for (name, unit), value, expected in zip(units.items(), (m1, variance, skewness, kurtosis), (0, 1, 0, b4))}


def kolmogorov_smirnov(x: np.ndarray, cdf: Callable) -> Found:
    n = len(x)
    excess = cdf(np.sort(x).astype(np.float64)) - np.arange(n) / n
    d = max(excess.max(), 1 / n - excess.min())
    return {"ks": two_sided(stats.kstwo.cdf(d, n), stats.kstwo.sf(d, n))}


def anderson_darling(x: np.ndarray, cdf: Callable) -> Found:
    """Weighs the tails. The limiting law by Marsaglia and Marsaglia (2004), beyond 4 by its largest term: the statistic is the
    sum of chi-squares over j (j + 1), so that P(A > a) is about sqrt(3) P(chi-square of 1 degree > 2 a)."""
    n = len(x)
    u = np.clip(cdf(np.sort(x).astype(np.float64)), 1e-300, 1 - 2**-53)
    a = -n - np.mean((2 * np.arange(n) + 1) * (np.log(u) + np.log1p(-u[::-1])))
    if a > 4:
        return {"ad": two_sided(1, math.sqrt(3) * stats.chi2.sf(2 * a, 1))}
    if a < 2:
        p = 2.00012 + (0.247105 - (0.0649821 - (0.0347962 - (0.011672 - 0.00168691 * a) * a) * a) * a) * a
        p *= math.exp(-1.2337141 / a) / math.sqrt(a)
    else:
        p = math.exp(-math.exp(1.0776 - (2.30695 - (0.43424 - (0.082433 - (0.008056 - 0.0003146 * a) * a) * a) * a) * a))
    return {"ad": two_sided(p, 1 - p)}


def chi_square(parts: Parts, cdf: Callable, bins: int = 1024) -> Found:
    """Bins of equal probability."""
    counts = np.zeros(bins, np.int64)
    for part in parts:
        where = np.minimum((cdf(part.astype(np.float64)) * bins).astype(np.int64), bins - 1)
        counts += np.bincount(where, minlength=bins)
    return {"chi2": counts_p(counts)}


def tails(parts: Parts, sigmas: Sequence[float] = (0, 3, 4, 4.5, 5)) -> Found:
    """Counts of a standard gaussian beyond so many sigma, each sign, by the binomial law."""
    n, counts = 0, np.zeros((2, len(sigmas)), np.int64)
    for part in parts:
        n += len(part)
        counts += [[np.count_nonzero(y > sigma) for sigma in sigmas] for y in (part, -part)]
    laws = [stats.binom(n, ndtr(-sigma)) for sigma in sigmas]
    return {side: min(1.0, len(sigmas) * min(two_sided(law.cdf(count), law.sf(count - 1)) for law, count in zip(laws, row)))
            for side, row in zip(("positive", "negative"), counts)}


def rounded(parts: Parts, dtype) -> Found:
    """Patterns of a standard gaussian in 16 bits: a representable value has the mass between the midpoints to its neighbours;
    bins of fewer than 10 are merged."""
    counts = np.zeros(65536, np.int64)
    for part in parts:
        counts += np.bincount(part.view(np.uint16), minlength=65536)
    positive = np.arange(0x7C00 if dtype == np.float16 else 0x7F80, dtype=np.uint16).view(dtype).astype(np.float64)
    values = np.concatenate([-positive[::-1], positive])  # -0 before +0
    n, observed = counts.sum(), np.concatenate([counts[0x8000:][:len(positive)][::-1], counts[:len(positive)]])
    below = n * ndtr([-np.inf, *(values[1:] + values[:-1]) / 2, np.inf])
    starts = [0]
    for i, mass in enumerate(below):
        if mass - below[starts[-1]] >= 10:
            starts.append(i)
    starts.pop()  # what is left belongs to the last full bin
    return {"rounding": counts_p(np.add.reduceat(observed, starts), np.diff(below[starts], append=below[-1]))}


# -- Independence ------------------------------------------------------------------------------------------------------------


def autocorrelation(x: np.ndarray) -> Found:
    """All circular lags at once, and of the first lag alone."""
    found = {}
    x = x - x.mean()
    for name, t in (("values", x), ("squares", x * x), ("signs", np.sign(x))):
        r = fft.irfft(abs(fft.rfft(t - t.mean(), workers=2))**2, workers=2)
        z = abs(r[1:len(x) // 2]) / r[0] * math.sqrt(len(x))
        found |= {name: beyond(z.max(), len(z)), f"{name}, lag 1": beyond(z[0])}
    return found


def unrelated(streams: np.ndarray) -> Found:
    """Correlations of all pairs of rows."""
    found, pairs = {}, len(streams) * (len(streams) - 1) // 2
    for name, t in (("values", streams), ("squares", streams**2)):
        t = (t - t.mean(axis=1, keepdims=True)) / t.std(axis=1, keepdims=True)
        worst = abs(np.triu(np.einsum("ik,jk->ij", t, t), 1)).max() / t.shape[1]**0.5  # BLAS threads crawl on busy CPUs
        found[name] = beyond(worst, pairs)
    return found


def paired(sequences: Iterable[tuple[np.ndarray, np.ndarray]]) -> Found:
    """The top five bits of two word sequences against each other; the worst of all pairs."""
    p = [counts_p(np.bincount((a >> 27).astype(np.int64) * 32 + (b >> 27), minlength=1024)) for a, b in sequences]
    return {"pairs": min(1.0, len(p) * min(p))}


def spaced(words: Callable[[int, int], np.ndarray], distance: int, n: int, places: int = 8) -> Found:
    """Each bit of words that lie so far apart on one orbit, in equal steps: together, all patterns must be equally likely.
    Pairs show nothing where eight places do, as the states are an arithmetic progression."""
    w = [words(j * distance, n) for j in range(places)]
    found = {}
    for bit in range(32):
        patterns = np.zeros(n, np.uint32)
        for j, x in enumerate(w):
            patterns |= (x >> np.uint32(bit) & np.uint32(1)) << np.uint32(j)
        found[f"bit {bit}"] = min(1.0, 32 * counts_p(np.bincount(patterns, minlength=2**places)))
    return found


def avalanche(words_of: Callable[..., np.ndarray], changes: Sequence) -> Found:
    """Each change of a key flips half of the bits; so do all changes together."""
    flips = np.array([np.unpackbits((words_of(*a) ^ words_of(*b)).view(np.uint8)).sum(dtype=np.int64) for a, b in changes])
    bits = 32 * len(words_of(*changes[0][0]))
    z = (flips - bits / 2) / math.sqrt(bits / 4)
    return {"flips": beyond(abs(z).max(), len(z)), "all flips": beyond(z.sum() / len(z)**0.5)}


def repeats(items: np.ndarray, kinds: float) -> Found:
    """Equal ones among items that are drawn from so many kinds, by the Poisson law: none, where few are expected."""
    law = stats.poisson(len(items) * (len(items) - 1) / 2 / kinds)
    items = np.sort(items)  # np.unique hashes integers, ten times as slowly
    found = np.count_nonzero(items[1:] == items[:-1])
    return {"repeats": two_sided(law.cdf(found), law.sf(found - 1))}


def interleaved(words: Callable[[int, int], np.ndarray], shards: int, n: int, whole: int = 2**48) -> np.ndarray:
    """Word 0 of each of so many equal parts of a stream, then word 1 of each, and so on; words(first, n) gives a part's."""
    return np.stack([words(j * (whole // shards), n // shards) for j in range(shards)], axis=1).ravel()


# -- Wrong on purpose --------------------------------------------------------------------------------------------------------


def pcg32(seed: int, n: int) -> np.ndarray:
    """The classic generator (XSH-RR), sequence 54, started as pcg32_srandom does."""
    mult, inc = 6364136223846793005, 2 * 54 + 1
    s = np.array([((seed + inc) * mult + inc) % 2**64], np.uint64)
    while len(s) < n:  # as many again, each as many steps on
        s = np.concatenate([s, s * np.uint64(mult) + np.uint64(inc)])
        mult, inc = mult * mult % 2**64, inc * (mult + 1) % 2**64
    shifted, turn = (((s >> 18) ^ s) >> 27).astype(np.uint32), (s >> 59).astype(np.uint32)
    return (shifted >> turn | shifted << (-turn & 31))[:n]


def inverse_error_function(std: float, a: float, b: float) -> np.ndarray:
    """Truncation as torch did it before 2.12, in float32, of each of the 2^24 uniform numbers that it drew from."""
    low, high = ndtr(a / std), ndtr(b / std)
    u = np.float32(2 * low - 1) + np.arange(2**24, dtype=np.float32) * np.float32(2 * (high - low) * 2.0**-24)
    return np.clip(erfinv(u) * np.float32(std * math.sqrt(2)), np.float32(a), np.float32(b))


def logarithm_in_bfloat16(n: int, a: float, dtype) -> np.ndarray:
    """A normal tail beyond a, by torch 2.12's acceptance of uniform candidates in the tensor's own type: the logarithm of a
    zero, one in 2^8, accepts anything."""
    rng, out = np.random.default_rng(0), np.empty(0)
    while len(out) < n:
        x, u = a + 9 * rng.random(4 * n), rng.integers(0, 2**8, 4 * n) / 2**8
        with np.errstate(divide="ignore"):
            out = np.concatenate([out, x[np.log(u).astype(dtype).astype(np.float64) < (a * a - x * x) / 2]])
    return out[:n]
