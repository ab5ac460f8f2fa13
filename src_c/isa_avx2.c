#include "tables.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include "target.h"
#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

static int supported(void) {
    unsigned a, b, c = 0, d; /* __builtin_cpu_supports does not know f16c before GCC 11 */
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

FI_TARGET_BEGIN("avx2,fma,f16c,bmi,popcnt")
#define FI_LANES 8
#define FI_CONVERT_BY_HALVES
#define FI_X86(name) _mm256_##name
typedef __m256i v_x86;
#include "table.inc.h"
FI_TARGET_END
const fi_table *const fi_table_avx2 = &table;
#else
const fi_table *const fi_table_avx2 = 0;
#endif
