"""The statistical checks of tests/checks.py on large samples and fresh seeds."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import ml_dtypes
import numpy as np
from checks import (
    CUT, LAWS, NORMAL, UNIFORM, Found, anderson_darling, autocorrelation, avalanche, chi_square, draw, interleaved,
    kolmogorov_smirnov, moments, paired, repeats, rounded, spaced, tails, unrelated,
)
from scipy import stats

import fastinit as fi

FAILS, SUSPECT = 1e-9, 1e-5
SIGMAS = (0, 3, 4, 4.5, 5, 5.5, 5.77, 6)
PIECE = 2**22
Test = Callable[[int, int], Found]  # of a seed and a size


def judged(what: str, test: Test, n: int) -> dict:
    """One row: a p-value below 1e-9 fails; one below 1e-5 is tried twice more, with new seeds and four times the size, and
    fails if it comes below 1e-5 again."""
    seed = secrets.randbits(64)
    found = test(seed, n)
    worst = min(found, key=found.__getitem__)
    again = [min(test(secrets.randbits(64), 4 * n).values()) for _ in range(2)] if FAILS < found[worst] < SUSPECT else []
    return {"what": what, "n": n, "seed": str(seed), "smallest p": found[worst], "of": worst,
            "again": ", ".join(f"{p:.2g}" for p in again), "ok": found[worst] > FAILS and all(p > SUSPECT for p in again)}


def parts_of(law: str, n: int, dtype="float32", **key) -> Iterator[np.ndarray]:
    """The n elements as consecutive blocks of the whole."""
    function, numbers, _ = LAWS[law]
    for first in range(0, n, PIECE):
        target = np.empty(min(PIECE, n - first), dtype)
        yield function.in_place(target, *numbers, name=law, global_shape=(n,), offset=(first,), **key)


SHAPES = {"normal": (0.0, 1.0, NORMAL), "uniform": (0.2, 0.9 / 3**0.5, UNIFORM), "cut": (0.0, CUT[0]**0.5, CUT)}


def tests_of(law: str, dtype: str) -> list[tuple[str, Test, int]]:
    """What a law is tested for, and on how many elements."""
    cdf, large = LAWS[law][2], 2**(26 + 2 * (dtype == "float32") + 2 * (law == "normal"))

    def whole(seed: int, n: int) -> np.ndarray:
        return draw(law, n, dtype=dtype, seed=seed)

    found: list[tuple[str, Test, int]] = [
        ("chi-square, 4096 bins", lambda s, n: chi_square(parts_of(law, n, dtype, seed=s), cdf, 4096), large // 4),
        ("Kolmogorov-Smirnov", lambda s, n: kolmogorov_smirnov(whole(s, n), cdf), 10**8 if dtype == "float32" else 10**7),
        ("Anderson-Darling", lambda s, n: anderson_darling(whole(s, n), cdf), 10**7),
        ("autocorrelation, all lags", lambda s, n: autocorrelation(whole(s, n)), 2**23)]
    if law in SHAPES:
        found += [("moments", lambda s, n: moments(parts_of(law, n, dtype, seed=s), *SHAPES[law]), large)]
    if law == "normal":
        found += [(f"counts beyond {', '.join(map(str, SIGMAS))} sigma",
                   lambda s, n: tails(parts_of(law, n, dtype, seed=s), SIGMAS), large)]
    return found


def patterns_of(dtype: np.dtype) -> Test:
    return lambda s, n: rounded(parts_of("normal", n, dtype, seed=s), dtype)


def distributions() -> list[dict]:
    """Distributions, fresh seeds

    A p-value (two-sided, smallest of the checks) below 1e-9 fails. One below 1e-5 is tried twice more with new seeds and four
    times the size, and fails if it comes below 1e-5 again.
    """
    rows = [judged(f"{law} {dtype}: {what}", test, n)
            for law in LAWS for dtype in ("float32", "float64") for what, test, n in tests_of(law, dtype)]
    return rows + [judged(f"normal {dtype}: chi-square of the patterns", patterns_of(dtype), 2**28)
                   for dtype in (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))]


def streams() -> list[dict]:
    """Streams and shards, fresh seeds

    By the same rule as the section before. Interleaved shards are equal parts of a stream of 2^48 words, a word of each in
    turn.
    """
    def neighbours(seed: int, n: int) -> Found:
        keys = [(seed + i, "w") for i in range(256)] + [(seed, f"h.{i}.w") for i in range(256)]
        return unrelated(np.stack([fi.normal(n, seed=s, name=name) for s, name in keys]))

    def pairs(seed: int, n: int) -> Found:
        w = [fi.words(n, seed=seed + i // 32, name=str(i % 32)) for i in range(256)]
        return paired([*zip(w, w[1:]), *((w[0], fi.words(n, seed=seed, name="0", offset=2**k)) for k in range(20, 48))])

    def changed(seed: int, n: int) -> Found:
        name = "decoder.layers.11.mlp.c_proj.weight"
        changes = [((seed, name), (seed ^ 1 << bit, name)) for bit in range(128)]
        changes += [((seed, name), (seed, name[:i] + chr(ord(c) ^ 1 << bit) + name[i + 1:]))
                    for i, c in enumerate(name) for bit in range(7)]
        return avalanche(lambda s, name: fi.words(n, seed=s, name=name), changes)

    def equal_words(seed: int, n: int) -> Found:
        words = fi.words(2 * n, seed=seed)
        return repeats(words[:n], 2.0**32) | {"repeats, 64 bits": repeats(words.view(np.uint64), 2.0**64)["repeats"]}

    def mixed(shards: int) -> Test:
        def test(seed: int, n: int) -> Found:
            u = interleaved(lambda first, m: fi.words(m, seed=seed, offset=first), shards, n) * 2.0**-32
            return autocorrelation(u) | chi_square([u], lambda u: u, 4096)
        return test

    rows = [judged("512 streams, neighbouring seeds and names: correlations of all pairs", neighbours, 2**16),
            judged("283 pairs of word streams, and of one at power-of-two distances: 32 by 32", pairs, 2**20),
            judged("each bit of a seed and a name flips half of the words' bits", changed, 2**10),
            judged("equal words of 32 and of 64 bits", equal_words, 2**22)]
    rows += [judged(f"{shards} shards interleaved: chi-square, autocorrelation", mixed(shards), 2**23)
             for shards in (2, 4, 16, 256, 8192)]
    blocks = np.concatenate([part.view("V4096") for part in parts_of("normal", 2**29, seed=secrets.randbits(64))])
    found = repeats(np.array([hash(block.tobytes()) for block in blocks]), 2.0**64)
    return [*rows, {"what": "equal blocks of 4 KiB in 2 GiB of gaussians", "n": len(blocks), "smallest p": found["repeats"],
                    "ok": found["repeats"] > FAILS}]


def steps_of(log2: int) -> Test:
    return lambda seed, n: spaced(lambda first, m: fi.words(m, seed=seed, offset=first), 2**log2, n)


def values_at_steps(law: str) -> Test:
    function, numbers, cdf = LAWS[law]

    def test(seed: int, n: int) -> Found:
        x = np.stack([function.in_place(np.empty(n, "f4"), *numbers, seed=seed, global_shape=(2**48,), offset=(j * 2**44,))
                      for j in range(8)])
        return unrelated(x) | chi_square([x.ravel()], cdf) | autocorrelation(x.T.ravel())

    return test


def equal_steps() -> list[dict]:
    """Places at equal steps of one stream

    Eight places so far apart on one orbit, 2^24 words at each: every bit's pattern over the eight must be uniform. The states
    are an arithmetic progression, whose traces are in the lowest bits of the words where steps are longest. Steps of 2^34 words
    and more are told and not judged. Values rest on the upper bits: the last rows are of float32 values at steps of 2^44, the
    correlations of the eight places, and chi-square and autocorrelation of their interleave.
    """
    rows = [judged(f"words at steps of 2^{log2}", steps_of(log2), 2**24) for log2 in (24, 26, 28, 30, 32)]
    for log2 in (34, 36, 38, 40, 42, 44):
        seed = secrets.randbits(64)
        found = steps_of(log2)(seed, 2**24)
        rows.append({"what": f"words at steps of 2^{log2}, told", "n": 2**24, "seed": str(seed),
                     "smallest p": min(found.values()),
                     "of": ", ".join(bit for bit, p in found.items() if p < SUSPECT) or "none below 1e-5", "ok": True})
    return rows + [judged(f"{law} float32 at steps of 2^44", values_at_steps(law), 2**20) for law in ("normal", "uniform")]


def second_level() -> list[dict]:
    """p-values of p-values

    Each check on 256 fresh seeds, 2^16 elements each; its p-values must be uniform, by Kolmogorov-Smirnov between 1e-6 and
    1 - 1e-6. Checks that give the worst of many lags or counts are left out: their p-values are bounds.
    """
    wanted = ("mean", "variance", "skewness", "kurtosis", "ks", "ad", "chi2", "values, lag 1", "squares, lag 1", "signs, lag 1")
    rows = []
    for law, shape in SHAPES.items():
        values: dict[str, list[float]] = {}
        for _ in range(256):
            x, cdf = draw(law, 2**16, seed=secrets.randbits(128)), LAWS[law][2]
            found = (moments([x], *shape) | kolmogorov_smirnov(x, cdf) | anderson_darling(x, cdf) | chi_square([x], cdf, 256)
                     | autocorrelation(x))
            for name in wanted:
                values.setdefault(name, []).append(found[name])
        for name, p in values.items():
            d = stats.ks_1samp(p, stats.uniform.cdf)
            rows.append({"law": law, "check": name, "smallest p of 256": min(p), "p of the p-values": float(d.pvalue),
                         "ok": 1e-6 < d.pvalue < 1 - 1e-6})
    return rows


SECTIONS = {f.__name__: f for f in (distributions, streams, equal_steps, second_level)}
