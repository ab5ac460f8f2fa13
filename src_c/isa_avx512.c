#include "tables.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include "target.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>

static int supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

#ifdef __clang__
#define AVX512 "avx512f,avx512bw,avx512dq,avx512vl,fma,bmi,bmi2,popcnt"
#else /* GCC would cut lane loops into 256-bit halves */
#define AVX512 "avx512f,avx512bw,avx512dq,avx512vl,fma,bmi,bmi2,popcnt,prefer-vector-width=512"
#endif
FI_TARGET_BEGIN(AVX512)
#define FI_LANES 16
#define FI_X86(name) _mm512_##name
typedef __m512i v_x86;
#include "table.inc.h"
FI_TARGET_END
const fi_table *const fi_table_avx512 = &table;

static int supported_vbmi2(void) { return supported() && __builtin_cpu_supports("avx512vbmi2"); }

FI_TARGET_BEGIN(AVX512 ",avx512vbmi2")
/* From VBMI2 on (Ice Lake, Zen 4) one instruction packs the places of 64 elements, as bytes: saves 6% of a truncated fill. */
static size_t places_vbmi2(const uint8_t *bits, size_t n, uint32_t *index) {
    uint8_t bytes[64];
    for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (uint8_t)k;
    const __m512i all = _mm512_loadu_si512(bytes);
    size_t found = 0;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t left = v_load_bits(bits, i, n);
        const __m512i packed = _mm512_mask_compress_epi8(all, left, all), first = _mm512_set1_epi32((int)i);
        const size_t count = v_count_bits(left);
        _mm512_storeu_si512(index + found, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed))));
        if (count > 16) { /* seldom, or nearly always */
            _mm512_storeu_si512(bytes, packed);
            for (size_t k = 16; k < 64; k += 16) {
                const __m128i more = _mm_loadu_si128((const __m128i *)(bytes + k));
                _mm512_storeu_si512(index + found + k, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(more)));
            }
        }
        found += count;
    }
    return found;
}
FI_TARGET_END
static const fi_table table_vbmi2 = FI_TABLE_OF(supported_vbmi2, places_vbmi2);
const fi_table *const fi_table_avx512vbmi2 = &table_vbmi2;
#else
const fi_table *const fi_table_avx512 = 0, *const fi_table_avx512vbmi2 = 0;
#endif
