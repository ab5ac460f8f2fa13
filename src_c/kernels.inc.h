/* Words, and numbers from words, for one processor. No include guard: table.inc.h includes this for each ISA, having set
 * FI_LANES and, for x86, FI_X86; and so does the text for other devices. */

#include "coefficients.h"
#include "pcg.h"
#include "tables.h"
#include "vec.inc.h"

/* A vector of words comes from one vector of states or, as states are twice as wide, from two. */
enum { STATES = FI_LANES == 1 ? 1 : 2, STATE_VECTORS = FI_GROUP / FI_LANES64 };

static void seed(fi_lanes *lanes, uint64_t state, uint64_t inc) {
    uint64_t of_word[FI_GROUP];
    lanes->inc = inc;
    for (size_t i = 0; i < FI_GROUP; i++) {
        of_word[i] = state;
        state = state * FI_PCG_MULT + inc;
    }
    for (size_t i = 0; i < FI_GROUP; i++) lanes->state[i] = of_word[i / FI_LANES * FI_LANES + v_word_of_lane(i % FI_LANES)];
}

static void jump(fi_lanes *lanes, uint64_t power, uint64_t plus) {
    for (size_t i = 0; i < FI_GROUP; i++) lanes->state[i] = lanes->state[i] * power + plus;
}

/* DXSM: double xor-shift multiply, from the high and low halves of the states. Where their lowest bits are set, `one` is 0. */
SI v_u32 dxsm(const v_u64 *s, uint32_t one) {
    v_u32 high = v_high_words(s);
    high ^= high >> 16;
    high *= FI_DXSM_MULT;
    high ^= high >> 24;
    return high * (v_low_words(s) | one);
}

static void words(fi_lanes *lanes, uint32_t *out, size_t groups) {
    /* To step the states takes longer than the rest of a group's work. So where registers suffice, even and odd groups have
     * states of their own: while those of one are being stepped the other's are put out. */
    enum { CHAINS = FI_LANES == 16 ? 2 : 1 };
    const fi_jump next = fi_jump_of(FI_GROUP), stride = fi_jump_of(CHAINS * FI_GROUP);
    v_u64 s[CHAINS][STATE_VECTORS], plus[STATE_VECTORS];
    UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) {
        s[0][v] = v_load_u64(lanes->state + v * FI_LANES64);
        UNROLL for (size_t c = 1; c < CHAINS; c++) s[c][v] = s[c - 1][v] * next.power + next.series * lanes->inc;
    }
    /* A lane's states are all even or all odd, as a group has an even number of words. So the bit that DXSM sets is set here,
     * once, and where it was not, what a step adds makes up for it. */
    UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) {
        plus[v] = stride.series * lanes->inc + (((s[0][v] & 1) - 1) & (1 - stride.power));
    }
    UNROLL for (size_t c = 0; c < CHAINS; c++) UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) s[c][v] |= 1;
    const size_t over = groups % CHAINS;
    for (size_t g = 0; g < groups - over; g += CHAINS) {
        UNROLL for (size_t c = 0; c < CHAINS; c++, out += FI_GROUP) {
            UNROLL for (size_t v = 0; v < STATE_VECTORS; v += STATES) {
                v_store_u32(out + v / STATES * FI_LANES, dxsm(s[c] + v, 0));
                v_step(s[c] + v, stride.power, plus + v);
            }
        }
    }
    if (over) {
        UNROLL for (size_t v = 0; v < STATE_VECTORS; v += STATES) v_store_u32(out + v / STATES * FI_LANES, dxsm(s[0] + v, 0));
    }
    UNROLL for (size_t v = 0; v < STATE_VECTORS; v++) {
        uint64_t *const p = lanes->state + v * FI_LANES64;
        v_store_u64(p, s[over][v] ^ (~v_load_u64(p) & 1));
    }
}

/* A branch on how many of 64 bits are set would be mispredicted: so EAGER places are written for all, which is as many as most
 * have with bounds at two standard deviations. */
static size_t places(const uint8_t *bits, size_t n, uint32_t *index) {
    enum { EAGER = 4 };
    size_t found = 0;
#if FI_LANES == 16
    v_u32 place = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#endif
    for (size_t i = 0; i < n; i += 64) {
        uint64_t left = v_load_bits(bits, i, n);
#if FI_LANES == 16
        for (unsigned k = 0; k < 64; k += 16, place += 16) found += v_compress(index + found, place, (uint16_t)(left >> k));
#else
        const size_t end = found + v_count_bits(left);
        UNROLL for (size_t k = 0; k < EAGER; k++, left &= left - 1) index[found + k] = (uint32_t)(i + v_lowest_bit(left));
        for (found += EAGER; left; left &= left - 1) index[found++] = (uint32_t)(i + v_lowest_bit(left));
        found = end;
#endif
    }
    return found;
}

static void locate(fi_rejects *rejects, size_t first, size_t n, const uint64_t *states, const fi_steps *coarse,
                   const fi_steps *fine) {
    for (size_t k = 0; k < n; k += sizeof(v_places) / sizeof(uint64_t)) {
        const v_places place = v_load_places(rejects->where + first + k), high = place / FI_STEPS;
        v_places s = v_look_up(states, high / FI_STEPS);
        s = s * v_look_up(coarse->power, high) + v_look_up(coarse->plus, high);
        s = s * v_look_up(fine->power, place) + v_look_up(fine->plus, place);
        memcpy(rejects->state + k, &s, sizeof s);
    }
}

#if FI_LANES == 16
SI v_u32 pack_bf16(v_f32 a, v_f32 b) { return v_pack_bf16(a, b); }
#else
/* Finite f32 within the target's range to 16 bits, to nearest even: bfloat16 in the high half of a lane, whose low half
 * is left over. */
SI v_u32 round_bf16(v_f32 x) {
    v_u32 bits = v_bits_f32(x);
    return bits + 0x7fffu + ((bits >> 16) & 1u);
}

/* Two vectors of f32 as one of 16-bit numbers. */
SI v_u32 pack_bf16(v_f32 a, v_f32 b) { return v_high_halves(round_bf16(a), round_bf16(b)); }
#endif

#ifndef FI_X86
SI v_u32 round_f16(v_f32 x) { /* in the low half of a lane */
    v_u32 bits = v_bits_f32(x), sign = bits & 0x80000000u, size = bits ^ sign;
    v_u32 normal = (size - (112u << 23) + 0xfffu + ((size >> 13) & 1u)) >> 13;
    /* Below 2^-14 results are multiples of 2^-24, the spacing of f32 in [1/2, 1): let the adder round. */
    v_u32 subnormal = v_bits_f32(v_from_bits_f32(size) + 0.5f) - 0x3f000000u;
    v_u32 below = size - (113u << 23); /* "negative" where size < 2^-14 */
    v_f32 chosen = v_where_neg_f32((v_i32)below, v_from_bits_f32(subnormal), v_from_bits_f32(normal));
    return v_bits_f32(chosen) | (sign >> 16);
}

SI v_u32 pack_f16(v_f32 a, v_f32 b) { return v_low_halves(round_f16(a), round_f16(b)); }
#else
SI v_u32 pack_f16(v_f32 a, v_f32 b) { return v_pack_f16(a, b); } /* the instruction: saves a quarter of a float16 fill */
#endif

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
#define DTYPES(X) X(f32) X(f16) X(bf16)
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
#define DTYPES(X) X(f64)
#include "real.inc.h"
