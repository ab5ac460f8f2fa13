/* Every kernel, for one ISA. No include guard: each isa_*.c includes this once, having set FI_LANES, defined runs()
 * (whether this CPU has what the kernels need) and opened a target region, and then names the table. */

#include "coefficients.h"
#include "pcg.h"
#include "tables.h"
#include "vec.inc.h"

#define T f32
#define real float
#define v_real v_f32
#define v_int v_i32
#define v_uint v_u32
#define LANES FI_LANES
#define BITS 32
#define MANTISSA 23
#define DROP_UNIFORM 8
#define DROP_RADIUS 1
#define DROP_ANGLE 2
#define LOG_POLY FI_LOG_F32
#define LOG_HOW horner
#define SIN_POLY FI_SIN_F32
#define COS_POLY FI_COS_F32
#define MINUS_2LN2 FI_MINUS_2LN2_F32
#include "real.inc.h"

#define T f64
#define real double
#define v_real v_f64
#define v_int v_i64
#define v_uint v_u64
#define LANES FI_LANES64
#define BITS 64
#define MANTISSA 52
#define DROP_UNIFORM 11
#define DROP_RADIUS 11
#define DROP_ANGLE 11
#define LOG_POLY FI_LOG_F64
#define LOG_HOW even_odd
#define SIN_POLY FI_SIN_F64
#define COS_POLY FI_COS_F64
#define MINUS_2LN2 FI_MINUS_2LN2_F64
#include "real.inc.h"

/* A vector of words takes one vector of states, or two: those of the even and of the odd words, so that the halves of
 * both interleave in place. */
enum { STATES = FI_LANES == 1 ? 1 : 2, STATE_VECTORS = FI_GROUP / FI_LANES64 };

static size_t lane_of_word(size_t i) {
    size_t vector = i / FI_LANES, k = i % FI_LANES;
    return (vector * STATES + k % STATES) * FI_LANES64 + k / STATES;
}

static void seed(fi_lanes *lanes, uint64_t state, uint64_t inc) {
    lanes->inc = inc;
    for (size_t i = 0; i < FI_GROUP; i++) {
        lanes->state[lane_of_word(i)] = state;
        state = state * FI_PCG_MULT + inc;
    }
}

static void jump(fi_lanes *lanes, uint64_t power, uint64_t plus) {
    for (size_t i = 0; i < FI_GROUP; i++) lanes->state[i] = lanes->state[i] * power + plus;
}

/* DXSM: double xor-shift multiply, from the high and low halves of the state. */
SI v_u32 dxsm(const v_u64 *s) {
#if FI_LANES == 1
    v_u32 high = (uint32_t)(s[0] >> 32), low = (uint32_t)s[0];
#else
    v_u32 high = (v_u32)((s[0] >> 32) | (s[1] & 0xffffffff00000000u));
    v_u32 low = (v_u32)((s[0] & 0xffffffffu) | (s[1] << 32));
#endif
    high ^= high >> 16;
    high *= FI_DXSM_MULT;
    high ^= high >> 24;
    return high * (low | 1u);
}

static void words(fi_lanes *lanes, uint32_t *out, size_t groups) {
    const fi_jump stride = fi_jump_of(FI_GROUP);
    const uint64_t plus = stride.series * lanes->inc;
    v_u64 s[STATE_VECTORS];
    UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) s[v] = v_load_u64(lanes->state + v * FI_LANES64);
    for (size_t g = 0; g < groups; g++, out += FI_GROUP) {
        UNROLL for (size_t v = 0; v < STATE_VECTORS; v += STATES) {
            v_store_u32(out + v / STATES * FI_LANES, dxsm(s + v));
            UNROLL for (size_t k = v; k < v + STATES; k++) s[k] = s[k] * stride.power + plus;
        }
    }
    UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) v_store_u64(lanes->state + v * FI_LANES64, s[v]);
}

static size_t places(const uint64_t *bits, uint64_t flip, size_t n, uint16_t *index) {
    size_t found = 0;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t left = bits[i / 64] ^ flip;
        if (n - i < 64) left &= ((uint64_t)1 << (n - i)) - 1;
        const size_t end = found + v_count_bits(left);
        /* A few more than most words have, without asking: how many there are is what a branch cannot predict. */
        UNROLL for (size_t k = 0; k < FI_SPARE; k++, left &= left - 1) index[found + k] = (uint16_t)(i + v_lowest_bit(left));
        for (found += FI_SPARE; left; left &= left - 1) index[found++] = (uint16_t)(i + v_lowest_bit(left));
        found = end;
    }
    return found;
}

/* Finite f32 within the target's range to 16 bits, to nearest even. */
SI v_u32 round_bf16(v_f32 x) {
    v_u32 bits = v_bits_f32(x);
    return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

SI v_u32 round_f16(v_f32 x) {
#if FI_LANES == 8 /* the instruction, for a quarter of a float16 fill's time */
    return (v_u32)_mm256_cvtepu16_epi32(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#elif FI_LANES == 16
    return (v_u32)_mm512_cvtepu16_epi32(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#else
    v_u32 bits = v_bits_f32(x), sign = bits & 0x80000000u, size = bits ^ sign;
    v_u32 normal = (size - (112u << 23) + 0xfffu + ((size >> 13) & 1u)) >> 13;
    /* Below 2^-14 results are multiples of 2^-24, the spacing of f32 in [1/2, 1): let the adder round. */
    v_u32 subnormal = v_bits_f32(v_from_bits_f32(size) + 0.5f) - 0x3f000000u;
    v_u32 below = size - (113u << 23); /* "negative" where size < 2^-14 */
    v_f32 chosen = v_where_neg_f32((v_i32)below, v_from_bits_f32(subnormal), v_from_bits_f32(normal));
    return v_bits_f32(chosen) | (sign >> 16);
#endif
}

SI void store_16(const fi_plan *plan, const float *x, size_t n, uint16_t *out, v_u32 (*round)(v_f32)) {
    const v_f32 least = v_set_f32((float)plan->least), most = v_set_f32((float)plan->most);
    for (size_t i = 0; i < n; i += FI_LANES) { /* x has room for whole vectors, out has not */
        v_u16 r = V_CAST(v_u16, round(v_min_f32(v_max_f32(v_load_f32(x + i), least), most)));
        if (n - i >= FI_LANES) memcpy(out + i, &r, sizeof r);
        else memcpy(out + i, &r, (n - i) * sizeof *out);
    }
}

static void store_f16(const fi_plan *plan, const void *x, size_t n, void *out) {
    store_16(plan, x, n, out, round_f16);
}

static void store_bf16(const fi_plan *plan, const void *x, size_t n, void *out) {
    store_16(plan, x, n, out, round_bf16);
}

static const fi_table table = {
    .runs = runs,
    .seed = seed,
    .jump = jump,
    .words = words,
    .transform = {[FI_uniform] = {uniform_f32, uniform_f64},
                  [FI_normal] = {normal_f32, normal_f64},
                  [FI_trunc_normal] = {normal_f32, normal_f64},
                  [FI_trunc_narrow] = {uniform_f32, uniform_f64},
                  [FI_trunc_tail] = {uniform_f32, uniform_f64}},
    .truncated = {truncated_f32, truncated_f64},
    .places = places,
    .replace = {replace_f32, replace_f64},
    .clamp = {clamp_f32, clamp_f64},
    .store = {[FI_f32] = store_f32, [FI_f64] = store_f64, [FI_f16] = store_f16, [FI_bf16] = store_bf16},
};
