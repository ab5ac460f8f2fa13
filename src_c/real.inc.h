/* The transforms from words to numbers, one text for f32 and f64. No include guard: kernels.inc.h includes it once for
 * each, having set
 *   T                          the suffix, f32 or f64
 *   real, v_real, v_int, v_uint, LANES   scalar type, lane types, lanes in a vector
 *   BITS, MANTISSA             of a unit; explicit mantissa bits of real
 *   DROP_UNIFORM, DROP_RADIUS, DROP_ANGLE   low bits of a unit that real cannot use there
 *   LOG_POLY, SIN_POLY, COS_POLY, MINUS_2LN2   coefficients; LOG_HOW: horner or even_odd
 *   DTYPES(X)                  the dtypes computed in real
 * Formulas and their order of operations are part of the stream: README.md, sections 4 to 6. */

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define R(name) PASTE(name, T)
#define POLYNOMIAL(how, table, x, p, n) R(how)(table, sizeof(table) / sizeof((table)[0]), x, p, n)
#define EACH(k, n) UNROLL for (size_t k = 0; k < (n); k++)

enum {
    R(per_group) = FI_GROUP * 32 / BITS, /* units */
    R(half) = R(per_group) / 2,
    R(vectors) = R(half) / LANES, /* of a group's radii, or of its angles */
    R(abreast) = FI_LANES < 8 ? 1 : 4,                /* vectors of radii side by side */
    R(abreast_all) = FI_LANES == 16 ? R(abreast) : 1, /* and of all else */
};

/* The operations that transform one vector mostly wait for one another, and a processor looks only so far ahead for others to
 * do meanwhile. So where there are registers enough, the transforms take some vectors side by side, from as many groups if a
 * group has one: every operation for all, then the next one. With 16 registers there are enough for radii only.
 *
 * Runs the statement for vectors (or groups) k to k + n - 1, from 0 on until all are done: n = `most` at a time while so many
 * are left, then one by one. The statement uses k and n by the names given. It is written out twice, so that n is a constant in
 * each: only then do arrays of n vectors live in registers. */
#define IN_TURNS(k, all, n, most, statement) \
    do { \
        size_t k = 0; \
        for (; (all) - k >= (most); k += (most)) { \
            enum { n = (most) }; \
            statement; \
        } \
        for (; k < (all); k++) { \
            enum { n = 1 }; \
            statement; \
        } \
    } while (0)

SI void R(horner)(const real *c, size_t terms, const v_real *x, v_real *p, size_t n) {
    EACH(k, n) p[k] = R(v_set)(c[0]);
    UNROLL for (size_t i = 1; i < terms; i++) EACH(k, n) p[k] = R(v_fma)(p[k], x[k], R(v_set)(c[i]));
}

/* Even and odd powers apart: half the latency, which at the degree of the f64 logarithm is what the kernel waits for. In
 * f32 it would gain 3% and cost the radius its monotony. */
#if BITS == 64
SI void R(even_odd)(const real *c, size_t terms, const v_real *x, v_real *p, size_t n) {
    v_real square[R(abreast)], part[2][R(abreast)];
    EACH(k, n) square[k] = x[k] * x[k];
    UNROLL for (size_t i = 0; i < 2; i++) EACH(k, n) part[i][k] = R(v_set)(c[i]);
    UNROLL for (size_t i = 2; i < terms; i++) EACH(k, n) part[i % 2][k] = R(v_fma)(part[i % 2][k], square[k], R(v_set)(c[i]));
    EACH(k, n) p[k] = R(v_fma)(part[terms % 2][k], x[k], part[(terms - 1) % 2][k]);
}
#endif

/* A vector of units, from unit i on. */
SI v_uint R(unit)(const uint32_t *words, size_t i) {
#if BITS == 32
    return v_load_u32(words + i);
#else
    return v_pair_words(words + 2 * i);
#endif
}

/* From each of consecutive groups takes the half that begins at unit `from`: vector k of those. */
SI v_uint R(unit_of)(const uint32_t *words, size_t k, size_t from) {
    return R(unit)(words + k / R(vectors) * FI_GROUP, from + k % R(vectors) * LANES);
}

/* The middle of the cell of 2^drop integers that w lies in, as a signed integer; never zero. The lowest `clear` bits of w
 * are zeros. */
SI v_int R(centre)(v_uint w, int drop, int clear) {
    const v_uint middle = R(v_set_bits)(1) << (drop - 1);
    return (v_int)((drop - 1 > clear ? w & -middle : w) | middle);
}

/* x / 2^n where neither is zero or subnormal. Not by multiplication, for which the kernels leave a processor least room. */
SI v_real R(scaled_down)(v_real x, int n) { return R(v_from_bits)(R(v_bits)(x) - (R(v_set_bits)((unsigned)n) << MANTISSA)); }

/* Two vectors of consecutive elements to memory of the dtype. */
SI void R(put)(void *out, v_real a, v_real b, int dtype, v_carry *carry) {
#if BITS == 32
    if (dtype == FI_f16) v_put(out, pack_f16(a, b), carry);
    else if (dtype == FI_bf16) v_put(out, pack_bf16(a, b), carry);
    else
#endif
    if (carry) {
        v_store_nontemporal(out, (v_u32)R(v_bits)(a), carry);
        v_store_nontemporal((char *)out + sizeof a, (v_u32)R(v_bits)(b), carry);
    } else {
        R(v_store)(out, a);
        R(v_store)((char *)out + sizeof a, b);
    }
    (void)dtype;
}

SI size_t R(size)(int dtype) { return dtype == FI_f16 || dtype == FI_bf16 ? sizeof(uint16_t) : sizeof(real); }

SI v_real R(clamp)(v_real x, double low, double high) {
    return R(v_min)(R(v_max)(x, R(v_set)((real)low)), R(v_set)((real)high));
}

/* The uniform value of a unit, and its centre k. The dropped bits are still in k, so the step is that much smaller: exact, as
 * plan.py keeps the step far from the subnormals. */
SI v_real R(uniform_value)(const fi_plan *plan, v_uint w, v_real *k) {
    *k = R(v_convert)(R(centre)(w, DROP_UNIFORM, 0));
    v_real step = R(v_set)((real)(plan->scale / (1u << DROP_UNIFORM))), rest = R(v_set)((real)plan->rest);
    return R(v_fma)(*k, step, rest) + R(v_set)((real)plan->shift);
}

/* Whether the fma may add shift itself: rest is 0, and the product is exact or shift is 0 too. */
SI int R(is_joined)(const fi_plan *plan) {
    const real scale = (real)plan->scale;
    v_uint bits = R(v_bits)(R(v_set)(scale)) << (BITS - MANTISSA), zero = {0};
    return plan->rest == 0 && (plan->shift == 0 || !memcmp(&bits, &zero, sizeof bits));
}

/* Whether least bounds uniform values at all: they rise with their units, of which this is the first. */
SI int R(is_bound)(const fi_plan *plan) {
    v_real k, first = R(uniform_value)(plan, R(v_set_bits)(1) << (BITS - 1), &k);
    v_real bounded = R(v_max)(first, R(v_set)((real)plan->least));
    return memcmp(&first, &bounded, sizeof first) != 0;
}

SI void R(uniforms)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, int dtype, v_carry *carry,
                    int bound) {
    const v_real least = R(v_set)((real)plan->least), most = R(v_set)((real)plan->most);
    for (size_t i = 0; i < groups * R(per_group); i += 2 * LANES) {
        v_real k, x[2];
        EACH(j, 2) {
            x[j] = R(uniform_value)(plan, R(unit)(words, i + j * LANES), &k);
            x[j] = R(v_min)(bound ? R(v_max)(x[j], least) : x[j], most);
        }
        R(put)((char *)out + i * R(size)(dtype), x[0], x[1], dtype, carry);
    }
}

SI void R(uniform)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, int dtype, v_carry *carry) {
    fi_plan joined = *plan;
    joined.rest = plan->shift;
    joined.shift = -0.0; /* x + -0 is x, so compilers leave the sum away */
    const int bound = R(is_bound)(plan);
    if (R(is_joined)(plan)) {
        if (bound) R(uniforms)(&joined, words, groups, out, dtype, carry, 1);
        else R(uniforms)(&joined, words, groups, out, dtype, carry, 0);
    } else if (bound) R(uniforms)(plan, words, groups, out, dtype, carry, 1);
    else R(uniforms)(plan, words, groups, out, dtype, carry, 0);
}

/* -2 ln u for u = (centre mod 2^BITS) / 2^BITS. A negative centre is u - 1, exact to the last bit, which is what the
 * logarithm needs near u = 1; a positive one is u itself, exact where u is small. */
SI void R(minus_2_log)(const v_uint *w, v_real *y, size_t n) {
    const v_uint exponent = -(R(v_set_bits)(1) << MANTISSA);                       /* and sign */
    const v_uint top = R(v_bits)(R(v_set)((real)((uint64_t)1 << (BITS - 1)))); /* the exponent of 2^BITS m, 1/2 <= m < 1 */
    v_real e[R(abreast)], f[R(abreast)];
    EACH(j, n) {
        const v_uint t = R(v_bits)(R(v_convert)(R(centre)(w[j], DROP_RADIUS, 0)));
        /* How far t's exponent is below that, times 2^MANTISSA. A negative t's sign bit makes it the larger one: exponent 0. */
        const v_uint below = R(v_excess)(top, t & exponent);
        e[j] = R(v_convert_exponent)(below);
        /* m - 1, and what t was scaled down to if that is negative. */
        f[j] = R(v_from_whole)(R(v_from_bits)(R(v_bits)(R(scaled_down)(R(v_from_bits)(t), BITS)) + below));
    }
    POLYNOMIAL(LOG_HOW, LOG_POLY, f, y, n);
    /* u = 2^e (1 + f), -1/2 <= f < 0: both terms are positive, nothing cancels. */
    EACH(j, n) y[j] = R(v_fma)(e[j], R(v_set)((real)(-MINUS_2LN2 / ((uint64_t)1 << MANTISSA))), f[j] * y[j]);
}

/* The point of the unit circle at a random angle, at most an eighth of a turn from an axis. The low bits choose the angle from
 * the axis, the top bit (the sign of the large coordinate) and the next (which coordinate is large) one of the four axes. */
SI void R(circle)(const v_uint *w, v_real *c, v_real *s, size_t n) {
    const v_uint top = R(v_set_bits)(1) << (BITS - 1);
    v_real y[R(abreast)], z[R(abreast)], small[R(abreast)], large[R(abreast)];
    EACH(k, n) y[k] = R(scaled_down)(R(v_convert)(R(centre)(w[k] << 2, DROP_ANGLE, 2)), BITS - 1);
    EACH(k, n) z[k] = y[k] * y[k];
    POLYNOMIAL(horner, SIN_POLY, z, small, n);
    POLYNOMIAL(horner, COS_POLY, z, large, n);
    EACH(k, n) {
        small[k] *= y[k];
        large[k] = R(v_from_bits)(R(v_bits)(large[k]) ^ (w[k] & top));
        v_int swap = (v_int)(w[k] << 1);
        c[k] = R(v_where_neg)(swap, small[k], large[k]);
        s[k] = R(v_where_neg)(swap, large[k], small[k]);
    }
}

/* Box & Muller 1958: a radius and the unit of an angle make two elements. */
SI void R(box_muller)(const fi_plan *plan, const v_real *r, const v_uint *angle, v_real *c, v_real *s, size_t n) {
    const v_real scale = R(v_set)((real)plan->scale), shift = R(v_set)((real)plan->shift);
    R(circle)(angle, c, s, n);
    EACH(k, n) {
        c[k] = R(v_fma)(r[k] * c[k], scale, shift);
        s[k] = R(v_fma)(r[k] * s[k], scale, shift);
    }
}

SI void R(radius)(const v_uint *w, v_real *r, size_t n) {
    R(minus_2_log)(w, r, n);
    EACH(k, n) r[k] = R(v_sqrt)(r[k]);
}

/* The radii of all groups, made before their angles: in one loop for both a processor would find too few operations that do not
 * wait for one another. */
typedef struct {
    v_real of[FI_WORDS / FI_GROUP * R(vectors)];
} R(radii);

SI void R(radii_of)(const uint32_t *words, v_real *r, size_t groups) {
    UNROLL for (size_t first = 0; first < groups * R(vectors); first += groups) {
        v_uint w[R(abreast)];
        EACH(k, groups) w[k] = R(unit_of)(words, first + k, 0);
        R(radius)(w, r + first, groups);
    }
}

SI void R(all_radii)(const uint32_t *words, size_t groups, const char *next, R(radii) *r) {
    const size_t size = R(per_group) * sizeof(real);
    IN_TURNS(g, groups, n, R(abreast), if (next) v_fetch(next + g * size, n * size);
             R(radii_of)(words + g * FI_GROUP, r->of + g * R(vectors), n));
}

/* The elements of groups side by side: the first half of a group's units are radii, the second half angles; the cosines are
 * the first half of the elements, the sines the second, so no lane moves. */
SI void R(gaussians)(const fi_plan *plan, const v_real *r, const uint32_t *words, v_real *x, size_t groups) {
    UNROLL for (size_t first = 0; first < groups * R(vectors); first += groups) {
        v_uint w[R(abreast)];
        v_real c[R(abreast)], s[R(abreast)];
        EACH(k, groups) w[k] = R(unit_of)(words, first + k, R(half));
        R(box_muller)(plan, r + first, w, c, s, groups);
        EACH(k, groups) {
            v_real *const of_group = x + (first + k) / R(vectors) * 2 * R(vectors) + (first + k) % R(vectors);
            of_group[0] = c[k];
            of_group[R(vectors)] = s[k];
        }
    }
}

SI void R(put_gaussians)(const fi_plan *plan, const v_real *r, const uint32_t *words, void *out, int dtype, v_carry *carry,
                         size_t groups) {
    v_real x[R(abreast) * 2 * R(vectors)];
    R(gaussians)(plan, r, words, x, groups);
    UNROLL for (size_t i = 0; i < groups * 2 * R(vectors); i += 2) {
        R(put)((char *)out + i * LANES * R(size)(dtype), x[i], x[i + 1], dtype, carry);
    }
}

SI void R(normal)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, int dtype, v_carry *carry) {
    const size_t size = R(per_group) * R(size)(dtype);
    R(radii) r;
    R(all_radii)(words, groups, 0, &r);
    IN_TURNS(g, groups, n, R(abreast_all),
             R(put_gaussians)(plan, r.of + g * R(vectors), words + g * FI_GROUP, (char *)out + g * size, dtype, carry, n));
}

#include "truncated.inc.h"

/* See store in tables.h. */
SI void R(keep)(const fi_plan *plan, const void *values, size_t n, void *out, int dtype) {
    const real *x = (const real *)values;
    const size_t size = R(size)(dtype);
    if (size == sizeof(real)) {
        memcpy(out, x, n * size);
        return;
    }
    for (size_t i = 0; i < n; i += 2 * LANES) { /* x has room for whole vectors, out has not */
        v_real a = R(clamp)(R(v_load)(x + i), plan->least, plan->most);
        v_real b = R(clamp)(R(v_load)(x + i + LANES), plan->least, plan->most);
        v_real last[2];
        const int whole = i + 2 * LANES <= n;
        R(put)(whole ? (char *)out + i * size : (char *)last, a, b, dtype, 0);
        if (!whole) memcpy((char *)out + i * size, last, (n - i) * size);
    }
}

/* Copies of the plan and of the carry: the compiler would have to think that stores change what a pointer leads to. */
#define WRITE(dist, dtype) \
    static void write_##dist##_##dtype(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, void *before) { \
        const fi_plan own = *plan; \
        if (before) { \
            v_carry carry = v_carry_from(before, out); \
            R(dist)(&own, words, groups, out, FI_##dtype, &carry); \
            v_store_u32(before, carry.before); \
        } else R(dist)(&own, words, groups, out, FI_##dtype, 0); \
    }
#define STORE(dtype) \
    static void store_##dtype(const fi_plan *plan, const void *x, size_t n, void *out) { \
        const fi_plan own = *plan; \
        R(keep)(&own, x, n, out, FI_##dtype); \
    }
#define STORED(dtype) WRITE(uniform, dtype) WRITE(normal, dtype) STORE(dtype)
DTYPES(STORED)
#define TRUNCATED(dist) \
    static void R(propose_##dist)(const fi_plan *plan, const uint32_t *words, size_t groups, void *x, uint8_t *rejected, \
                                  const char *next) { \
        const fi_plan own = *plan; \
        if (FI_##dist == FI_trunc_normal && own.low == -own.high) { \
            R(propose)(&own, FI_##dist, 1, words, groups, x, rejected, next); \
        } else R(propose)(&own, FI_##dist, 0, words, groups, x, rejected, next); \
    } \
    static size_t R(redraw_##dist)(const fi_plan *plan, fi_rejects *rejects, size_t first, size_t n, void *x) { \
        const fi_plan own = *plan; \
        return R(redraw)(&own, FI_##dist, rejects, first, n, x); \
    }
TRUNCATED(trunc_normal)
TRUNCATED(trunc_narrow)
TRUNCATED(trunc_tail)

#undef WRITE
#undef STORE
#undef STORED
#undef TRUNCATED
#undef PASTE_
#undef PASTE
#undef R
#undef POLYNOMIAL
#undef EACH
#undef IN_TURNS
#undef T
#undef real
#undef v_real
#undef v_int
#undef v_uint
#undef LANES
#undef BITS
#undef MANTISSA
#undef DROP_UNIFORM
#undef DROP_RADIUS
#undef DROP_ANGLE
#undef LOG_POLY
#undef LOG_HOW
#undef SIN_POLY
#undef COS_POLY
#undef MINUS_2LN2
#undef DTYPES
