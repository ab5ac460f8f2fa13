#include "tables.h"
#if defined(__x86_64__) && defined(__GNUC__)
#include "target.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>

static int runs(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

#ifdef __clang__
FI_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi,bmi2,popcnt")
#else /* GCC would cut lane loops into 256-bit halves */
FI_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,fma,bmi,bmi2,popcnt,prefer-vector-width=512")
#endif
#define FI_LANES 16
#define FI_X86(name) _mm512_##name
#include "kernels.inc.h"
FI_TARGET_END
const fi_table *const fi_table_avx512 = &table;
#else
const fi_table *const fi_table_avx512 = 0;
#endif
