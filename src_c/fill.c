/* From a plan to bytes: which table, where the words of an element are, blocks, rejection. ISA-free. */
#include <string.h>

#include "environment.h"
#include "pcg.h"
#include "tables.h"

const char *const fi_dist_names[] = {
#define NAME(name, ...) #name,
    FI_DISTS(NAME)};
const char *const fi_dtype_names[] = {FI_DTYPES(NAME)};
const char *const fi_isa_names[] = {FI_ISAS(NAME)};

static const fi_table *table_of(int isa) {
    const fi_table *const tables[] = {
#define TABLE(isa) fi_table_##isa,
        FI_ISAS(TABLE)};
    return tables[isa];
}

int fi_isa_available(int isa) {
    const fi_table *table = table_of(isa);
    return table && table->runs();
}

static const size_t dtype_sizes[] = {
#define SIZE(name, size) size,
    FI_DTYPES(SIZE)};

static enum fi_real real_of(const fi_plan *plan) { return plan->dtype == FI_f64 ? FI_REAL64 : FI_REAL32; }

/* Groups whose words are made before numbers are made from them: all of it stays in the first-level cache. */
enum { CHUNK_GROUPS = 32 };

/* A block's elements of the kernel's type; room for whole vectors behind the last. */
typedef union {
    _Alignas(64) float f32[FI_BLOCK + 16];
    double f64[FI_BLOCK + 8];
} block;

/* Everything that a fill carries from block to block. */
typedef struct {
    const fi_plan *plan;
    const fi_table *table;
    enum fi_real real;
    size_t real_size, group;    /* bytes of an element of the kernel's type; elements of a group */
    size_t span;                /* elements from one block to the next */
    fi_lanes main, redraw;      /* at the next group; at the redraws of the current block */
    fi_jump redraw_stride;      /* from one block's redraws to the next block's */
} stream;

/* Lanes at an element of one orbit. */
static void seed_at(const stream *s, fi_lanes *lanes, uint64_t state, uint64_t inc, uint64_t element) {
    inc |= 1;
    s->table->seed(lanes, fi_jump_by(state, inc, element / s->group * FI_GROUP), inc);
}

static void draw(const stream *s, fi_lanes *lanes, size_t groups, char *out, uint64_t *rejected) {
    _Alignas(64) uint32_t words[CHUNK_GROUPS * FI_GROUP];
    while (groups) {
        const size_t n = groups < CHUNK_GROUPS ? groups : CHUNK_GROUPS;
        s->table->words(lanes, words, n);
        if (rejected) s->table->truncated[s->real](s->plan, words, n, out, rejected);
        else s->table->transform[s->plan->dist][s->real](s->plan, words, n, out);
        if (rejected) rejected += n * s->group / 64;
        out += n * s->group * s->real_size;
        groups -= n;
    }
}

/* The accepted among the block's candidates, in order, take the places of the n first elements' rejected ones, in
 * order. */
static void redraw(const stream *s, const uint64_t *rejected, char *x, size_t n) {
    uint16_t where[FI_BLOCK + FI_SPARE], from[FI_BLOCK + FI_SPARE];
    const size_t open = s->table->places(rejected, 0, n, where);
    size_t next = 0;
    if (!open) return;
    fi_lanes lanes = s->redraw;
    block candidates;
    for (size_t drawn = 0; next < open && drawn < FI_REDRAWS;) {
        uint64_t outside[FI_BLOCK / 64];
        /* A few more than are open, so that for common bounds one round is enough; how many cannot show. */
        size_t groups = (open - next + (open - next) / 8) / s->group + 1, most = FI_BLOCK / s->group;
        if (groups > most) groups = most;
        draw(s, &lanes, groups, (char *)&candidates, outside);
        drawn += groups * s->group;
        size_t accepted = s->table->places(outside, ~(uint64_t)0, groups * s->group, from);
        if (accepted > open - next) accepted = open - next;
        s->table->replace[s->real](x, where + next, &candidates, from, accepted);
        next += accepted;
    }
    /* Beyond reach for any plan that plan.py makes; still in bounds. */
    s->table->clamp[s->real](s->plan, x, where + next, open - next);
}

/* Elements [from, to) of a block (a span, where nothing is rejected) to out. */
static void fill_block(stream *s, size_t from, size_t to, char *out) {
    const fi_plan *plan = s->plan;
    const int rejects = plan->dist == FI_trunc_normal;
    const size_t begin = rejects ? 0 : from / s->group * s->group;
    const size_t groups = (to - begin + s->group - 1) / s->group;
    block temporary;
    const int direct = dtype_sizes[plan->dtype] == s->real_size && begin == from && begin + groups * s->group == to;
    char *x = direct ? out : (char *)&temporary;
    uint64_t outside[FI_BLOCK / 64];
    draw(s, &s->main, groups, x, rejects ? outside : 0);
    if (rejects) {
        redraw(s, outside, x, to - begin);
        s->table->jump(&s->redraw, s->redraw_stride.power, s->redraw_stride.series * s->redraw.inc);
    }
    if (!direct) s->table->store[plan->dtype](plan, x + (from - begin) * s->real_size, to - from, out);
}

static void fill_constant(const fi_plan *plan, uint64_t n, char *out) {
    const size_t size = dtype_sizes[plan->dtype], bytes = (size_t)n * size;
    char pattern[64];
    for (size_t i = 0; i < sizeof pattern; i++) { /* by shifts, not by memory order: the same on big-endian machines */
        size_t k = i % size;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        k = size - 1 - k;
#endif
        pattern[i] = (char)(plan->bits >> (8 * k));
    }
    size_t i = 0;
    for (; bytes - i >= sizeof pattern; i += sizeof pattern) memcpy(out + i, pattern, sizeof pattern);
    memcpy(out + i, pattern, bytes - i);
}

static void fill_random(const fi_plan *plan, const fi_key *key, const fi_table *table, uint64_t start, uint64_t n,
                        char *out) {
    stream s = {.plan = plan, .table = table, .real = real_of(plan)};
    s.real_size = s.real == FI_REAL64 ? sizeof(double) : sizeof(float);
    s.group = FI_GROUP * sizeof(float) / s.real_size;
    const int rejects = plan->dist == FI_trunc_normal;
    s.span = rejects ? FI_BLOCK : CHUNK_GROUPS * s.group;
    seed_at(&s, &s.main, key->state, key->inc, rejects ? start / FI_BLOCK * FI_BLOCK : start);
    if (rejects) {
        /* Redraws are elements of the redraw orbit, FI_REDRAWS for each block. */
        seed_at(&s, &s.redraw, key->redraw_state, key->redraw_inc, start / FI_BLOCK * FI_REDRAWS);
        s.redraw_stride = fi_jump_of((uint64_t)FI_REDRAWS / s.group * FI_GROUP);
    }
    for (uint64_t i = start, end = start + n; i < end;) {
        size_t from = i % s.span, left = s.span - from, count = end - i < left ? (size_t)(end - i) : left;
        fill_block(&s, from, from + count, out);
        out += count * dtype_sizes[plan->dtype];
        i += count;
    }
}

void fi_fill(const fi_plan *plan, const fi_key *key, int isa, uint64_t start, uint64_t n, void *out) {
    const fi_environment caller = fi_environment_default();
    if (plan->dist == FI_constant) fill_constant(plan, n, out);
    else if (n) fill_random(plan, key, table_of(isa), start, n, out);
    fi_environment_restore(caller);
}

void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out) {
    const fi_table *table = table_of(isa);
    const uint64_t inc = key->inc | 1;
    fi_lanes lanes;
    table->seed(&lanes, fi_jump_by(key->state, inc, start), inc);
    size_t whole = n / FI_GROUP * FI_GROUP;
    table->words(&lanes, out, whole / FI_GROUP);
    uint32_t last[FI_GROUP];
    table->words(&lanes, last, 1);
    memcpy(out + whole, last, (n - whole) * sizeof *last);
}

void fi_transform(const fi_plan *plan, int isa, const uint32_t *words, size_t groups, void *out) {
    const fi_environment caller = fi_environment_default();
    table_of(isa)->transform[plan->dist][real_of(plan)](plan, words, groups, out);
    fi_environment_restore(caller);
}
