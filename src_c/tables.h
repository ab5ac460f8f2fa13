/* What each ISA file provides to fill.c: its kernels, which make words by whole groups of FI_GROUP. */
#ifndef FI_TABLES_H
#define FI_TABLES_H

#include "fastinit.h"

/* The states of the next group's words, one a lane; a step takes each to its word of the group after. Which lane has which word
 * only the ISA's own kernels know. */
typedef struct {
    _Alignas(64) uint64_t state[FI_GROUP];
    uint64_t inc;
} fi_lanes;

enum {
    FI_LINE = 64,    /* bytes of a cache line, and of the widest vector */
    FI_WORDS = 1024, /* words that are made, then turned into numbers, at a time */
    FI_CHUNK = 4096, /* elements of f32, half as many of f64, made in one go: with words and rejects 24 to 40 KiB of cache */
    FI_BATCH = 2048, /* rejects that are redrawn in one go, more than truncation.py's plans have in a chunk */
    FI_STEPS = 16,   /* base of the three digits that a place in a chunk has: a table of steps for each digit */
    FI_SPARE = 64,   /* elements behind the end of a list that kernels may read and write */
};
_Static_assert(FI_CHUNK <= FI_STEPS * FI_STEPS * FI_STEPS && FI_CHUNK % (2 * FI_STEPS * FI_STEPS) == 0,
               "three digits tell any place in a chunk, and chunks of f32 and of f64 end where the first digit changes");
enum fi_real { FI_REAL32, FI_REAL64, FI_REAL_COUNT };

/* The rejected elements of a chunk: the place of each in the chunk and, of a batch of them, the state that its next redraw
 * comes from, on the orbit of increment inc. */
typedef struct {
    _Alignas(64) uint64_t state[FI_BATCH + FI_SPARE];
    uint32_t where[FI_CHUNK + FI_SPARE];
    uint64_t inc;
} fi_rejects;

/* Affine maps, each so many steps along an orbit: state -> power * state + plus. */
typedef struct {
    _Alignas(64) uint64_t power[FI_STEPS], plus[FI_STEPS];
} fi_steps;

/* Words, at most FI_WORDS, to elements of the plan's dtype: without `before` by ordinary stores, to any address. With it by
 * non-temporal ones, each of a whole line of the table's nontemporal_bytes; out is then aligned to 16 bytes. `before` holds
 * those bytes that come before out, and completes the line that out lies in. The line at the end stays incomplete likewise: its
 * out % nontemporal_bytes bytes are not written but left in `before`, at its end. */
typedef void fi_write_fn(const fi_plan *plan, const uint32_t *words, size_t groups, void *out, void *before);
/* Words, at most FI_WORDS, to x, the first candidates of elements, in the kernel's type. Bit i % 8 of rejected[i / 8] tells
 * whether element i is rejected. On the way it has as many bytes as x takes fetched into the caches, from `next` on, which
 * will be written soon. */
typedef void fi_propose_fn(const fi_plan *plan, const uint32_t *words, size_t groups, void *x, uint8_t *rejected,
                           const char *next);
/* A round of redraws of a batch: n rejects from the first on. Each writes to its place in x the first of its candidates that is
 * accepted or, if none is, the last one, clamped. Those that had none are moved to the head of the batch, in any order; returns
 * how many they are. */
typedef size_t fi_redraw_fn(const fi_plan *plan, fi_rejects *rejects, size_t first, size_t n, void *x);

typedef struct {
    int (*supported)(void);   /* by this CPU and its system */
    size_t nontemporal_bytes; /* of a non-temporal store; 0 where there is none */
    /* The lanes of the group whose first word comes from this state. */
    void (*seed)(fi_lanes *lanes, uint64_t state, uint64_t inc);
    /* Every lane by the affine map: power * state + plus. */
    void (*jump)(fi_lanes *lanes, uint64_t power, uint64_t plus);
    void (*words)(fi_lanes *lanes, uint32_t *out, size_t groups);
    /* `lines` times the FI_LINE bytes of the pattern; by non-temporal stores as those of fi_write_fn, the pattern being what
     * comes before out and what is left at the end. */
    void (*constant)(const void *pattern, size_t lines, void *out, int nontemporal);
    fi_write_fn *write[FI_DIST_COUNT][FI_DTYPE_COUNT];
    fi_propose_fn *propose[FI_DIST_COUNT][FI_REAL_COUNT];
    fi_redraw_fn *redraw[FI_DIST_COUNT][FI_REAL_COUNT];
    /* To index the places below n of bits that are set, ascending; returns how many. May write up to FI_SPARE more. Bits are
     * read by 64, those from n on do not count. */
    size_t (*places)(const uint8_t *bits, size_t n, uint32_t *index);
    /* The redraws' state of each of a batch, by the digits of its place: the first chooses from `states`, the second and the
     * third how far that is stepped, by `coarse` and by `fine`. */
    void (*locate)(fi_rejects *rejects, size_t first, size_t n, const uint64_t *states, const fi_steps *coarse,
                   const fi_steps *fine);
    /* n elements of the kernel's type to the dtype's memory, kept within [least, most]. May read up to FI_SPARE behind x. */
    void (*store[FI_DTYPE_COUNT])(const fi_plan *plan, const void *x, size_t n, void *out);
    /* For orthogonal.c, on n rows of panels of so many columns: from `column` on to sums the products with that column, after
     * factors times the column before, if there are factors, were subtracted from them; */
    void (*reflect)(double *rows, size_t n, size_t width, size_t column, const double *factors, double *sums);
    /* to p the product V'C; */
    void (*project)(const double *v, size_t v_width, const double *c, size_t c_width, size_t n, double *p);
    /* from rows of C the product VW, W having n rows; */
    void (*subtract)(const double *v, size_t v_width, const double *w, size_t c_width, size_t n, double *c, size_t rows);
    /* to w what solves UX = W or, transposed, U'X = W, U being an upper triangle with n rows. */
    void (*solve)(const double *u, size_t n, int transposed, double *w, size_t width);
} fi_table;

/* NULL where the compiler does not target the ISA's processor. */
#define FI_TABLE(isa) extern const fi_table *const fi_table_##isa;
FI_ISAS(FI_TABLE)
#undef FI_TABLE

/* By number. */
const fi_table *fi_table_of(int isa);

#endif
