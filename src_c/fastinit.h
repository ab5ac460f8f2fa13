/* The C interface of fastinit, without Python. These calls allocate nothing, start no threads and leave nothing behind but what
 * they write; team.h has the call that shares work among threads. README.md specifies the stream that they write. */
#ifndef FASTINIT_H
#define FASTINIT_H

#include <stddef.h>
#include <stdint.h>

#define FI_STREAM_VERSION 1

/* The lists. Python has their names, in this order, from _kernels.pyx.
 * Distributions: the last three are the truncated gaussian, by gaussian candidates, by uniform ones for narrow intervals, by
 * exponential ones for tails. Dtypes: with the bytes of an element. ISAs, instruction sets: slowest first. */
#define FI_DISTS(X) X(constant) X(uniform) X(normal) X(trunc_normal) X(trunc_narrow) X(trunc_tail)
#define FI_DTYPES(X) X(f32, 4) X(f64, 8) X(f16, 2) X(bf16, 2)
#define FI_ISAS(X) X(scalar) X(neon) X(avx2) X(avx512) X(avx512vbmi2)

#define FI_ENUM(name, ...) FI_##name,
enum fi_dist { FI_DISTS(FI_ENUM) FI_DIST_COUNT };
enum fi_dtype { FI_DTYPES(FI_ENUM) FI_DTYPE_COUNT };
enum fi_isa { FI_ISAS(FI_ENUM) FI_ISA_COUNT };
extern const char *const fi_dist_names[FI_DIST_COUNT];
extern const char *const fi_dtype_names[FI_DTYPE_COUNT];
extern const char *const fi_isa_names[FI_ISA_COUNT];

/* The bytes of an element. */
static inline size_t fi_dtype_size(int dtype) {
#define FI_SIZE(name, size) size,
    static const size_t sizes[] = {FI_DTYPES(FI_SIZE)};
    return sizes[dtype];
}

enum {
    FI_GROUP = 32,          /* words that are transformed together */
    FI_REDRAW_WORDS = 256,  /* of the redraw orbit, that an element may use */
    FI_REDRAW_STRIDE = 257, /* from an element's first to the next one's: odd, so that those far apart are not related */
};

/* What to write. The numbers are final: binary64 values that the kernel's type (f64 for dtype f64, else f32)
 * represents exactly. */
typedef struct {
    int32_t dist, dtype;
    double scale, shift;  /* value = fma(z, scale, shift) */
    double rest;          /* uniform, trunc_narrow: value = fma(k + 1/2, scale, rest) + shift; what shift was rounded by */
    double low, high;     /* trunc_*: closed interval in the kernel's type */
    double least, most;   /* uniform, trunc_*: closed interval in dtype */
    double origin, curve, slope; /* trunc_narrow, trunc_tail: the acceptance test, README.md section 6 */
    uint64_t bits;        /* constant: the element's bit pattern */
} fi_plan;

/* A key, as the four numbers that it is: a place on the orbit of the main words, and one on the orbit of the redraws. The
 * increments' lowest bits are set on use. */
typedef struct {
    uint64_t state, inc, redraw_state, redraw_inc;
} fi_key;

/* Whether this build has the ISA's kernels and this CPU runs them. */
int fi_isa_available(int isa);

/* Which elements: `count` runs of `length`, run j from element start + j * stride on, at byte j * pitch of the target. */
typedef struct {
    uint64_t start, length, stride, count;
    int64_t pitch;
} fi_runs;

/* Writes the runs' elements to out, at any alignment. isa must be available. With `nontemporal` the stores go past the caches,
 * where the ISA, the distribution and the alignment of out allow it. */
void fi_fill(const fi_plan *plan, const fi_key *key, const fi_runs *runs, int isa, int nontemporal, void *out);

/* Writes words [start, start + n) of the key's main orbit. */
void fi_words(const fi_key *key, int isa, uint64_t start, uint64_t n, uint32_t *out);

/* For exhaustive tests, the uniform or normal transform of the caller's words: groups * FI_GROUP of them give as many elements
 * or, of f64, half as many. */
void fi_transform(const fi_plan *plan, int isa, const uint32_t *words, size_t groups, void *out);

#endif
