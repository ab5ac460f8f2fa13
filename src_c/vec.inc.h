/* The lane types and operations that the kernels are written in. No include guard: kernels.inc.h includes it once for
 * each ISA file, which has set FI_LANES, the number of 32-bit lanes in a native vector (1: plain scalars).
 *
 * Vectors are GCC/Clang generic vectors of the ISA's own width; a wider one would be split, and GCC splits comparisons
 * into single lanes. `+ - * & | ^ << >>` are the language's, lane by lane. With FI_LANES 1 the same text is ordinary C. */

#include <math.h>
#include <string.h>

#ifdef __GNUC__
#define SI static inline __attribute__((always_inline))
#else
#define SI static inline
#endif
/* Loops of a few fixed turns over arrays of vectors, which live in registers only if unrolled. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 32")
#else
#define UNROLL /* clang does by itself */
#endif

#if FI_LANES == 1

#define FI_LANES64 1
typedef float v_f32;
typedef int32_t v_i32;
typedef uint32_t v_u32;
typedef double v_f64;
typedef int64_t v_i64;
typedef uint64_t v_u64;
typedef uint16_t v_half;
#define V_CAST(type, x) ((type)(x))
#define V_EACH(r, expr) ((r) = (expr)) /* the expression names lanes of a, b, c by AT */
#define AT(x) (x)

#else

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "vector kernels pair 32-bit lanes into 64-bit ones and assume little-endian lanes"
#endif
#define FI_LANES64 (FI_LANES / 2)
#define V(type, bytes) type __attribute__((vector_size(bytes)))
typedef V(float, 4 * FI_LANES) v_f32;
typedef V(int32_t, 4 * FI_LANES) v_i32;
typedef V(uint32_t, 4 * FI_LANES) v_u32;
typedef V(double, 4 * FI_LANES) v_f64;
typedef V(int64_t, 4 * FI_LANES) v_i64;
typedef V(uint64_t, 4 * FI_LANES) v_u64;
typedef V(uint16_t, 2 * FI_LANES) v_half;
#define V_CAST(type, x) __builtin_convertvector(x, type)
#define V_EACH(r, expr) for (unsigned l_ = 0; l_ < sizeof(r) / sizeof((r)[0]); l_++) (r)[l_] = (expr)
#define AT(x) (x)[l_]

#endif

#define V_BITS(to, from, name) SI to name(from x) { to r; memcpy(&r, &x, sizeof r); return r; }
V_BITS(v_u32, v_f32, v_bits_f32)
V_BITS(v_f32, v_u32, v_from_bits_f32)
V_BITS(v_u64, v_f64, v_bits_f64)
V_BITS(v_f64, v_u64, v_from_bits_f64)
#undef V_BITS

#define V_MEMORY(type, name) \
    SI type v_load_##name(const void *p) { type r; memcpy(&r, p, sizeof r); return r; } \
    SI void v_store_##name(void *p, type x) { memcpy(p, &x, sizeof x); }
V_MEMORY(v_f32, f32)
V_MEMORY(v_f64, f64)
V_MEMORY(v_u32, u32)
V_MEMORY(v_u64, u64)
#undef V_MEMORY

/* x in every lane. As x - 0, which is x even for -0.0, and which GCC moves out of loops. And integers x, of lanes as wide. */
SI v_f32 v_set_f32(float x) { v_f32 zero = {0}; return x - zero; }
SI v_f64 v_set_f64(double x) { v_f64 zero = {0}; return x - zero; }
SI v_u32 v_set_bits_f32(uint32_t x) { v_u32 zero = {0}; return zero + x; }
SI v_u64 v_set_bits_f64(uint64_t x) { v_u64 zero = {0}; return zero + x; }

/* A non-temporal store goes to memory past the caches, without reading the line first. It takes a whole vector at a multiple of
 * its size (a line, or half a line), and NumPy's large arrays start 16 bytes past one. So a store to p writes the vector that
 * begins at or before p: the end of the vector that came before x, which is carried along, then the start of x. */
typedef struct {
    v_u32 before; /* the last vector given to a store: what of it lies in the same line as p is not written yet */
    v_u64 shift;  /* how the two make a line, as the permutation wants it */
} v_carry;

#if FI_LANES == 16
SI v_carry v_carry_from(const void *before, const void *p) {
    const v_u64 x = {8, 9, 10, 11, 12, 13, 14, 15};
    return (v_carry){v_load_u32(before), x - (uintptr_t)p % 64 / 8};
}
SI void v_store_nontemporal(void *p, v_u32 x, v_carry *carry) {
    _mm512_stream_si512((__m512i *)((uintptr_t)p / 64 * 64),
                        _mm512_permutex2var_epi64((__m512i)carry->before, (__m512i)carry->shift, (__m512i)x));
    carry->before = x;
}
#elif FI_LANES == 8
SI v_carry v_carry_from(const void *before, const void *p) {
    return (v_carry){v_load_u32(before), v_set_bits_f64((uintptr_t)p % 32)};
}
SI void v_store_nontemporal(void *p, v_u32 x, v_carry *carry) {
    _mm256_stream_si256((__m256i *)((uintptr_t)p / 32 * 32),
                        carry->shift[0] ? _mm256_permute2x128_si256((__m256i)carry->before, (__m256i)x, 0x21) : (__m256i)x);
    carry->before = x;
}
#else
SI v_carry v_carry_from(const void *before, const void *p) { (void)p; v_carry r = {v_load_u32(before), v_set_bits_f64(0)}; return r; }
SI void v_store_nontemporal(void *p, v_u32 x, v_carry *carry) { (void)carry; v_store_u32(p, x); }
#endif
enum { NONTEMPORAL_BYTES = FI_LANES < 8 ? 0 : 4 * FI_LANES };

/* To memory, by a non-temporal store if there is a carry. */
SI void v_put(void *p, v_u32 x, v_carry *carry) {
    if (carry) v_store_nontemporal(p, x, carry);
    else v_store_u32(p, x);
}

/* Places in a chunk, as many as can be looked up at once; and table[i % FI_STEPS] for each of them. */
#if FI_LANES == 16 /* saves 9% of a truncated fill */
typedef v_u64 v_places;
SI v_places v_load_places(const uint32_t *p) { return (v_u64)_mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)p)); }
SI v_u64 v_look_up(const uint64_t *table, v_places i) {
    return (v_u64)_mm512_permutex2var_epi64(_mm512_loadu_si512(table), (__m512i)i, _mm512_loadu_si512(table + FI_STEPS / 2));
}
#else
typedef uint64_t v_places;
SI v_places v_load_places(const uint32_t *p) { return *p; }
SI uint64_t v_look_up(const uint64_t *table, v_places i) { return table[i % FI_STEPS]; }
#endif

/* In each lane. GCC turns such a lane loop into one instruction when it stands alone, but within a kernel not always, and
 * one left in scalars halves the kernel's speed: x86 files therefore name their intrinsics (FI_X86: _mm256_ or _mm512_). */
#ifdef FI_X86
#define V_OP(v, intrinsic, expr, ...) { return FI_X86(intrinsic)(__VA_ARGS__); }
#else
#define V_OP(v, intrinsic, expr, ...) { v r = {0}; V_EACH(r, expr); return r; }
#endif
SI v_f32 v_fma_f32(v_f32 a, v_f32 b, v_f32 c) V_OP(v_f32, fmadd_ps, fmaf(AT(a), AT(b), AT(c)), a, b, c)
SI v_f64 v_fma_f64(v_f64 a, v_f64 b, v_f64 c) V_OP(v_f64, fmadd_pd, fma(AT(a), AT(b), AT(c)), a, b, c)
SI v_f32 v_sqrt_f32(v_f32 a) V_OP(v_f32, sqrt_ps, sqrtf(AT(a)), a)
SI v_f64 v_sqrt_f64(v_f64 a) V_OP(v_f64, sqrt_pd, sqrt(AT(a)), a)

/* From the next whole number up to x: x - ceil(x). */
#if FI_LANES == 16
SI v_f32 v_from_whole_f32(v_f32 x) { return _mm512_reduce_ps(x, _MM_FROUND_TO_POS_INF); }
SI v_f64 v_from_whole_f64(v_f64 x) { return _mm512_reduce_pd(x, _MM_FROUND_TO_POS_INF); }
#else
SI v_f32 v_ceil_f32(v_f32 a) V_OP(v_f32, ceil_ps, ceilf(AT(a)), a)
SI v_f64 v_ceil_f64(v_f64 a) V_OP(v_f64, ceil_pd, ceil(AT(a)), a)
SI v_f32 v_from_whole_f32(v_f32 x) { return x - v_ceil_f32(x); }
SI v_f64 v_from_whole_f64(v_f64 x) { return x - v_ceil_f64(x); }
#endif
#undef V_OP

/* condition ? a : b in each lane; in C, vectors have no ?: but comparisons give masks. */
#if FI_LANES == 1
#define V_SELECT(v, m, condition, a, b) { return (condition) ? (a) : (b); }
#else
#define V_SELECT(v, m, condition, a, b) { m mask = (condition); return (v)((mask & (m)(a)) | (~mask & (m)(b))); }
#endif
SI v_f32 v_where_neg_f32(v_i32 x, v_f32 a, v_f32 b) V_SELECT(v_f32, v_i32, x < 0, a, b)
SI v_f64 v_where_neg_f64(v_i64 x, v_f64 a, v_f64 b) V_SELECT(v_f64, v_i64, x < 0, a, b)
#ifdef FI_X86
#define V_CHOICE(v, m, op, intrinsic) { return FI_X86(intrinsic)(a, b); }
#else
#define V_CHOICE(v, m, op, intrinsic) V_SELECT(v, m, a op b, a, b)
#endif
SI v_f32 v_min_f32(v_f32 a, v_f32 b) V_CHOICE(v_f32, v_i32, <, min_ps)
SI v_f64 v_min_f64(v_f64 a, v_f64 b) V_CHOICE(v_f64, v_i64, <, min_pd)
SI v_f32 v_max_f32(v_f32 a, v_f32 b) V_CHOICE(v_f32, v_i32, >, max_ps)
SI v_f64 v_max_f64(v_f64 a, v_f64 b) V_CHOICE(v_f64, v_i64, >, max_pd)
#undef V_CHOICE
/* a - b, or 0 where b is larger, of numbers with bits in the highest 16 only. */
#ifdef FI_X86
SI v_u32 v_excess_f32(v_u32 a, v_u32 b) { return (v_u32)FI_X86(subs_epu16)((v_x86)a, (v_x86)b); }
SI v_u64 v_excess_f64(v_u64 a, v_u64 b) { return (v_u64)FI_X86(subs_epu16)((v_x86)a, (v_x86)b); }
#else
SI v_u32 v_excess_f32(v_u32 a, v_u32 b) V_SELECT(v_u32, v_u32, a > b, a - b, v_set_bits_f32(0))
SI v_u64 v_excess_f64(v_u64 a, v_u64 b) V_SELECT(v_u64, v_u64, a > b, a - b, v_set_bits_f64(0))
#endif
/* x == y ? a : b */
SI v_f32 v_where_equal_f32(v_f32 x, v_f32 y, v_f32 a, v_f32 b) V_SELECT(v_f32, v_i32, x == y, a, b)
SI v_f64 v_where_equal_f64(v_f64 x, v_f64 y, v_f64 a, v_f64 b) V_SELECT(v_f64, v_i64, x == y, a, b)
#undef V_SELECT

/* Bit l: whether lane l of the comparison holds. */
#if FI_LANES == 16
/* A mask as a number, by the instruction's name: where GCC 12 is short of registers, it stores two bytes of what a conversion
 * gives and loads four. */
SI unsigned v_bits_of_ps(__mmask16 mask) { unsigned r; __asm__("kmovw %1, %0" : "=r"(r) : "k"(mask)); return r; }
SI unsigned v_bits_of_pd(__mmask8 mask) { unsigned r; __asm__("kmovb %1, %0" : "=r"(r) : "k"(mask)); return r; }
#define V_BITS_OF(suffix, x, op, y, how) v_bits_of_##suffix(_mm512_cmp_##suffix##_mask(x, y, how))
#elif FI_LANES == 8
#define V_BITS_OF(suffix, x, op, y, how) (unsigned)_mm256_movemask_##suffix(_mm256_cmp_##suffix(x, y, how))
#elif FI_LANES == 1
#define V_BITS_OF(suffix, x, op, y, how) (unsigned)(x op y)
#else
SI unsigned v_bits_of_ps(v_i32 x) { unsigned r = 0; for (int l = 0; l < FI_LANES; l++) r |= (x[l] & 1u) << l; return r; }
SI unsigned v_bits_of_pd(v_i64 x) { unsigned r = 0; for (int l = 0; l < FI_LANES64; l++) r |= (x[l] & 1u) << l; return r; }
#define V_BITS_OF(suffix, x, op, y, how) v_bits_of_##suffix(x op y)
#endif
SI unsigned v_at_most_f32(v_f32 x, v_f32 y) { return V_BITS_OF(ps, x, <=, y, _CMP_LE_OQ); }
SI unsigned v_at_most_f64(v_f64 x, v_f64 y) { return V_BITS_OF(pd, x, <=, y, _CMP_LE_OQ); }
SI unsigned v_equal_f32(v_f32 x, v_f32 y) { return V_BITS_OF(ps, x, ==, y, _CMP_EQ_OQ); }
SI unsigned v_equal_f64(v_f64 x, v_f64 y) { return V_BITS_OF(pd, x, ==, y, _CMP_EQ_OQ); }
#undef V_BITS_OF

/* Of the states s, one vector of scalars and two of vectors: the high halves and the low ones, in the order of their words. */
#if FI_LANES == 1
SI v_u32 v_high_words(const v_u64 *s) { return (uint32_t)(*s >> 32); }
SI v_u32 v_low_words(const v_u64 *s) { return (uint32_t)*s; }
#elif FI_LANES == 16 /* one instruction each: saves a twentieth of a uniform fill */
SI v_u32 v_high_words(const v_u64 *s) { return (v_u32)_mm512_mask_shuffle_epi32((__m512i)s[1], 0x5555, (__m512i)s[0], 0xf5); }
SI v_u32 v_low_words(const v_u64 *s) { return (v_u32)_mm512_mask_shuffle_epi32((__m512i)s[0], 0xaaaa, (__m512i)s[1], 0xa0); }
#elif FI_LANES == 8
SI v_u32 v_high_words(const v_u64 *s) { return (v_u32)_mm256_shuffle_ps((__m256)s[0], (__m256)s[1], 0xdd); }
SI v_u32 v_low_words(const v_u64 *s) { return (v_u32)_mm256_shuffle_ps((__m256)s[0], (__m256)s[1], 0x88); }
#else
SI v_u32 v_high_words(const v_u64 *s) { return (v_u32)((s[0] >> 32) | (s[1] & 0xffffffff00000000u)); }
SI v_u32 v_low_words(const v_u64 *s) { return (v_u32)((s[0] & 0xffffffffu) | (s[1] << 32)); }
#endif
/* The word of the i-th state; DXSM's words of two 64-bit vectors of states in turns; and the states' step, power * s + plus. */
#if FI_LANES == 8 /* No products of 64 bits: those of high halves with low ones are made packed, for two vectors at once. And
                   * words lie by pairs, as one shuffle puts them: in turns would take a shift and a blend. */
SI size_t v_word_of_lane(size_t i) { return i / 2 % 2 * 4 + i / 4 * 2 + i % 2; }
SI v_u64 v_paired(v_u32 words) { return (v_u64)_mm256_shuffle_epi32((__m256i)words, 0xd8); }
SI void v_step(v_u64 *s, uint64_t power, const v_u64 *plus) {
    const v_u32 power_low = v_set_bits_f32((uint32_t)power), power_high = v_set_bits_f32((uint32_t)(power >> 32));
    const __m256i low = (__m256i)v_low_words(plus);
    const __m256i high = (__m256i)(v_high_words(s) * power_low + (v_low_words(s) * power_high + v_high_words(plus)));
    s[0] = (v_u64)_mm256_mul_epu32((__m256i)s[0], (__m256i)power_low) + (v_u64)_mm256_unpacklo_epi32(low, high);
    s[1] = (v_u64)_mm256_mul_epu32((__m256i)s[1], (__m256i)power_low) + (v_u64)_mm256_unpackhi_epi32(low, high);
}
#else
SI size_t v_word_of_lane(size_t i) { return FI_LANES == 1 ? 0 : i % FI_LANES64 * 2 + i / FI_LANES64; }
#if FI_LANES > 1
SI v_u64 v_paired(v_u32 words) { return (v_u64)words; }
#endif
SI void v_step(v_u64 *s, uint64_t power, const v_u64 *plus) {
    s[0] = s[0] * power + plus[0];
    if (FI_LANES > 1) s[1] = s[1] * power + plus[1];
}
#endif

/* The 16-bit halves of a's lanes, then of b's. */
#if FI_LANES == 16
/* pack_bf16 in 16-bit lanes: saves 7% of a uniform fill. What rounding adds is the carry of low + 0x7fff + (high & 1),
 * the highest bit of an average that rounds up. */
SI v_u32 v_pack_bf16(v_f32 a, v_f32 b) {
    const __m512i even = _mm512_set_epi16(
        62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32,
        30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i one = _mm512_set1_epi16(1), most = _mm512_set1_epi16(0x7ffe);
    const __m512i low = _mm512_permutex2var_epi16((__m512i)a, even, (__m512i)b);
    const __m512i high = _mm512_permutex2var_epi16((__m512i)a, _mm512_or_si512(even, one), (__m512i)b);
    const __m512i added = _mm512_or_si512(_mm512_and_si512(high, one), most);
    return (v_u32)_mm512_add_epi16(high, _mm512_srli_epi16(_mm512_avg_epu16(low, added), 15));
}
SI v_u32 v_pack_f16(v_f32 a, v_f32 b) {
    return (v_u32)_mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT)),
                                     _mm512_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT), 1);
}
#elif FI_LANES == 8
SI v_u32 v_high_halves(v_u32 a, v_u32 b) { /* the instruction packs within halves of the vector */
    return (v_u32)_mm256_permute4x64_epi64(_mm256_packus_epi32((__m256i)(a >> 16), (__m256i)(b >> 16)), 0xd8);
}
SI v_u32 v_pack_f16(v_f32 a, v_f32 b) {
    return (v_u32)_mm256_set_m128i(_mm256_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT),
                                   _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
#else
SI v_u32 v_low_halves(v_u32 a, v_u32 b) {
    const v_half halves[2] = {V_CAST(v_half, a), V_CAST(v_half, b)};
    v_u32 r;
    memcpy(&r, halves, sizeof r);
    return r;
}
SI v_u32 v_high_halves(v_u32 a, v_u32 b) { return v_low_halves(a >> 16, b >> 16); }
#endif

SI v_f32 v_convert_f32(v_i32 a) { return V_CAST(v_f32, a); }
SI v_f32 v_convert_exponent_f32(v_u32 a) { return V_CAST(v_f32, (v_i32)a); }

/* Exact for integers of at most 53 significant bits. */
SI v_f64 v_convert_f64(v_i64 a) {
#ifdef FI_CONVERT_BY_HALVES /* no instruction before AVX512DQ: each half as a mantissa, of 2^52 (1 + 2^-21) and of 2^52 */
    const v_f64 high = v_from_bits_f64(((v_u64)a >> 32) ^ 0x4330000080000000u);
    const v_f64 low = v_from_bits_f64(((v_u64)a & 0xffffffffu) | 0x4330000000000000u);
    return v_fma_f64(high, v_set_f64(0x1p32), v_set_f64(-(0x1p84 + 0x1p63 + 0x1p52))) + low;
#else
    return V_CAST(v_f64, a);
#endif
}

/* For the bits of an exponent: those of the mantissa and the sign are zeros. */
SI v_f64 v_convert_exponent_f64(v_u64 a) {
#ifdef FI_CONVERT_BY_HALVES /* as the mantissa of a number whose lowest bit is worth 2^52 */
    return v_from_bits_f64((a >> 52) | v_bits_f64(v_set_f64(0x1p104))) - 0x1p104;
#else
    return V_CAST(v_f64, (v_i64)a);
#endif
}

/* One 64-bit word from two consecutive 32-bit ones, the earlier one low. */
SI v_u64 v_pair_words(const uint32_t *w) {
#if FI_LANES == 1
    return (uint64_t)w[1] << 32 | w[0];
#else
    return v_load_u64(w);
#endif
}

/* Asks for the lines of memory that will be written. */
SI void v_fetch(const char *p, size_t bytes) {
#ifdef __GNUC__
    for (size_t i = 0; i < bytes; i += FI_LINE) __builtin_prefetch(p + i, 1);
#else
    (void)p, (void)bytes;
#endif
}

#ifdef __GNUC__
SI size_t v_count_bits(uint64_t x) { return (size_t)__builtin_popcountll(x); }
/* Any number below 64 if x is 0. */
SI size_t v_lowest_bit(uint64_t x) { return (size_t)__builtin_ctzll(x | (uint64_t)1 << 63); }
#else
SI size_t v_count_bits(uint64_t x) { size_t n = 0; for (; x; x &= x - 1) n++; return n; }
SI size_t v_lowest_bit(uint64_t x) { size_t i = 0; while (i < 63 && !(x >> i & 1)) i++; return i; }
#endif

/* Bits in memory: bit i is bit i % 8 of byte i / 8, on machines of any byte order. */
SI void v_store_bits(uint8_t *p, uint32_t bits, size_t bytes) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, &bits, bytes);
#else
    for (size_t i = 0; i < bytes; i++) p[i] = (uint8_t)(bits >> 8 * i);
#endif
}
/* The next 64 from bit i on, a multiple of 8; those from bit n on as zeros. */
SI uint64_t v_load_bits(const uint8_t *p, size_t i, size_t n) {
    uint64_t bits = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&bits, p + i / 8, sizeof bits);
#else
    for (size_t k = 0; k < sizeof bits; k++) bits |= (uint64_t)p[i / 8 + k] << 8 * k;
#endif
    return n - i < 64 ? bits & (((uint64_t)1 << (n - i)) - 1) : bits;
}

#if FI_LANES == 16
/* Those lanes of a whose bit is set to p, in order, and anything up to a vector; returns how many. Not the form that sets the
 * rest to zero: Zen 5 lets it wait for what its register held before, which takes a tenth of a truncated fill. */
SI size_t v_compress(uint32_t *p, v_u32 a, uint16_t bits) {
    _mm512_storeu_si512(p, _mm512_mask_compress_epi32((__m512i)a, bits, (__m512i)a));
    return v_count_bits(bits);
}

/* Of FI_LANES64 pairs, those whose bit is set, likewise; p and b may be the same memory. */
SI size_t v_compress_pairs(uint64_t *x, v_u64 a, uint32_t *p, const uint32_t *b, uint8_t bits) {
    const __m256i of_b = _mm256_loadu_si256((const __m256i *)b);
    _mm512_storeu_si512(x, _mm512_mask_compress_epi64((__m512i)a, bits, (__m512i)a));
    _mm256_storeu_si256((__m256i *)p, _mm256_mask_compress_epi32(of_b, bits, of_b));
    return v_count_bits(bits);
}

/* Every second bit, from the lowest on. */
SI unsigned v_even_bits(unsigned bits) { return _pext_u32(bits, 0x5555); }
#endif
