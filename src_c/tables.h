/* What each ISA file provides to fill.c: the kernels over whole groups of FI_GROUP words. */
#ifndef FI_TABLES_H
#define FI_TABLES_H

#include "fastinit.h"

/* FI_GROUP states that leapfrog: lane l holds the state of word l of the next group, in an order that only the ISA's own
 * kernels know. */
typedef struct {
    _Alignas(64) uint64_t state[FI_GROUP];
    uint64_t inc;
} fi_lanes;

enum fi_real { FI_REAL32, FI_REAL64, FI_REAL_COUNT };

typedef void fi_transform_fn(const fi_plan *plan, const uint32_t *words, size_t groups, void *out);

typedef struct {
    int (*runs)(void); /* whether this CPU and its system do */
    /* The lanes of the group whose first word comes from this state. */
    void (*seed)(fi_lanes *lanes, uint64_t state, uint64_t inc);
    /* Every lane by the affine map: power * state + plus. */
    void (*jump)(fi_lanes *lanes, uint64_t power, uint64_t plus);
    void (*words)(fi_lanes *lanes, uint32_t *out, size_t groups);
    fi_transform_fn *transform[FI_DIST_COUNT][FI_REAL_COUNT];
    /* Bit i % 64 of rejected[i / 64]: whether x[i] is outside [low, high]; n is a multiple of 64. */
    void (*outside[FI_REAL_COUNT])(const fi_plan *plan, const void *x, size_t n, uint64_t *rejected);
    /* Candidates inside [low, high], in order, to x[index[next]], x[index[next + 1]], ... below end; returns the new next. */
    size_t (*accept[FI_REAL_COUNT])(const fi_plan *plan, const void *candidates, size_t n, void *x, const uint16_t *index,
                                    size_t next, size_t end);
    void (*clamp[FI_REAL_COUNT])(const fi_plan *plan, void *x, const uint16_t *index, size_t n);
    /* n elements of the kernel's type to the dtype's memory, kept within [least, most]. */
    void (*store[FI_DTYPE_COUNT])(const fi_plan *plan, const void *x, size_t n, void *out);
} fi_table;

/* NULL where the compiler does not target the ISA's processor. */
#define FI_TABLE(isa) extern const fi_table *const fi_table_##isa;
FI_ISAS(FI_TABLE)
#undef FI_TABLE

#endif
