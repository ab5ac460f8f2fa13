/* From a plan to bytes: which table, where on the orbits the words of a run are, chunks, rejects. Knows no ISA. */
#include <string.h>

#include "environment.h"
#include "pcg.h"
#include "tables.h"

const char *const fi_dist_names[] = {
#define NAME(name, ...) #name,
    FI_DISTS(NAME)};
const char *const fi_dtype_names[] = {FI_DTYPES(NAME)};
const char *const fi_isa_names[] = {FI_ISAS(NAME)};

const fi_table *fi_table_of(int isa) {
    const fi_table *const tables[] = {
#define TABLE(isa) fi_table_##isa,
        FI_ISAS(TABLE)};
    return tables[isa];
}

int fi_isa_available(int isa) {
    const fi_table *table = fi_table_of(isa);
    return table && table->supported();
}

static enum fi_real real_of(int dtype) { return dtype == FI_f64 ? FI_REAL64 : FI_REAL32; }

enum { GROUPS = FI_WORDS / FI_GROUP };

/* Steps of one orbit as one affine map: state -> power * state + plus. */
typedef struct {
    uint64_t power, plus;
} step;

static step step_of(uint64_t words, uint64_t inc) {
    const fi_jump j = fi_jump_of(words);
    return (step){j.power, j.series * inc};
}

static uint64_t stepped(step by, uint64_t state) { return by.power * state + by.plus; }

/* Everything that a fill carries along. */
typedef struct {
    const fi_plan *plan;
    const fi_table *table;
    enum fi_real real;
    size_t size, real_size;        /* bytes of an element of the dtype and of the kernel's type */
    size_t group, chunk;           /* elements of a group and of a chunk */
    int rejects, nontemporal;
    fi_lanes lanes;                /* at the next group */
    uint64_t redraw, redraw_inc;   /* the state of the first redraw of the next group's first element */
    fi_steps fine, coarse, top;    /* of the redraws: over i elements, FI_STEPS * i, FI_STEPS^2 * i */
    step over_chunk;               /* of the redraws too */
} filling;

/* i times the step for i < n; returns n times the step. */
static step multiples(fi_steps *steps, size_t n, step one) {
    step sum = {1, 0};
    for (size_t i = 0; i < n; i++) {
        steps->power[i] = sum.power;
        steps->plus[i] = sum.plus;
        sum = (step){sum.power * one.power, stepped(one, sum.plus)};
    }
    return sum;
}

/* Elements [from, to) of the next chunk, of the kernel's type, to x + from. They will be written to out, and `more` after them.
 * Memory is slow to answer, and idle while rejects are redrawn: so out's lines are asked for a block ahead, or two blocks of
 * 16-bit elements. */
static void draw_truncated(filling *f, size_t from, size_t to, uint64_t more, char *x, const char *out) {
    const fi_table *table = f->table;
    const int dist = f->plan->dist;
    const size_t block = GROUPS * f->group;
    const uint64_t bytes = (to - from + more) * f->size;
    _Alignas(64) uint32_t words[FI_WORDS];
    _Alignas(FI_LINE) uint8_t rejected[FI_CHUNK / 8];
    for (size_t i = 0; i < to; i += block) {
        size_t groups = (to - i + f->group - 1) / f->group;
        if (groups > GROUPS) groups = GROUPS;
        table->words(&f->lanes, words, groups);
        char *const here = x + i * f->real_size;
        const size_t next = (i + block - from) * f->size;
        const int ahead = next + block * f->real_size <= bytes; /* else lines that are written now */
        table->propose[dist][f->real](f->plan, words, groups, here, rejected + i / 8, ahead ? out + next : here);
    }
    for (size_t i = 0; i < from; i++) rejected[i / 8] &= (uint8_t)~(1u << i % 8); /* from is less than a group */
    _Alignas(FI_LINE) uint64_t states[FI_STEPS];
    for (size_t i = 0; i < FI_STEPS; i++) states[i] = f->top.power[i] * f->redraw + f->top.plus[i];
    fi_rejects rejects;
    rejects.inc = f->redraw_inc;
    const int rounds = FI_REDRAW_WORDS / (f->real == FI_REAL64 ? 4 : 2);
    /* From the last batch to the first: redraw fills up a batch's last vector with copies, over the head of the next batch. */
    for (size_t n = table->places(rejected, to, rejects.where), first; n; n = first) {
        first = (n - 1) / FI_BATCH * FI_BATCH;
        size_t left = n - first;
        table->locate(&rejects, first, left, states, &f->coarse, &f->fine);
        for (int round = 0; left && round < rounds; round++) {
            left = table->redraw[dist][f->real](f->plan, &rejects, first, left, x);
        }
    }
}

/* Elements [from, to) of the next chunk to out, and `more` follow. By ordinary stores: rejected elements are written twice, so
 * non-temporal ones would need a copy, which takes the time that they save. */
static void fill_truncated(filling *f, size_t from, size_t to, uint64_t more, char *out) {
    _Alignas(FI_LINE) char temporary[(FI_CHUNK + FI_SPARE) * sizeof(float)]; /* of f64 nothing is read behind the end */
    const int direct = f->size == f->real_size && from == 0 && to % f->group == 0;
    char *x = direct ? out : temporary;
    draw_truncated(f, from, to, more, x, out);
    f->redraw = stepped(f->over_chunk, f->redraw);
    if (!direct) f->table->store[f->plan->dtype](f->plan, x + from * f->real_size, to - from, out);
}

/* n truncated elements to out, from element `from` of the next group on. */
static void fill_chunks(filling *f, size_t from, uint64_t n, char *out) {
    for (uint64_t end = from + n; from < end; from = 0) {
        const size_t to = end < f->chunk ? (size_t)end : f->chunk;
        fill_truncated(f, from, to, end - to, out);
        out += (to - from) * f->size;
        end -= to;
    }
}

/* Elements [from, to) of the next group to out, by way of a copy. */
static void fill_within(filling *f, size_t from, size_t to, char *out) {
    _Alignas(FI_LINE) uint32_t words[FI_GROUP];
    _Alignas(FI_LINE) char temporary[FI_GROUP * sizeof(float)];
    f->table->words(&f->lanes, words, 1);
    f->table->write[f->plan->dist][f->plan->dtype](f->plan, words, 1, temporary, 0);
    memcpy(out, temporary + from * f->size, (to - from) * f->size);
}

/* To memory what is pending: non-temporal stores write whole lines, and have left the start of the line that out lies in to
 * those that would complete it. It is the end of `before`, see fi_write_fn. */
static void write_pending(const fi_table *table, const char *before, char *out) {
    const size_t pending = (uintptr_t)out % table->nontemporal_bytes;
    memcpy(out - pending, before + table->nontemporal_bytes - pending, pending);
}

/* How many groups of so many to make first. Stores that cross lines, as those to NumPy's arrays do, take Granite Rapids 1.2 times
 * as long from the second-level cache on, if the one into the next page is a block's last rather than one of its first: so of
 * many groups the first block ends with a page. */
static size_t first_block(const filling *f, uint64_t groups, const char *out) {
    enum { PAGE = 4096, MANY = 8 * GROUPS };
    const size_t to_end = (PAGE - 1 - (uintptr_t)out % PAGE) / (f->group * f->size);
    return groups > MANY && to_end && to_end < GROUPS ? to_end : GROUPS;
}

/* The next groups to out. Where stores are to be non-temporal, ordinary ones write the first group, whose last bytes are what
 * the next write starts with and then hands on to the one after it. */
static void fill_groups(filling *f, uint64_t groups, char *out) {
    _Alignas(FI_LINE) uint32_t words[FI_WORDS];
    _Alignas(FI_LINE) char line[FI_LINE], *before = 0;
    fi_write_fn *const write = f->table->write[f->plan->dist][f->plan->dtype];
    const size_t bytes = f->nontemporal && (uintptr_t)out % 16 == 0 ? f->table->nontemporal_bytes : 0;
    size_t most = bytes ? 1 : first_block(f, groups, out);
    for (size_t n; groups; groups -= n, most = GROUPS) {
        n = groups < most ? (size_t)groups : most;
        f->table->words(&f->lanes, words, n);
        write(f->plan, words, n, out, before);
        out += n * f->group * f->size;
        if (bytes && !before) before = memcpy(line, out - bytes, bytes);
    }
    if (before) write_pending(f->table, before, out);
}

/* n elements to out, from element `from` of the next group on. */
static void fill_run(filling *f, size_t from, uint64_t n, char *out) {
    if (f->rejects) {
        fill_chunks(f, from, n, out);
        return;
    }
    if (from) {
        const size_t to = n < f->group - from ? from + (size_t)n : f->group;
        fill_within(f, from, to, out);
        out += (to - from) * f->size;
        n -= to - from;
    }
    const size_t rest = n % f->group;
    if (n >= f->group) fill_groups(f, n / f->group, out);
    if (rest) fill_within(f, 0, rest, out + (n - rest) * f->size);
}

/* memcpy, whose call would take as long as a short row does. */
static inline void copy(char *to, const char *from, size_t n) {
    for (; n >= FI_LINE; n -= FI_LINE, to += FI_LINE, from += FI_LINE) memcpy(to, from, FI_LINE);
    memcpy(to, from, n);
}

/* Short runs that follow one another in the stream: made as one, a chunk at a time, and copied to where they belong. */
static void fill_rows(filling *f, size_t from, const fi_runs *runs, char *out) {
    _Alignas(FI_LINE) char temporary[FI_CHUNK * sizeof(float)];
    size_t column = 0, length = (size_t)runs->length;
    for (uint64_t left = runs->length * runs->count; left;) {
        const size_t n = left < f->chunk - from ? (size_t)left : f->chunk - from;
        fill_run(f, from, n, temporary);
        for (size_t i = 0, part; i < n; i += part) {
            part = n - i < length - column ? n - i : length - column;
            copy(out + column * f->size, temporary + i * f->size, part * f->size);
            column += part;
            if (column == length) {
                column = 0;
                out += runs->pitch;
            }
        }
        left -= n;
        from = 0;
    }
}

static void fill_random(const fi_plan *plan, const fi_key *key, const fi_runs *runs, const fi_table *table,
                        int nontemporal, char *out) {
    filling f = {.plan = plan, .table = table, .real = real_of(plan->dtype), .size = fi_dtype_size(plan->dtype),
                 .nontemporal = nontemporal, .redraw_inc = key->redraw_inc | 1};
    f.rejects = plan->dist != FI_uniform && plan->dist != FI_normal;
    f.real_size = f.real == FI_REAL64 ? sizeof(double) : sizeof(float);
    f.group = FI_GROUP * sizeof(float) / f.real_size;
    if (plan->dist == FI_trunc_narrow || plan->dist == FI_trunc_tail) f.group /= 2;
    f.chunk = FI_CHUNK * sizeof(float) / f.real_size;
    const uint64_t inc = key->inc | 1, first = runs->start / f.group;
    size_t from = runs->start % f.group;
    table->seed(&f.lanes, fi_jump_by(key->state, inc, first * FI_GROUP), inc);
    if (f.rejects) {
        f.redraw = fi_jump_by(key->redraw_state, f.redraw_inc, first * f.group * FI_REDRAW_STRIDE);
        const step row = multiples(&f.fine, FI_STEPS, step_of(FI_REDRAW_STRIDE, f.redraw_inc));
        f.over_chunk = multiples(&f.top, f.chunk / (FI_STEPS * FI_STEPS), multiples(&f.coarse, FI_STEPS, row));
    }
    if (runs->count > 1 && runs->stride == runs->length && runs->length < FI_WORDS) {
        f.nontemporal = 0;
        fill_rows(&f, from, runs, out);
        return;
    }
    /* From one run to the next it is either so many groups or one more. */
    fi_lanes lanes = f.lanes;
    uint64_t redraw = f.redraw;
    step forward[2], forward_redraw[2];
    if (runs->count > 1) {
        for (int more = 0; more < 2; more++) {
            const uint64_t groups = runs->stride / f.group + more;
            forward[more] = step_of(groups * FI_GROUP, inc);
            forward_redraw[more] = step_of(groups * f.group * FI_REDRAW_STRIDE, f.redraw_inc);
        }
    }
    for (uint64_t j = 0;;) {
        fill_run(&f, from, runs->length, out);
        if (++j == runs->count) break;
        out += runs->pitch;
        from += runs->stride % f.group;
        const int more = from >= f.group;
        from -= more * f.group;
        table->jump(&lanes, forward[more].power, forward[more].plus);
        f.lanes = lanes;
        f.redraw = redraw = stepped(forward_redraw[more], redraw);
    }
}

static void fill_constant(const fi_plan *plan, const fi_runs *runs, const fi_table *table, int nontemporal, char *out) {
    const size_t size = fi_dtype_size(plan->dtype), bytes = (size_t)runs->length * size;
    _Alignas(FI_LINE) char pattern[FI_LINE];
    for (size_t i = 0; i < sizeof pattern; i++) { /* by shifts, not by memory order: the same on big-endian machines */
        size_t k = i % size;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        k = size - 1 - k;
#endif
        pattern[i] = (char)(plan->bits >> (8 * k));
    }
    const size_t lines = bytes / FI_LINE;
    for (uint64_t j = 0; j < runs->count; j++) {
        if (j) out += runs->pitch;
        char *end = out + lines * FI_LINE;
        memcpy(end, pattern, bytes % FI_LINE);
        if (nontemporal && lines > 1 && (uintptr_t)out % 16 == 0) {
            memcpy(out, pattern, FI_LINE);
            table->constant(pattern, lines - 1, out + FI_LINE, 1);
            write_pending(table, pattern, end);
        } else if (lines > 16) table->constant(pattern, lines, out, 0);
        else for (size_t i = 0; i < lines; i++) memcpy(out + i * FI_LINE, pattern, FI_LINE);
    }
}

void fi_fill(const fi_plan *plan, const fi_key *key, const fi_runs *runs, int isa, int nontemporal, void *out) {
    if (!runs->length || !runs->count) return;
    const fi_environment caller = fi_environment_default();
    const fi_table *table = fi_table_of(isa);
    nontemporal = nontemporal && table->nontemporal_bytes;
    if (plan->dist == FI_constant) fill_constant(plan, runs, table, nontemporal, out);
    else fill_random(plan, key, runs, table, nontemporal, out);
    if (nontemporal) fi_fence();
    fi_environment_restore(caller);
}

void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out) {
    const fi_table *table = fi_table_of(isa);
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
    fi_write_fn *const write = fi_table_of(isa)->write[plan->dist][plan->dtype];
    const size_t size = fi_dtype_size(plan->dtype), bytes = FI_GROUP * (size < sizeof(float) ? size : sizeof(float));
    for (size_t g = 0; g < groups; g += GROUPS) {
        write(plan, words + g * FI_GROUP, groups - g < GROUPS ? groups - g : GROUPS, (char *)out + g * bytes, 0);
    }
    fi_environment_restore(caller);
}
