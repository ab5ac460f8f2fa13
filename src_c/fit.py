"""Fits the polynomials of the normal sampler and prints src_c/coefficients.h.

Run `python src_c/fit.py > src_c/coefficients.h` (needs mpmath and numpy).  It tells the
errors of every degree tried on stderr.  Per function and precision:
1. Remez: the polynomial of least maximal relative error, in 300 bit arithmetic,
   with c[0] = f(0), as rounding pins c[0] anyway: next to f(0) the error is too large.
2. Rounding, from c[0] up: each coefficient is rounded, and those not yet rounded
   move to make up for it (least squares).  A beam search also tries the neighbours.
3. The smallest degree is taken that is accurate enough (see `limit` in main).
"""
import sys
from itertools import count, groupby

import mpmath as mp
import numpy as np

mp.mp.prec = 300
BEAM = 32
BITS = {"F32": 24, "F64": 53}                   # significand, with the leading one
POINTS = {"F32": 2**16, "F64": 2**13}           # where the errors are measured
AIM = {"F32": 2.0**-24.5, "F64": 2.0**-53.5}    # largest relative error accepted: half an ulp or so

HEADER = """/* Minimax polynomials. Printed by src_c/fit.py; do not edit by hand.
 * Coefficients of highest degree first: p = c[0]; p = fma(p, x, c[1]); and so on.
 * "relative error" is the polynomial's; "ulp" its evaluation's, at 2^16 (F32) or 2^13 points. */
#ifndef FI_COEFFICIENTS_H
#define FI_COEFFICIENTS_H
"""


def log_q(x):
    return -2 * mp.log1p(x) / x if x else mp.mpf(-2)


def sin_s(z):
    return mp.sin(mp.pi / 4 * mp.sqrt(z)) / mp.sqrt(z) if z else mp.pi / 4


def cos_c(z):
    return mp.cos(mp.pi / 4 * mp.sqrt(z))


# Name, function, text, interval (0 is one of its ends), first degree to try: too low.
FUNCTIONS = [
    ("LOG", log_q, "-2*log1p(x)/x", (-0.5, 0), {"F32": 7, "F64": 18}),
    ("SIN", sin_s, "sin(pi/4*sqrt(x))/sqrt(x)", (0, 1), {"F32": 2, "F64": 5}),
    ("COS", cos_c, "cos(pi/4*sqrt(x))", (0, 1), {"F32": 2, "F64": 5}),
]


def grid(interval, n):
    """n + 1 Chebyshev extrema, ascending: dense where polynomials vary fastest."""
    a, b = map(mp.mpf, interval)
    return [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * i / n) for i in range(n + 1)]


def relative_errors(c, xs, fs):
    return [mp.polyval(c[::-1], x) / f - 1 for x, f in zip(xs, fs)]


def remez(f, interval, degree):
    """c[0..degree], c[0] = f(0), of least maximal relative error on a Chebyshev grid."""
    m = degree + 1                              # unknowns: c[1..degree] and the level
    xs = [x for x in grid(interval, 40 * m) if x]               # at 0 the error is 0
    fs = [f(x) for x in xs]
    c0 = f(0)
    reference = [round((i + 0.5) * len(xs) / m) for i in range(m)]
    for _ in range(50):
        a, b = mp.matrix(m, m), mp.matrix(m, 1)
        for row, i in enumerate(reference):
            for j in range(1, m):
                a[row, j - 1] = xs[i] ** j
            a[row, m - 1] = (-1) ** row * fs[i]
            b[row] = fs[i] - c0
        c = [c0] + list(mp.lu_solve(a, b))[:-1]
        errors = relative_errors(c, xs, fs)
        runs = groupby(range(len(xs)), lambda i: errors[i] > 0)     # of one sign each
        peaks = [max(run, key=lambda i: abs(errors[i])) for _, run in runs]
        while len(peaks) > m:                   # too many: drop the lower end
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if peaks == reference:                  # levelled: optimal on this grid
            return c
        reference = peaks
    raise ArithmeticError("Remez did not converge")


def round_coefficients(c, f, interval, bits):
    """The best coefficients of `bits` bits near the minimax c, and both maximal errors."""
    xs = grid(interval, 300)
    fs = [f(x) for x in xs]
    # Changing c[j] by d adds d * x^j / f to the relative error: d times w[j], which free
    # coefficients above j cannot undo (Gram-Schmidt), and d * mu[j][i] times each w[i], i > j.
    w, mu, norm = [None] * len(c), [[0] * len(c) for _ in c], [None] * len(c)
    for j in reversed(range(len(c))):
        w[j] = v = [x**j / fx for x, fx in zip(xs, fs)]
        for i in range(j + 1, len(c)):
            mu[j][i] = mp.fdot(v, w[i]) / norm[i]
            w[j] = [p - mu[j][i] * q for p, q in zip(w[j], w[i])]
        norm[j] = mp.fdot(w[j], w[j])
    # float64 from here, without BLAS: the same on every machine.
    error = np.array([float(e) for e in relative_errors(c, xs, fs)])
    beam, unrounded = [([], error)], np.abs(error).max()
    for k in range(len(c)):
        ulp = mp.ldexp(1, mp.frexp(c[k])[1] - bits)
        wk, options = np.array([float(p) for p in w[k]]), []
        for chosen, error in beam:
            ideal = c[k] - sum(mu[j][k] * (chosen[j] - c[j]) for j in range(k))
            for step in (0, -1, 1):             # ties keep the nearest
                ck = (mp.nint(ideal / ulp) + step) * ulp
                options.append((chosen + [ck], error + wk * float(ck - ideal)))
        beam = sorted(options, key=lambda option: np.abs(option[1]).max())[:BEAM]
    return beam[0][0], unrounded, np.abs(beam[0][1]).max()


def measured_ulps(c, xs, fs, bits):
    """Largest error of Horner with fma in `bits` bits, in ulp of the exact value."""
    worst = 0.0
    for x, f in zip(xs, fs):
        p = c[-1]
        for ck in c[-2::-1]:
            p = mp.fadd(mp.fmul(p, x, exact=True), ck, prec=bits)   # rounds once
        worst = max(worst, abs(float(mp.ldexp(p - f, bits - mp.frexp(f)[1]))))
    return worst


def literal(x, precision):
    digits, exponent = float(x).hex().split("p")
    return digits.rstrip("0").rstrip(".") + "p" + exponent + "f" * (precision == "F32")


def main():
    print(HEADER)
    for precision, bits in BITS.items():
        def rounded(x):
            return mp.fmul(x, 1, prec=bits)

        ctype = {"F32": "float", "F64": "double"}[precision]
        minus_2ln2 = literal(rounded(-2 * mp.log(2)), precision)
        print(f"#define FI_MINUS_2LN2_{precision} ({minus_2ln2})\n")
        for name, f, text, (a, b), degree in FUNCTIONS:
            # Dividing by an odd number leaves points that use all their bits.
            xs = [rounded(x) for x in np.linspace(a, b, POINTS[precision])]
            fs = [f(x) for x in xs]
            # Rounding c[0] sets the error at x = 0 (of sine: 2^-25.1, 2^-54.5): no degree
            # improves it.  The 1.0001 is for the rounding of the error itself.
            f0 = f(0)
            limit = max(AIM[precision], 1.0001 * abs(rounded(f0) / f0 - 1))
            chosen = None
            for degree in count(degree[precision]):
                minimax = remez(f, (a, b), degree)
                c, unrounded, error = round_coefficients(minimax, f, (a, b), bits)
                ulps = measured_ulps(c, xs, fs, bits)
                note = f"relative error 2^{np.log2(error):.2f}, {ulps:.3f} ulp"
                print(f"{name} {precision} degree {degree}: {note}"
                      f" (unrounded 2^{np.log2(unrounded):.2f})", file=sys.stderr)
                if chosen:
                    break                       # this was one degree more, to compare
                if error <= limit:
                    chosen = degree, c, note
            degree, c, note = chosen
            assert min(map(abs, c)) > 2.0**-100                 # far from subnormal
            print(f"/* {text} for x in [{a:g}, {b:g}]: degree {degree}, {note} */\n"
                  f"static const {ctype} FI_{name}_{precision}[] = {{")
            print(*(f"    {literal(ck, precision)}," for ck in reversed(c)), "};\n", sep="\n")
    print("#endif")


if __name__ == "__main__":
    main()
