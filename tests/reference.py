"""The stream in plain NumPy: the executable twin of src_c/README.md, written to be read, not to be fast.

Section numbers are those of that document. Nothing here imports fastinit, and no result depends on a C library: the fused
multiply-add is emulated exactly, and the polynomials' coefficients are read from src_c/coefficients.h.
"""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

import numpy as np

U32, U64, I64 = np.uint32, np.uint64, np.int64
MASK = 2**64 - 1

# -- 1. Words ----------------------------------------------------------------------------------------------------------------

MULT = 6364136223846793005
DXSM_MULT = 0x4C957F2D


def jump(state: int, inc: int, steps: np.ndarray) -> np.ndarray:
    """The states that many steps on."""
    steps = np.asarray(steps, U64)
    s, power, series = np.full(steps.shape, state, U64), MULT, inc | 1
    for bit in range(int(steps.max(initial=0)).bit_length()):  # s -> power s + series is 2^bit steps
        taken = steps >> U64(bit) & U64(1) != 0
        s = np.where(taken, s * U64(power) + U64(series), s)
        power, series = power * power & MASK, series * (power + 1) & MASK
    return s


def states(state: int, inc: int, start: int, n: int) -> np.ndarray:
    """States start .. start + n - 1 of the orbit."""
    return jump(state, inc, np.arange(start, start + n, dtype=U64))


def output(s: np.ndarray) -> np.ndarray:
    high, low = (s >> U64(32)).astype(U32), s.astype(U32) | U32(1)
    high = high ^ (high >> U32(16))
    high = high * U32(DXSM_MULT)
    high = high ^ (high >> U32(24))
    return high * low


def words(key: tuple[int, int], start: int, n: int) -> np.ndarray:
    return output(states(*key, start, n))


# -- 2. Keys -----------------------------------------------------------------------------------------------------------------


def field(data: bytes) -> bytes:
    return len(data).to_bytes(8, "little") + data


def keys(seed: list[int], name: str = "", purpose: str = "words", call: int | None = None):
    """((state, inc) of the main words, (state, inc) of the redraws)."""
    numbers = b"".join(field(n.to_bytes((n.bit_length() + 7) // 8, "little")) for n in seed)
    calls = b"" if call is None else call.to_bytes(8, "little")
    message = (field(b"fastinit stream 1") + field(numbers) + field(calls) + field(name.encode()) + field(purpose.encode()))
    digest = hashlib.sha256(message).digest()
    part = [int.from_bytes(digest[i:i + 8], "little") for i in range(0, 32, 8)]
    return (part[0], part[1]), (part[2], part[3])


# -- 3. Arithmetic -----------------------------------------------------------------------------------------------------------


def two_sum(a, b):
    """a + b = s + e exactly."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_product(a, b):
    """a * b = p + e exactly (Dekker; no overflow or underflow)."""
    def split(x):
        c = x * 134217729.0
        high = c - (c - x)
        return high, x - high

    p = a * b
    (ah, al), (bh, bl) = split(a), split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def odd_sum(a, b):
    """a + b rounded to odd: a later rounding to fewer bits is then as if there had been only one."""
    s, e = two_sum(np.float64(a), np.float64(b))
    s, e = np.broadcast_arrays(s, e)
    bits = s.view(I64) if s.flags.c_contiguous else np.ascontiguousarray(s).view(I64)
    inexact_even = (e != 0) & (bits & 1 == 0)
    toward = np.where(e > 0, np.inf, -np.inf)
    return np.where(inexact_even, np.nextafter(s, toward), s)


def fma(a, b, c, real):
    """a * b + c, rounded once. float32: the product is exact in float64. float64: Boldo and Melquiond 2008."""
    a, b, c = (np.asarray(x, real).astype(np.float64) for x in (a, b, c))
    if real is np.float32:
        with np.errstate(over="ignore"):
            return odd_sum(a * b, c).astype(np.float32)
    product, low = two_product(a, b)
    sum_low, error_low = two_sum(c, low)
    total, error = two_sum(product, sum_low)
    return total + odd_sum(error, error_low)


def coefficients(name: str, real) -> list:
    text = (Path(__file__).parent.parent / "src_c" / "coefficients.h").read_text()
    suffix = "F32" if real is np.float32 else "F64"
    table = re.search(rf"FI_{name}_{suffix}\[\] = {{(.*?)}}", text, re.S)
    if table is None:
        return [real(float.fromhex(re.search(rf"#define FI_{name}_{suffix} \((.*?)f?\)", text)[1]))]
    return [real(float.fromhex(c.strip().removesuffix("f"))) for c in table[1].split(",") if c.strip()]


def horner(coefficients: list, x, real):
    first, *rest = coefficients
    p = np.full_like(x, first)
    for c in rest:
        p = fma(p, x, c, real)
    return p


def even_odd(coefficients: list, x, real):
    """The constant term's powers and the others, each by Horner's rule in the square."""
    even, odd = coefficients[::-1][0::2][::-1], coefficients[::-1][1::2][::-1]
    return fma(horner(odd, x * x, real), x, horner(even, x * x, real), real)


# -- 4. Uniform --------------------------------------------------------------------------------------------------------------


def centre(w: np.ndarray, drop: int) -> np.ndarray:
    """The low bits replaced by 100...0, read as a signed integer."""
    unsigned = w.dtype.type
    w = (w >> unsigned(drop) << unsigned(drop)) | unsigned(1 << (drop - 1))
    return w.view(np.int32 if unsigned is U32 else I64)


def as_units(w: np.ndarray, real) -> np.ndarray:
    """Words as the units that the kernels use: themselves, or pairs, the earlier word low."""
    if real is np.float32:
        return w
    w = w.astype(U64)
    return w[0::2] | w[1::2] << U64(32)


def grid(u: np.ndarray, real):
    """k + 1/2 of a unit, exact."""
    drop = 8 if real is np.float32 else 11
    return (centre(u, drop).astype(np.float64) / 2**drop).astype(real)


def on_grid(k, p, real):
    x = fma(k, p["scale"], p["rest"], real) + p["shift"]
    return np.minimum(np.maximum(x, p["low"]), p["high"])


def uniform(key, start, n, p: dict, real):
    """Elements [start, start + n) of a uniform stream; p holds the plan's numbers, of type real already."""
    unit_words = 1 if real is np.float32 else 2
    return on_grid(grid(as_units(words(key, start * unit_words, n * unit_words), real), real), p, real)


# -- 5. Gaussian -------------------------------------------------------------------------------------------------------------


def minus_2_log(w: np.ndarray, real):
    bits, drop = (32, 1) if real is np.float32 else (64, 11)
    t = centre(w, drop).astype(real)
    m, e = np.frexp(t)  # t = m 2^e, 1/2 <= |m| < 1
    negative = t < 0
    f = np.where(negative, t * real(2.0**-bits), m - real(1)).astype(real)
    e = np.where(negative, 0, e - bits).astype(real)
    log_part = f * (horner if real is np.float32 else even_odd)(coefficients("LOG", real), f, real)
    return fma(e, coefficients("MINUS_2LN2", real)[0], log_part, real)


def circle(w: np.ndarray, real):
    bits, drop = (32, 2) if real is np.float32 else (64, 11)
    unsigned = w.dtype.type
    y = centre(w << unsigned(2), drop).astype(real) * real(2.0**(1 - bits))
    z = y * y
    small = y * horner(coefficients("SIN", real), z, real)
    large = horner(coefficients("COS", real), z, real)
    large = np.where(w >> unsigned(bits - 1) != 0, -large, large)
    swap = (w >> unsigned(bits - 2)) & unsigned(1) != 0
    return np.where(swap, small, large), np.where(swap, large, small)


def box_muller(radii: np.ndarray, angles: np.ndarray, p: dict, real):
    """The cosines and the sines."""
    r = np.sqrt(minus_2_log(radii, real))
    return [fma(r * side, p["scale"], p["shift"], real) for side in circle(angles, real)]


def by_groups(key, start, n, make, real):
    """Elements [start, start + n), where the first units of each group and the others become, by make, arrays of as many
    elements each: one behind the other, they are the group's."""
    half = 16 if real is np.float32 else 8
    per_group = half * len(make(*np.zeros((2, 0), U32 if real is np.float32 else U64)))
    first, last = start // per_group, -(-(start + n) // per_group)
    u = as_units(words(key, first * 32, (last - first) * 32), real).reshape(-1, 2, half)
    parts = make(u[:, 0].ravel(), u[:, 1].ravel())
    return np.stack([part.reshape(-1, half) for part in parts], axis=1).ravel()[start - first * per_group:][:n]


def normal(key, start, n, p: dict, real):
    """Elements [start, start + n) of a gaussian stream."""
    return by_groups(key, start, n, lambda radii, angles: box_muller(radii, angles, p, real), real)


# -- 6. Truncated gaussian ---------------------------------------------------------------------------------------------------


def gaussian_candidates(radii, angles, p, real):
    return [(x, (p["low"] <= x) & (x <= p["high"])) for x in box_muller(radii, angles, p, real)]


def narrow_candidates(values, acceptances, p, real):
    k = grid(values, real)
    d = k - p["origin"]
    return [(on_grid(k, p, real), d * fma(d, p["curve"], p["slope"], real) <= minus_2_log(acceptances, real))]


def tail_candidates(values, acceptances, p, real):
    e = minus_2_log(values, real)
    x = fma(e, p["scale"], p["shift"], real)
    t = fma(e, p["curve"], p["slope"], real)
    return [(x, (t * t <= minus_2_log(acceptances, real)) & (p["low"] <= x) & (x <= p["high"]))]


CANDIDATES = {"trunc_normal": gaussian_candidates, "trunc_narrow": narrow_candidates, "trunc_tail": tail_candidates}
REDRAW_WORDS = 256   # that an element may use
REDRAW_STRIDE = 257  # from one element's to the next one's: odd, or elements 2^42 apart would be as words 2^50 apart


def truncated(dist, main, redraw, start, n, p: dict, real):
    """Elements [start, start + n), and how many candidates each took."""
    def candidates(first, second):
        return CANDIDATES[dist](first, second, p, real)

    def attempt(part):
        return by_groups(main, start, n, lambda *units: [c[part] for c in candidates(*units)], real)

    x, accepted = attempt(0), attempt(1)
    taken, unsettled = np.ones(n, np.int64), np.flatnonzero(~accepted)
    s = jump(*redraw, REDRAW_STRIDE * (start + unsettled).astype(U64))
    unit_words = 1 if real is np.float32 else 2
    for _ in range(REDRAW_WORDS // (2 * unit_words)):
        if not len(unsettled):
            break
        drawn = []
        for _ in range(2 * unit_words):
            drawn.append(output(s))
            s = s * U64(MULT) + U64(redraw[1] | 1)
        units = as_units(np.stack(drawn, axis=1).ravel(), real).reshape(-1, 2)
        for value, ok in candidates(units[:, 0], units[:, 1]):
            left = ~accepted[unsettled]
            x[unsettled[left]] = value[left]
            taken[unsettled[left]] += 1
            accepted[unsettled] |= ok
        s, unsettled = s[~accepted[unsettled]], unsettled[~accepted[unsettled]]
    return np.clip(x, p["low"], p["high"]), taken


# -- 7. Output types ---------------------------------------------------------------------------------------------------------


def store(x: np.ndarray, dtype: str, least=-math.inf, most=math.inf) -> np.ndarray:
    if dtype in ("float32", "float64"):
        return x
    x = np.minimum(np.maximum(x, np.float32(least)), np.float32(most))
    if dtype == "float16":
        return x.astype(np.float16)
    bits = x.view(U32)
    return ((bits + U32(0x7FFF) + (bits >> U32(16) & U32(1))) >> U32(16)).astype(np.uint16)


def elements(dist: str, keys: tuple, start: int, n: int, plan: dict, dtype: str) -> np.ndarray:
    """Elements [start, start + n) of a tensor, by the numbers of a plan, in the dtype's memory."""
    real = np.float64 if dtype == "float64" else np.float32
    p = {name: real(plan[name]) for name in ("scale", "shift", "rest", "low", "high", "origin", "curve", "slope")}
    assert all(float(value) == plan[name] for name, value in p.items()), "a plan's numbers are final"
    if dist in CANDIDATES:
        x, _ = truncated(dist, *keys, start, n, p, real)
    else:
        x = {"uniform": uniform, "normal": normal}[dist](keys[0], start, n, p, real)
    return store(x, dtype, plan["least"], plan["most"])


# -- 8. Orthogonal matrices --------------------------------------------------------------------------------------------------

PANEL, BLOCK = 64, 1024


def chain(x, y, start):
    """start + x_0 y_0 + x_1 y_1 + ..., each product and its sum rounded once, over the first axis."""
    for a, b in zip(x, y):
        start = fma(a, b, start, np.float64)
    return start


def blocked(x, y, first: int):
    """The sum over rows of their products: a chain for each block of rows, the chains' ends added in order. Row 0 of x and y is
    the whole matrix's row `first`."""
    total = 0.0
    for block in range(first // BLOCK, -(-(first + len(x)) // BLOCK)):
        rows = slice(max(block * BLOCK - first, 0), (block + 1) * BLOCK - first)
        total = total + chain(x[rows], y[rows], np.zeros(np.broadcast_shapes(x.shape[1:], y.shape[1:])))
    return total


def reflect(a: np.ndarray, first: int) -> list[bool]:
    """A panel, rows from its first column's on, to the vectors of its reflections; whether R's diagonal is negative."""
    negative = []
    for c in range(a.shape[1]):
        x = a[c:, c:]
        sums = blocked(x[1:, :1], x[1:], first + c + 1) if len(x) > 1 else np.zeros(x.shape[1])
        head, rest = x[0, 0], sums[0]
        v = head + np.copysign(np.sqrt(fma(head, head, rest, np.float64)), head)
        v = v if v else np.float64(1)
        factors = fma(v, x[0, 1:], sums[1:], np.float64) / (fma(v, v, rest, np.float64) / 2)
        x[1:, 1:] = fma(-x[1:, :1], factors, x[1:, 1:], np.float64)
        x[0, 0] = v
        x[0, 1:] = 0  # R, which nobody asks for
        negative.append(not np.signbit(head))
    return negative


def solve(u: np.ndarray, w: np.ndarray, transposed: bool) -> np.ndarray:
    """What U, or U transposed, takes to w."""
    order = range(len(u)) if transposed else range(len(u))[::-1]
    for i, k in enumerate(order):
        before = list(order)[:i]
        w[k] = chain(-(u[before, k] if transposed else u[k, before]), w[before], w[k]) / u[k, k]
    return w


def orthogonal(a: np.ndarray) -> np.ndarray:
    """Q of a matrix with as many rows as columns or more, in float64."""
    a = a.astype(np.float64)
    panels = [slice(first, min(first + PANEL, a.shape[1])) for first in range(0, a.shape[1], PANEL)]
    negative, products = [], []
    for panel in panels:
        negative += reflect(a[panel.start:, panel], panel.start)
        a[:panel.start, panel] = 0
        v = a[panel.start:, panel]
        u = np.triu(blocked(v[:, :, None], v[:, None, :], panel.start))
        u[np.diag_indices_from(u)] /= 2
        products.append(u)
        apply(v, u, a[panel.start:, panel.stop:], panel.start, transposed=True)
    for panel, u in zip(panels[::-1], products[::-1]):
        v = a[panel.start:, panel].copy()
        apply(v, u, a[panel.start:, panel.stop:], panel.start, transposed=False)
        w = solve(u, v[:v.shape[1]].T.copy(), transposed=False)
        a[panel.start:, panel] = chain(-v.T[:, :, None], w[:, None, :], np.eye(*v.shape))
    return np.where(negative, -a, a)


def apply(v: np.ndarray, u: np.ndarray, c: np.ndarray, first: int, transposed: bool) -> None:
    """To C the product of a panel's reflections, I - V U^-1 V', times C; or the transposed."""
    w = solve(u, blocked(v[:, :, None], c[:, None, :], first), transposed)
    c[...] = chain(-v.T[:, :, None], w[:, None, :], c)
