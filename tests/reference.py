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


def states(state: int, inc: int, start: int, n: int) -> np.ndarray:
    """States start .. start + n - 1 of the orbit."""
    inc |= 1
    power, series, step_power, step_series = 1, 0, MULT, 1
    k = start
    while k:
        if k & 1:
            power, series = power * step_power & MASK, (series * step_power + step_series) & MASK
        step_power, step_series = step_power * step_power & MASK, step_series * (step_power + 1) & MASK
        k >>= 1
    s = (power * state + series * inc) & MASK
    out = []
    for _ in range(n):
        out.append(s)
        s = (s * MULT + inc) & MASK
    return np.array(out, U64)


def words(key: tuple[int, int], start: int, n: int) -> np.ndarray:
    s = states(*key, start, n)
    high, low = (s >> U64(32)).astype(U32), s.astype(U32) | U32(1)
    high = high ^ (high >> U32(16))
    high = high * U32(DXSM_MULT)
    high = high ^ (high >> U32(24))
    return high * low


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


def uniform(w: np.ndarray, step, shift, rest, low, high, real):
    """One value for each unit; the numbers already of type real."""
    drop = 8 if real is np.float32 else 11
    k = centre(as_units(w, real), drop).astype(np.float64) / 2**drop  # k + 1/2, exact
    x = fma(k.astype(real), step, rest, real) + shift
    return np.minimum(np.maximum(x, real(low)), real(high))


# -- 5. Gaussian -------------------------------------------------------------------------------------------------------------


def radius(w: np.ndarray, real):
    bits, drop = (32, 1) if real is np.float32 else (64, 11)
    t = centre(w, drop).astype(real)
    m, e = np.frexp(t)  # t = m 2^e, 1/2 <= |m| < 1
    negative = t < 0
    f = np.where(negative, t * real(2.0**-bits), m - real(1)).astype(real)
    e = np.where(negative, 0, e - bits).astype(real)
    log_part = f * (horner if real is np.float32 else even_odd)(coefficients("LOG", real), f, real)
    return np.sqrt(fma(e, coefficients("MINUS_2LN2", real)[0], log_part, real))


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


def normal(w: np.ndarray, scale, shift, real):
    """Whole groups of 32 words to 32 float32 or 16 float64."""
    u = as_units(w, real)
    half = 16 if real is np.float32 else 8
    u = u.reshape(-1, 2, half)
    r = radius(u[:, 0].ravel(), real)
    c, s = circle(u[:, 1].ravel(), real)
    z = np.stack([(r * c).reshape(-1, half), (r * s).reshape(-1, half)], axis=1).ravel()
    return fma(z, scale, shift, real)


def standard_elements(key, start, n, scale, shift, real):
    """Elements [start, start + n) of a gaussian stream."""
    per_group = 32 if real is np.float32 else 16
    first, last = start // per_group, -(-(start + n) // per_group)
    values = normal(words(key, first * 32, (last - first) * 32), scale, shift, real)
    return values[start - first * per_group:][:n]


# -- 6. Truncated gaussian ---------------------------------------------------------------------------------------------------

BLOCK, REDRAWS = 4096, 2**18


def truncated(main, redraw, start, n, scale, shift, low, high, real):
    out = []
    first, last = start // BLOCK, -(-(start + n) // BLOCK)
    for block in range(first, last):
        size = min(BLOCK, start + n - block * BLOCK)
        x = standard_elements(main, block * BLOCK, size, scale, shift, real)
        rejected = np.flatnonzero(~((x >= real(low)) & (x <= real(high))))
        accepted, drawn = np.empty(0, real), 0
        while len(accepted) < len(rejected) and drawn < REDRAWS:
            more = standard_elements(redraw, block * REDRAWS + drawn, 256, scale, shift, real)
            drawn += 256
            accepted = np.concatenate([accepted, more[(more >= real(low)) & (more <= real(high))]])
        x[rejected] = accepted[:len(rejected)]
        out.append(x)
    return np.concatenate(out)[start - first * BLOCK:]


# -- 7. Output types ---------------------------------------------------------------------------------------------------------


def store(x: np.ndarray, dtype: str, least=-math.inf, most=math.inf) -> np.ndarray:
    if dtype in ("float32", "float64"):
        return x
    x = np.minimum(np.maximum(x, np.float32(least)), np.float32(most))
    if dtype == "float16":
        return x.astype(np.float16)
    bits = x.view(U32)
    return ((bits + U32(0x7FFF) + (bits >> U32(16) & U32(1))) >> U32(16)).astype(np.uint16)
