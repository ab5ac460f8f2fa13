"""Every input that a transform can have, on every instruction set, against a reference of higher precision."""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path

import ml_dtypes
import mpmath
import numpy as np
from cross import CORE, ROOT, compile_c
from test_edges import DROPPED, NASTY, centre, gaussians, transform

import fastinit as fi
from fastinit.core import _kernels, plan
from fastinit.core.dtypes import DTYPES

CHUNK = 2**22
U32 = np.uint32


class Worst:
    """The largest error in ulp of the result, and the word that has it."""

    def __init__(self) -> None:
        self.ulp, self.word = 0.0, 0

    def see(self, got: np.ndarray, exact: np.ndarray, words: np.ndarray) -> None:
        error = abs(got - exact) / np.spacing(abs(got)).astype(exact.dtype)
        at = int(error.argmax())
        if error[at] > self.ulp:
            self.ulp, self.word = float(error[at]), int(words[at])

    def row(self, what: str, limit: float, ok: bool = True, **more) -> dict:
        return {"what": what, "worst ulp": round(self.ulp, 4), "at word": hex(self.word), **more, "limit, ulp": limit,
                "ok": ok and self.ulp <= limit}


def chunks(n: int, step: int = CHUNK):
    for first in range(0, n, step):
        yield np.arange(first, min(first + step, n), dtype=U32)


def uniform_bounds() -> list[dict]:
    """Uniform float32: all 2^24 inputs

    For each interval, every one of the 2^24 integers that a value is made from. A value's share is how many of them give it,
    against the measure of the reals nearest to it among those that occur, but for the two ends. The share of odd last bits is
    no test: where the inputs fall midway between two values, as in [0.5, 1) of (0, 1), the even one is taken.
    """
    words, rows = (np.arange(-2**23, 2**23, dtype=np.int32) << 8).view(U32), []
    for low, high in NASTY:
        x = transform(plan.uniform(low, high, DTYPES["float32"]), words)
        wide, (values, counts) = x.astype(np.float64), np.unique(x, return_counts=True)
        exact = low + (np.arange(2**24) + 0.5) * ((high - low) / 2**24)
        row = {"low": low, "high": high, "below": int((wide < low).sum()), "at or above high": int((wide >= high).sum()),
               "falls": int((np.diff(x) < 0).sum()), "largest error, ulp of the bound":
               round(float((abs(wide - exact) / np.spacing(np.float32(max(-low, high)))).max()), 3)}
        middles = (values[1:].astype(np.float64) + values[:-1]) / 2
        share = np.diff(middles) / ((high - low) / 2**24)
        row["largest miss of a share"] = round(float(abs(counts[1:-1] - share).max(initial=0)), 2)
        row["different values"] = len(values)
        row["odd last bits"] = round(float((x.view(U32) & 1).mean()), 6)
        for dtype in (np.float16, ml_dtypes.bfloat16):
            p = plan.uniform(low, high, DTYPES[np.dtype(dtype).name]).kernel.fields()
            rounded = np.clip(x, np.float32(p["least"]), np.float32(p["most"])).astype(dtype).astype(np.float64)
            row[f"outside in {np.dtype(dtype).name}"] = int(((rounded < low) | (rounded >= high)).sum())
        never = ("below", "at or above high", "falls", "outside in float16", "outside in bfloat16")
        row["ok"] = (not any(row[what] for what in never) and row["largest error, ulp of the bound"] <= 1
                     and row["largest miss of a share"] < 2)
        rows.append(row)
    return rows


def radius() -> list[dict]:
    """Radius of the float32 gaussian: every word

    All 2^31 values of a radius word (its lowest bit is not used), the angle being one whose cosine is 1, against float64.
    """
    worst, rises, last, ends = Worst(), 0, np.float32(np.inf), []
    for i in chunks(2**31):
        r = gaussians("float32", i << 1, U32(0))[0]
        worst.see(r, np.sqrt(-2 * np.log((i + 0.5) / 2**31)), i << 1)
        rises += int(np.count_nonzero(np.diff(r, prepend=last) > 0))
        last = r[-1]
        ends.append((float(r.max()), float(r.min())))
    reach, least = max(e[0] for e in ends), min(e[1] for e in ends)
    return [worst.row("radius", 5, rises == 0 and least > 0 and 6.66 <= reach <= plan.REACH[np.dtype(np.float32)],
                      largest=reach, smallest=least, rises=rises)]


def radius_word_of_one() -> np.uint32:
    """A word whose radius is exactly 1, so that the gaussian is the cosine or the sine itself."""
    near = np.arange(-200, 200) * 2 + 2 * round(np.exp(-0.5) * 2**31)
    near = near.astype(U32)
    return near[gaussians("float32", near, U32(0))[0] == 1][0]


def angle() -> list[dict]:
    """Sine and cosine of the float32 gaussian: every word

    All 2^32 angle words, the radius being exactly 1: the 2^30 arcs of the first quadrant against float64, and the three other
    quadrants and the arcs below zero against the same numbers with signs and places changed.
    """
    one, small, large, broken = radius_word_of_one(), Worst(), Worst(), 0
    for i in chunks(2**29, CHUNK // 4):
        mirrored = i ^ U32(2**30 - 1)
        c, s = gaussians("float32", one, i)
        arc = ((i << 2).view(np.int32) + 2.0) * 2.0**-31 * (np.pi / 4)
        large.see(c, np.cos(arc), i)
        small.see(s, np.sin(arc), i)
        for words, sign in ((i, 1), (mirrored, -1)):
            for top, expected in ((0, (c, sign * s)), (2, (-c, sign * s)), (1, (sign * s, c)), (3, (sign * s, -c))):
                got = gaussians("float32", one, words | U32(top << 30))
                broken += sum(np.count_nonzero(a != b) for a, b in zip(got, expected))
    return [worst.row(name, 5, broken == 0, **{"broken symmetries": int(broken)})
            for name, worst in (("sine of an eighth turn", small), ("cosine of an eighth turn", large))]


def points(real: str, radius: np.ndarray, angle: np.ndarray, wide) -> tuple[np.ndarray, np.ndarray]:
    """What cosine and sine elements should be, in a wider type."""
    bits = radius.dtype.itemsize * 8
    u = centre(radius, DROPPED[real][0]).astype(wide) * wide(2.0**-bits)
    arc = centre(angle << angle.dtype.type(2), DROPPED[real][1]).view(f"i{bits // 8}").astype(wide) * wide(2.0**(1 - bits))
    arc *= wide("0.785398163397448309615660845819875721")
    r = np.sqrt(-2 * np.log(u))
    small, large = r * np.sin(arc), r * np.cos(arc) * np.where(angle >> angle.dtype.type(bits - 1), -1, 1)
    exchanged = angle >> angle.dtype.type(bits - 2) & angle.dtype.type(1) != 0
    return np.where(exchanged, small, large), np.where(exchanged, large, small)


def gaussian_f32(log2: int = 27) -> list[dict]:
    """The float32 gaussian as delivered

    Random pairs of radius and angle words against float64, the error being that of the product.
    """
    worst, rng = Worst(), np.random.default_rng(0)
    for _ in range(2**log2 // CHUNK // 2):
        r, a = rng.integers(0, 2**32, (2, CHUNK), U32)
        for got, exact in zip(gaussians("float32", r, a), points("float32", r, a, np.float64)):
            worst.see(got, exact, r)
    return [worst.row("gaussian", 5, elements=2**log2)]


def stratified(n: int, rng) -> np.ndarray:
    """One 64-bit word in each of n equal parts, and half as many again by their number of leading zeros or ones."""
    step = 2**64 // n
    even = np.arange(n, dtype=np.uint64) * np.uint64(step) + rng.integers(0, step, n, np.uint64)
    ends = rng.integers(0, 2**64, n // 2, np.uint64) >> rng.integers(0, 64, n // 2, np.uint64)
    return np.concatenate([even, np.where(rng.integers(0, 2, n // 2) == 1, ends, ~ends)])


def gaussian_f64(n: int = 10**7) -> list[dict]:
    """The float64 gaussian: stratified words

    10^7 radius words and 10^7 angle words, two thirds of each in equal strata and one third by leading bits, against the 64-bit
    significand of the x87's long double, whose own error the last row gives, against mpmath at 200 bits.
    """
    assert np.finfo(np.longdouble).nmant == 63, "needs the x87's long double"
    rng, worst, radius, wide = np.random.default_rng(0), Worst(), Worst(), np.longdouble
    r, a = (rng.permutation(stratified(n * 2 // 3, rng)) for _ in range(2))
    zero = np.zeros(1, np.uint64)
    for some in np.array_split(np.arange(len(r)), len(r) // (CHUNK // 8)):
        for got, exact in zip(gaussians("float64", r[some], a[some]), points("float64", r[some], a[some], wide)):
            worst.see(got, exact, r[some])
        radius.see(gaussians("float64", r[some], zero)[0], points("float64", r[some], zero, wide)[0], r[some])
    order = np.sort(r)
    falls = gaussians("float64", order, zero)[0]
    rises = int(np.count_nonzero(np.diff(falls) > 0))
    some = rng.permutation(len(r))[:3000]
    with mpmath.workprec(200):
        number = np.frompyfunc(mpmath.mpf, 1, 1)
        u = number(centre(r[some], 11).astype(object)) / 2**64
        exact = np.frompyfunc(lambda x: mpmath.sqrt(-2 * mpmath.log(x)), 1, 1)(u)
        mine = np.sqrt(-2 * np.log(centre(r[some], 11).astype(wide) * wide(2.0**-64)))
        high = mine.astype(np.float64)
        own = max(abs(mpmath.mpf(float(h)) + mpmath.mpf(float(m - h)) - e) / float(np.spacing(h))
                  for h, m, e in zip(high, mine, exact))
    return [radius.row("radius", 5, rises == 0, rises=rises, words=len(r)), worst.row("gaussian", 5, words=2 * len(r)),
            {"what": "reference", "worst ulp": round(float(own), 6), "words": len(some), "limit, ulp": 0.01, "ok": own < 0.01}]


def rounding() -> list[dict]:
    """float32 to 16 bits: every pattern

    All finite float32 patterns through the kernels' stores, kept within the type's range, against ml_dtypes and NumPy.
    """
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory) / "stores.so"
        compile_c("cc", [ROOT / "tests" / "deep" / "stores.c", *CORE], library, ["-shared", "-fPIC"])
        store = ctypes.CDLL(str(library)).store
        store.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        for dtype in (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)):
            most = DTYPES[dtype.name].max
            wrong, finite = dict.fromkeys(_kernels.AVAILABLE_ISAS, 0), 0
            for i in chunks(2**32):
                x = i.view(np.float32)
                x = x[np.isfinite(x)]
                expected = np.clip(x, np.float32(-most), np.float32(most)).astype(dtype).view(np.uint16)
                finite += len(x)
                for isa in wrong:
                    out = np.empty(len(x), np.uint16)
                    store(_kernels.ISAS.index(isa), DTYPES[dtype.name].code, most, x.ctypes.data, len(x), out.ctypes.data)
                    wrong[isa] += int(np.count_nonzero(out != expected))
            rows += [{"to": dtype.name, "kernels": isa, "patterns": finite, "differ": count, "ok": count == 0}
                     for isa, count in wrong.items()]
    return rows


def large_arrays(n: int = 2**32 + 10_027) -> list[dict]:
    """An array of more than 2^32 elements

    bfloat16, 8 GiB, in one call on all threads: around 2^31, 2^32 and the end, and in one block of 4096 elements in 97,
    what small calls give for those places.
    """
    whole = fi.normal_(np.empty(n, np.uint16), 0.0, 0.02, seed=5, dtype="bfloat16")
    places = [*range(0, n - 4096, 97 * 4096), 2**31 - 2048, 2**32 - 2048, n - 4096]
    part, wrong = np.empty(4096, np.uint16), 0
    for first in places:
        fi.normal_(part, 0.0, 0.02, seed=5, dtype="bfloat16", global_shape=(n,), offset=(first,))
        wrong += int(not np.array_equal(part, whole[first:first + 4096]))
    return [{"elements": n, "blocks compared": len(places), "differ": wrong, "ok": wrong == 0}]


SECTIONS = {f.__name__: f for f in (uniform_bounds, radius, angle, gaussian_f32, gaussian_f64, rounding, large_arrays)}
