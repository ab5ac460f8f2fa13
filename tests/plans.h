/* Plans to try the C core with. */
#ifndef PLANS_H
#define PLANS_H

#include "fastinit.h"

static inline void fill(const fi_plan *plan, const fi_key *key, int isa, uint64_t start, uint64_t n, int nontemporal,
                        void *out) {
    const fi_runs runs = {.start = start, .length = n, .count = 1};
    fi_fill(plan, key, &runs, isa, nontemporal, out);
}

/* A plan of each distribution, with numbers that every dtype holds; truncation keeps about [-0.75, 1.25]. */
static inline fi_plan plan_of(int dist, int dtype) {
    fi_plan plan = {.dist = dist, .dtype = dtype, .scale = 0.5, .shift = 0.25, .low = -0.75, .high = 1.25,
                    .least = -0.75, .most = 1.25, .curve = 4, .slope = -1, .bits = 0x3fb999999999999au};
    if (dist == FI_uniform || dist == FI_trunc_narrow) plan.scale = dtype == FI_f64 ? 0x1p-52 : 0x1p-23;
    if (dist == FI_trunc_narrow) plan.curve = 4 * plan.scale * plan.scale, plan.slope = 0; /* in steps of the uniform value */
    if (dist == FI_trunc_tail) plan.shift = -0.75, plan.curve = 0.25;
    return plan;
}

/* Bounds that are each other's negatives, which kernels know, and so narrow that a chunk has several batches of rejects. */
static inline fi_plan symmetric_of(int dtype) {
    fi_plan plan = plan_of(FI_trunc_normal, dtype);
    plan.shift = 0;
    plan.high = plan.most = 0.0625;
    plan.low = plan.least = -0.0625;
    return plan;
}

#endif
