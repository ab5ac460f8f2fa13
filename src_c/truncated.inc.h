/* The truncated gaussian: candidates, first attempts, redraws, all of a chunk at a time. No include guard: a part of
 * real.inc.h, for each type. Formulas and their order are part of the stream: README.md, section 6. */

/* Candidates for narrow intervals: uniform, accepted with the gaussian's density over its largest in the interval.
 * Bit l of accepted[k] tells whether lane l of x[k] is. */
SI void R(narrow)(const fi_plan *plan, const v_uint *value, const v_uint *decision, v_real *x, unsigned *accepted, size_t n) {
    v_real e[R(abreast)];
    R(minus_2_log)(decision, e, n);
    EACH(j, n) {
        v_real k;
        x[j] = R(clamp)(R(uniform_value)(plan, value[j], &k), plan->low, plan->high);
        v_real d = R(scaled_down)(k, DROP_UNIFORM) - R(v_set)((real)plan->origin);
        accepted[j] = R(v_at_most)(d * R(v_fma)(d, R(v_set)((real)plan->curve), R(v_set)((real)plan->slope)), e[j]);
    }
}

/* For tails: exponential from the bound on, accepted likewise: C. P. Robert, "Simulation of truncated normal variables",
 * Statistics and Computing 5, 1995. */
SI void R(tail)(const fi_plan *plan, const v_uint *value, const v_uint *decision, v_real *x, unsigned *accepted, size_t n) {
    v_real of_value[R(abreast)], e[R(abreast)];
    R(minus_2_log)(value, of_value, n);
    R(minus_2_log)(decision, e, n);
    EACH(k, n) {
        v_real t = R(v_fma)(of_value[k], R(v_set)((real)plan->curve), R(v_set)((real)plan->slope));
        v_real drawn = R(v_fma)(of_value[k], R(v_set)((real)plan->scale), R(v_set)((real)plan->shift));
        x[k] = R(clamp)(drawn, plan->low, plan->high);
        accepted[k] = R(v_at_most)(t * t, e[k]) & R(v_equal)(x[k], drawn);
    }
}

/* For a redraw: of a gaussian pair the first that is accepted, else the second, clamped. */
SI void R(either)(const fi_plan *plan, const v_uint *a, const v_uint *b, v_real *x, unsigned *accepted, size_t n) {
    v_real r[R(abreast)], c[R(abreast)], s[R(abreast)];
    R(radius)(a, r, n);
    R(box_muller)(plan, r, b, c, s, n);
    EACH(k, n) {
        v_real first = R(clamp)(c[k], plan->low, plan->high), second = R(clamp)(s[k], plan->low, plan->high);
        x[k] = R(v_where_equal)(c[k], first, c[k], second);
        accepted[k] = R(v_equal)(c[k], first) | R(v_equal)(s[k], second);
    }
}

SI void R(candidates)(const fi_plan *plan, int dist, const v_uint *a, const v_uint *b, v_real *x, unsigned *accepted,
                      size_t n) {
    if (dist == FI_trunc_narrow) R(narrow)(plan, a, b, x, accepted, n);
    else if (dist == FI_trunc_tail) R(tail)(plan, a, b, x, accepted, n);
    else R(either)(plan, a, b, x, accepted, n);
}

/* Bit l: whether lane l of x lies within the bounds. Where these are each other's negatives one comparison tells, which
 * saves 4% of a fill. */
SI unsigned R(inside)(const fi_plan *plan, v_real x, int symmetric) {
    const v_uint sign = R(v_set_bits)(1) << (BITS - 1);
    if (symmetric) return R(v_at_most)(R(v_from_bits)(R(v_bits)(x) & ~sign), R(v_set)((real)plan->high));
    return R(v_equal)(x, R(clamp)(x, plan->low, plan->high));
}

/* First candidates of groups side by side. */
SI void R(propose_abreast)(const fi_plan *plan, int dist, int symmetric, const v_real *r, const uint32_t *words, void *x,
                           uint8_t *rejected, size_t groups) {
    const size_t n = dist == FI_trunc_normal ? R(per_group) : R(half);
    v_real drawn[R(abreast) * 2 * R(vectors)];
    unsigned accepted[R(abreast) * 2 * R(vectors)];
    if (dist == FI_trunc_normal) {
        R(gaussians)(plan, r, words, drawn, groups);
        EACH(k, groups * n / LANES) accepted[k] = R(inside)(plan, drawn[k], symmetric);
    } else {
        UNROLL for (size_t first = 0; first < groups * R(vectors); first += groups) {
            v_uint a[R(abreast)], b[R(abreast)];
            EACH(k, groups) a[k] = R(unit_of)(words, first + k, 0);
            EACH(k, groups) b[k] = R(unit_of)(words, first + k, R(half));
            R(candidates)(plan, dist, a, b, drawn + first, accepted + first, groups);
        }
    }
    EACH(g, groups) {
        uint32_t bits = 0;
        UNROLL for (size_t i = 0; i < n / LANES; i++) {
            bits |= (uint32_t)accepted[g * n / LANES + i] << i * LANES;
            R(v_store)((real *)x + g * n + i * LANES, drawn[g * n / LANES + i]);
        }
        v_store_bits(rejected + g * n / 8, ~bits, n / 8);
    }
}

SI void R(propose)(const fi_plan *plan, int dist, int symmetric, const uint32_t *words, size_t groups, void *x,
                   uint8_t *rejected, const char *next) {
    const size_t n = dist == FI_trunc_normal ? R(per_group) : R(half);
    R(radii) r;
    if (dist == FI_trunc_normal) R(all_radii)(words, groups, next, &r);
    else v_fetch(next, groups * n * sizeof(real));
    IN_TURNS(g, groups, m, R(abreast_all),
             R(propose_abreast)(plan, dist, symmetric, r.of + g * R(vectors), words + g * FI_GROUP, (real *)x + g * n,
                                rejected + g * n / 8, m));
}

/* The next unit of each of LANES states. */
SI v_uint R(next)(v_u64 *s, uint64_t inc) {
#if BITS == 32
    const v_u64 plus[2] = {v_set_bits_f64(inc), v_set_bits_f64(inc)};
    const v_u32 w = dxsm(s, 1);
    v_step(s, FI_PCG_MULT, plus);
    return w;
#else
    const v_u64 both[2] = {s[0], s[0] * FI_PCG_MULT + inc};
    s[0] = both[1] * FI_PCG_MULT + inc;
#if FI_LANES == 1
    return dxsm(both, 1) | (uint64_t)dxsm(both + 1, 1) << 32;
#else
    return v_paired(dxsm(both, 1));
#endif
#endif
}

/* A reject's lane in a vector of units. */
SI size_t R(lane)(size_t i) { return BITS == 32 ? v_word_of_lane(i) : i; }

enum { R(states) = BITS == 32 ? STATES : 1 }; /* vectors of states for a vector of units */

/* Fills up the vector of the last of n rejects with copies of it, which do no harm: they write the same value to the same
 * place. As many copies as any n needs, by whole stores. */
SI void R(fill_up)(uint64_t *state, uint32_t *where, size_t n) {
    const uint64_t last = state[n - 1];
    const uint32_t last_place = where[n - 1];
    for (size_t i = n; i < n + LANES; i++) state[i] = last;
    for (size_t i = n; i < n + LANES; i++) where[i] = last_place;
}

/* A round's two units for each of LANES rejects, whose states are stepped. */
SI void R(redraw_units)(uint64_t *state, uint64_t inc, v_uint *a, v_uint *b) {
    v_u64 s[R(states)];
    UNROLL for (size_t v = 0; v < R(states); v++) s[v] = v_load_u64(state + v * FI_LANES64);
    *a = R(next)(s, inc);
    *b = R(next)(s, inc);
    UNROLL for (size_t v = 0; v < R(states); v++) v_store_u64(state + v * FI_LANES64, s[v]);
}

/* LANES rejects' candidates to their places in x. */
SI void R(scatter)(const v_real *drawn, const uint32_t *place, void *x) {
    const char *const value = (const char *)drawn;
    UNROLL for (size_t i = 0; i < LANES; i++) {
        memcpy((char *)x + place[i] * sizeof(real), value + R(lane)(i) * sizeof(real), sizeof(real));
    }
}

/* Of rejects [at, at + count), at most LANES, those whose lane's bit is set, moved to `left` on; returns where they end. */
SI size_t R(pack)(uint64_t *state, uint32_t *where, size_t left, size_t at, size_t count, unsigned rejected) {
#if FI_LANES == 16
    const unsigned valid = (1u << count) - 1;
    UNROLL for (size_t v = 0; v < R(states); v++) {
        const size_t from = at + v * FI_LANES64;
        const unsigned bits = (R(states) == 2 ? v_even_bits(rejected >> v) : rejected) & valid >> v * FI_LANES64;
        left += v_compress_pairs(state + left, v_load_u64(state + from), where + left, where + from, (uint8_t)bits);
    }
#else
    for (size_t i = 0; i < count; i++) { /* without a branch, as which are rejected is random */
        where[left] = where[at + i];
        state[left] = state[at + i];
        left += rejected >> R(lane)(i) & 1;
    }
#endif
    return left;
}

/* A round of redraws, see fi_redraw_fn. As with the radii, loops whose turns do not wait for one another: the units of some
 * vectors, then their candidates, then those to their places, then what is still rejected to the batch's head. */
SI size_t R(redraw)(const fi_plan *plan, int dist, fi_rejects *rejects, size_t first, size_t n, void *x) {
    enum { TURN = 128 / LANES /* vectors */, ALL = (1 << LANES) - 1 };
    const uint64_t inc = rejects->inc;
    uint64_t *const state = rejects->state;
    uint32_t *const where = rejects->where + first;
    size_t left = 0;
    R(fill_up)(state, where, n);
    for (size_t start = 0; start < n; start += TURN * LANES) {
        const size_t rest = (n - start + LANES - 1) / LANES, vectors = rest < TURN ? rest : TURN;
        v_uint a[TURN], b[TURN];
        v_real drawn[TURN];
        unsigned accepted[TURN];
        for (size_t k = 0; k < vectors; k++) R(redraw_units)(state + start + k * LANES, inc, a + k, b + k);
        IN_TURNS(k, vectors, m, R(abreast_all), R(candidates)(plan, dist, a + k, b + k, drawn + k, accepted + k, m));
        for (size_t k = 0; k < vectors; k++) R(scatter)(drawn + k, where + start + k * LANES, x);
        for (size_t k = 0; k < vectors; k++) {
            const size_t at = start + k * LANES, count = n - at < LANES ? n - at : LANES;
            const unsigned rejected = ALL ^ accepted[k];
            if (rejected) left = R(pack)(state, where, left, at, count, rejected);
        }
    }
    return left;
}
