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

enum { FI_SPARE = 8 }; /* places that places() may write beyond those it counts */
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
    /* The normal transform that also tells, in bit i % 64 of rejected[i / 64], whether element i is outside [low, high]. */
    void (*truncated[FI_REAL_COUNT])(const fi_plan *plan, const uint32_t *words, size_t groups, void *out,
                                     uint64_t *rejected);
    /* Ascending, the places below n of set bits, each taken as exclusive or with `flip`; returns how many. May write, but
     * does not count, up to FI_SPARE more. */
    size_t (*places)(const uint64_t *bits, uint64_t flip, size_t n, uint16_t *index);
    /* x[to[i]] = candidates[from[i]] for i < n. */
    void (*replace[FI_REAL_COUNT])(void *x, const uint16_t *to, const void *candidates, const uint16_t *from, size_t n);
    /* x[index[i]] to the nearer bound, for i < n. */
    void (*clamp[FI_REAL_COUNT])(const fi_plan *plan, void *x, const uint16_t *index, size_t n);
    /* n elements of the kernel's type to the dtype's memory, kept within [least, most]. */
    void (*store[FI_DTYPE_COUNT])(const fi_plan *plan, const void *x, size_t n, void *out);
} fi_table;

/* NULL where the compiler does not target the ISA's processor. */
#define FI_TABLE(isa) extern const fi_table *const fi_table_##isa;
FI_ISAS(FI_TABLE)
#undef FI_TABLE

#endif
