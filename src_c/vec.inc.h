/* The lane types and operations that the kernels are written in. No include guard: kernels.inc.h includes it once for
 * each ISA file, which has set FI_LANES, the number of 32-bit lanes in a native vector (1: plain scalars).
 *
 * Vectors are GCC/Clang generic vectors of the ISA's own width; a wider one would be split, and GCC splits comparisons
 * into single lanes. `+ - * & | ^ << >>` are the language's. With FI_LANES 1 the same text is ordinary C. */

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
typedef uint16_t v_u16;
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
typedef V(uint16_t, 2 * FI_LANES) v_u16;
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
V_MEMORY(v_u16, u16)
#undef V_MEMORY

SI v_f32 v_set_f32(float x) { v_f32 r; V_EACH(r, x); return r; }
SI v_f64 v_set_f64(double x) { v_f64 r; V_EACH(r, x); return r; }

/* In each lane. GCC turns such a lane loop into one instruction when it stands alone, but within a kernel not always, and
 * one left in scalars halves the kernel's speed: x86 files therefore name their intrinsics (FI_X86: _mm256_ or _mm512_). */
#ifdef FI_X86
#define V_OP(v, intrinsic, expr, ...) { return FI_X86(intrinsic)(__VA_ARGS__); }
#else
#define V_OP(v, intrinsic, expr, ...) { v r; V_EACH(r, expr); return r; }
#endif
SI v_f32 v_fma_f32(v_f32 a, v_f32 b, v_f32 c) V_OP(v_f32, fmadd_ps, fmaf(AT(a), AT(b), AT(c)), a, b, c)
SI v_f64 v_fma_f64(v_f64 a, v_f64 b, v_f64 c) V_OP(v_f64, fmadd_pd, fma(AT(a), AT(b), AT(c)), a, b, c)
SI v_f32 v_sqrt_f32(v_f32 a) V_OP(v_f32, sqrt_ps, sqrtf(AT(a)), a)
SI v_f64 v_sqrt_f64(v_f64 a) V_OP(v_f64, sqrt_pd, sqrt(AT(a)), a)
SI v_f32 v_min_f32(v_f32 a, v_f32 b) V_OP(v_f32, min_ps, AT(a) < AT(b) ? AT(a) : AT(b), a, b)
SI v_f64 v_min_f64(v_f64 a, v_f64 b) V_OP(v_f64, min_pd, AT(a) < AT(b) ? AT(a) : AT(b), a, b)
SI v_f32 v_max_f32(v_f32 a, v_f32 b) V_OP(v_f32, max_ps, AT(a) > AT(b) ? AT(a) : AT(b), a, b)
SI v_f64 v_max_f64(v_f64 a, v_f64 b) V_OP(v_f64, max_pd, AT(a) > AT(b) ? AT(a) : AT(b), a, b)
#undef V_OP

/* condition ? a : b in each lane; in C, vectors have no ?: but comparisons give masks. */
#if FI_LANES == 1
#define V_SELECT(v, m, condition, a, b) { return (condition) ? (a) : (b); }
#else
#define V_SELECT(v, m, condition, a, b) { m mask = (condition); return (v)((mask & (m)(a)) | (~mask & (m)(b))); }
#endif
SI v_f32 v_where_neg_f32(v_i32 x, v_f32 a, v_f32 b) V_SELECT(v_f32, v_i32, x < 0, a, b)
SI v_f64 v_where_neg_f64(v_i64 x, v_f64 a, v_f64 b) V_SELECT(v_f64, v_i64, x < 0, a, b)
SI v_i32 v_min_int_f32(v_i32 a, v_i32 b) V_SELECT(v_i32, v_i32, a < b, a, b)
SI v_i64 v_min_int_f64(v_i64 a, v_i64 b) V_SELECT(v_i64, v_i64, a < b, a, b)
#undef V_SELECT

/* Bit l: whether lane l of a comparison holds. */
#if FI_LANES == 1
SI unsigned v_mask_f32(int x) { return (unsigned)x; }
SI unsigned v_mask_f64(int x) { return (unsigned)x; }
#else
#if FI_LANES == 16
SI unsigned v_mask_f32(v_i32 x) { return _mm512_movepi32_mask((__m512i)x); }
SI unsigned v_mask_f64(v_i64 x) { return _mm512_movepi64_mask((__m512i)x); }
#elif FI_LANES == 8
SI unsigned v_mask_f32(v_i32 x) { return (unsigned)_mm256_movemask_ps((__m256)x); }
SI unsigned v_mask_f64(v_i64 x) { return (unsigned)_mm256_movemask_pd((__m256d)x); }
#else
SI unsigned v_mask_f32(v_i32 x) { unsigned r = 0; for (int l = 0; l < FI_LANES; l++) r |= (x[l] & 1u) << l; return r; }
SI unsigned v_mask_f64(v_i64 x) { unsigned r = 0; for (int l = 0; l < FI_LANES64; l++) r |= (x[l] & 1u) << l; return r; }
#endif
#endif

SI v_f32 v_convert_f32(v_i32 a) { return V_CAST(v_f32, a); }
SI v_f32 v_convert_small_f32(v_i32 a) { return V_CAST(v_f32, a); }

/* Exact for integers of at most 53 significant bits. */
SI v_f64 v_convert_f64(v_i64 a) {
#ifdef FI_CONVERT_BY_HALVES /* no instruction before AVX512DQ: each half by the exponent of 2^52, then one exact fma */
    v_f64 high = v_from_bits_f64(((v_u64)a >> 32) ^ 0x4330000080000000u) - (0x1p52 + 0x1p31);
    v_f64 low = v_from_bits_f64(((v_u64)a & 0xffffffffu) | 0x4330000000000000u) - 0x1p52;
    return v_fma_f64(high, v_set_f64(0x1p32), low);
#else
    return V_CAST(v_f64, a);
#endif
}

/* For |a| < 2^51. */
SI v_f64 v_convert_small_f64(v_i64 a) {
#ifdef FI_CONVERT_BY_HALVES
    return v_from_bits_f64((v_u64)a + 0x4338000000000000u) - 0x1.8p52;
#else
    return V_CAST(v_f64, a);
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

#ifdef __GNUC__
SI size_t v_count_bits(uint64_t x) { return (size_t)__builtin_popcountll(x); }
/* Any number below 64 if x is 0. */
SI size_t v_lowest_bit(uint64_t x) { return (size_t)__builtin_ctzll(x | (uint64_t)1 << 63); }
#else
SI size_t v_count_bits(uint64_t x) { size_t n = 0; for (; x; x &= x - 1) n++; return n; }
SI size_t v_lowest_bit(uint64_t x) { size_t i = 0; while (i < 63 && !(x >> i & 1)) i++; return i; }
#endif
