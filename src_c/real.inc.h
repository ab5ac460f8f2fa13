/* The transforms from words to numbers, one text for f32 and f64. No include guard: kernels.inc.h includes it once for
 * each, having set
 *   T                          the suffix, f32 or f64
 *   real, v_real, v_int, v_uint, LANES   scalar type, lane types, lanes in a vector
 *   BITS, MANTISSA             of a word; explicit mantissa bits of real
 *   DROP_UNIFORM, DROP_RADIUS, DROP_ANGLE   low bits of a word that real cannot use there
 * Formulas and their order of operations are part of the stream: README.md, sections 4 and 5. */

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define R(name) PASTE(name, T)
#define POLYNOMIAL(how, table, x) R(how)(table, sizeof(table) / sizeof((table)[0]), x)

enum { R(per_group) = FI_GROUP * 32 / BITS }; /* elements */

SI v_real R(horner)(const real *c, size_t n, v_real x) {
    v_real p = R(v_set)(c[0]);
    UNROLL for (size_t i = 1; i < n; i++) p = R(v_fma)(p, x, R(v_set)(c[i]));
    return p;
}

/* Even and odd powers apart: half the latency, which at the degree of the f64 logarithm is what the kernel waits for. In
 * f32 it would gain 3% and cost the radius its monotony. */
#if BITS == 64
SI v_real R(even_odd)(const real *c, size_t n, v_real x) {
    v_real square = x * x, p[2] = {R(v_set)(c[0]), R(v_set)(c[1])};
    UNROLL for (size_t i = 2; i < n; i++) p[i % 2] = R(v_fma)(p[i % 2], square, R(v_set)(c[i]));
    return R(v_fma)(p[n % 2], x, p[(n - 1) % 2]);
}
#endif

SI v_uint R(word)(const uint32_t *words, size_t i) {
#if BITS == 32
    return v_load_u32(words + i);
#else
    return v_pair_words(words + 2 * i);
#endif
}

/* The middle of the cell of 2^drop integers that w lies in, as a signed integer; never zero. */
SI v_int R(centre)(v_uint w, int drop) {
    const v_uint one = (v_uint){0} + 1;
    return (v_int)((w & -(one << drop)) | (one << (drop - 1)));
}

static void R(uniform)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out) {
    /* The dropped bits are still in the centre's integer, so the step is that much smaller: exact, as plan.py keeps
     * the step far from the subnormals. */
    const v_real step = R(v_set)((real)(plan->scale / (1u << DROP_UNIFORM))), rest = R(v_set)((real)plan->rest);
    const v_real shift = R(v_set)((real)plan->shift);
    const v_real low = R(v_set)((real)plan->low), high = R(v_set)((real)plan->high);
    for (size_t i = 0; i < groups * R(per_group); i += LANES) {
        v_real x = R(v_convert)(R(centre)(R(word)(words, i), DROP_UNIFORM));
        x = R(v_fma)(x, step, rest) + shift;
        R(v_store)((char *)out + i * sizeof(real), R(v_min)(R(v_max)(x, low), high));
    }
}

/* sqrt(-2 ln u) for u = (centre mod 2^BITS) / 2^BITS. A negative centre is u - 1, exact to the last bit, which is what
 * the logarithm needs near u = 1; a positive one is u itself, exact where u is small. */
SI v_real R(radius)(v_uint w) {
    enum { BIAS_TOP = (1 << (BITS - MANTISSA - 2)) - 2 + BITS }; /* biased exponent of 2^BITS m, 1/2 <= m < 1 */
    const v_uint one = (v_uint){0} + 1, half_exponent = (one << (BITS - 2)) - (one << (MANTISSA + 1));
    v_int k = R(centre)(w, DROP_RADIUS);
    v_real t = R(v_convert)(k);
    v_uint bits = R(v_bits)(t);
    /* The sign bit makes the shifted value of a negative t larger than BIAS_TOP: exponent 0. */
    v_int exponent = R(v_min_int)((v_int)(bits >> MANTISSA), (v_int)((v_uint){0} + BIAS_TOP)) - BIAS_TOP;
    v_real m = R(v_from_bits)((bits & ((one << MANTISSA) - 1)) | half_exponent);
    v_real f = R(v_where_neg)(k, t * (real)(BITS == 32 ? 0x1p-32 : 0x1p-64), m - (real)1);
    v_real e = R(v_convert_small)(exponent);
    /* u = 2^e (1 + f), -1/2 <= f < 0: both terms are positive, nothing cancels. */
    return R(v_sqrt)(R(v_fma)(e, R(v_set)(MINUS_2LN2), f * POLYNOMIAL(LOG_HOW, LOG_POLY, f)));
}

/* The point of the unit circle at a random angle: an eighth-turn arc about an axis, from the low bits, then one of four
 * such arcs pairs by the top bit (sign of the large coordinate) and the next (which coordinate is large). */
SI void R(circle)(v_uint w, v_real *c, v_real *s) {
    const v_uint top = ((v_uint){0} + 1) << (BITS - 1);
    v_real y = R(v_convert)(R(centre)(w << 2, DROP_ANGLE)) * (real)(BITS == 32 ? 0x1p-31 : 0x1p-63);
    v_real z = y * y;
    v_real small = y * POLYNOMIAL(horner, SIN_POLY, z);
    v_real large = R(v_from_bits)(R(v_bits)(POLYNOMIAL(horner, COS_POLY, z)) ^ (w & top));
    v_int swap = (v_int)(w << 1);
    *c = R(v_where_neg)(swap, small, large);
    *s = R(v_where_neg)(swap, large, small);
}

/* Box & Muller 1958. In each group the first half of the words are radii, the second half angles; the cosines are the
 * first half of the elements, the sines the second, so no lane moves. With `rejected`, its bit i is set where element i is
 * outside [low, high]: asked while the values are in registers, as the stores would have to be waited for. */
SI void R(box_muller)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, uint64_t *rejected) {
    enum { HALF = R(per_group) / 2 };
    const v_real scale = R(v_set)((real)plan->scale), shift = R(v_set)((real)plan->shift);
    const v_real low = R(v_set)((real)plan->low), high = R(v_set)((real)plan->high);
    for (size_t g = 0; g < groups * R(per_group); g += R(per_group)) {
        uint64_t bits = 0;
        UNROLL for (size_t i = 0; i < HALF; i += LANES) {
            v_real c, s, r = R(radius)(R(word)(words, g + i));
            R(circle)(R(word)(words, g + i + HALF), &c, &s);
            c = R(v_fma)(r * c, scale, shift);
            s = R(v_fma)(r * s, scale, shift);
            R(v_store)((char *)out + (g + i) * sizeof(real), c);
            R(v_store)((char *)out + (g + i + HALF) * sizeof(real), s);
            if (rejected) {
                bits |= (uint64_t)R(v_mask)((c < low) | (c > high)) << i;
                bits |= (uint64_t)R(v_mask)((s < low) | (s > high)) << (i + HALF);
            }
        }
        if (rejected) {
            if (g % 64 == 0) rejected[g / 64] = 0;
            rejected[g / 64] |= bits << g % 64;
        }
    }
}

static void R(normal)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out) {
    R(box_muller)(plan, words, groups, out, 0);
}

static void R(truncated)(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, uint64_t *rejected) {
    R(box_muller)(plan, words, groups, out, rejected);
}

/* x[to[i]] = candidates[from[i]] for i < n. */
static void R(replace)(void *x, const uint16_t *to, const void *candidates, const uint16_t *from, size_t n) {
    for (size_t i = 0; i < n; i++) memcpy((char *)x + to[i] * sizeof(real), (const real *)candidates + from[i], sizeof(real));
}

static void R(clamp)(const fi_plan *plan, void *x, const uint16_t *index, size_t n) {
    const real low = (real)plan->low, high = (real)plan->high;
    for (size_t i = 0; i < n; i++) {
        char *place = (char *)x + index[i] * sizeof(real); /* x may have any alignment */
        real value;
        memcpy(&value, place, sizeof value);
        memcpy(place, value < low ? &low : &high, sizeof value);
    }
}

static void R(store)(const fi_plan *plan, const void *x, size_t n, void *out) {
    (void)plan;
    memcpy(out, x, n * sizeof(real));
}

#undef PASTE_
#undef PASTE
#undef R
#undef POLYNOMIAL
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
