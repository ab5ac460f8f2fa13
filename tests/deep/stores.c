/* The kernels' stores alone, for exhaustive.py, which loads them by ctypes. */
#include "tables.h"

__attribute__((visibility("default"))) void store(int isa, int dtype, double most, const float *x, size_t n, void *out) {
    const fi_table *const tables[] = {
#define TABLE(isa) fi_table_##isa,
        FI_ISAS(TABLE)};
    const fi_plan plan = {.dtype = dtype, .least = -most, .most = most};
    enum { STEP = 4096 };
    _Alignas(64) static _Thread_local float part[STEP + FI_SPARE];
    for (size_t i = 0; i < n; i += STEP) {
        const size_t count = n - i < STEP ? n - i : STEP;
        for (size_t k = 0; k < count; k++) part[k] = x[i + k];
        tables[isa]->store[dtype](&plan, part, count, (char *)out + 2 * i);
    }
}
