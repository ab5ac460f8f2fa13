/* libFuzzer on the C interface: plans, places, lengths and alignments from the fuzzer's bytes. Every instruction set must write
 * the scalar one's bytes, whole or in two parts, inside the bounds, and nothing outside the buffer, which AddressSanitizer
 * watches. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastinit.h"

static const size_t sizes[] = {
#define SIZE(name, size) size,
    FI_DTYPES(SIZE)};

typedef struct {
    fi_key key;
    uint64_t start, bits;
    int32_t scale, shift; /* significands */
    uint16_t n, split;
    uint8_t dist, dtype, isa, alignment, scale_exponent, shift_exponent, below, above;
} input;

static void need(int ok, const char *what, const input *in) {
    if (ok) return;
    fprintf(stderr, "%s: dist %d, dtype %d, isa %d, start %llu, n %u, split %u\n", what, in->dist % FI_DIST_COUNT,
            in->dtype % FI_DTYPE_COUNT, in->isa, (unsigned long long)in->start, in->n, in->split);
    abort();
}

/* Significands of 20 bits, so that float holds what is computed from them; as in a plan, far from the ends of the range: up to
 * 2^35, or 2^12 for f16. */
static double number(int32_t significand, uint8_t exponent, int dtype) {
    return ldexp(significand >> 11 | 1, exponent % 64 - (dtype == FI_f16 ? 71 : 48));
}

static fi_plan plan_of(const input *in) {
    fi_plan p = {.dist = in->dist % FI_DIST_COUNT, .dtype = in->dtype % FI_DTYPE_COUNT, .bits = in->bits};
    const int is64 = p.dtype == FI_f64;
    p.scale = fabs(number(in->scale, in->scale_exponent, p.dtype));
    p.shift = in->shift_exponent & 128 ? number(in->shift, in->shift_exponent, p.dtype) : 0;
    p.least = p.low = -INFINITY;
    p.most = p.high = INFINITY;
    if (p.dist == FI_uniform || p.dist == FI_trunc_normal) { /* at least half a sigma to each side, at most infinity */
        p.low = in->below == 255 ? -INFINITY : p.shift - p.scale * (1 + in->below / 16) / 2;
        p.high = in->above == 255 ? INFINITY : p.shift + p.scale * (1 + in->above / 16) / 2;
        if (!is64) p.low = (float)p.low, p.high = (float)p.high;
        p.least = p.low, p.most = p.high;
    }
    if (p.dist == FI_uniform) p.scale *= is64 ? 0x1p-52 : 0x1p-23;
    return p;
}

static void check_bounds(const fi_plan *p, const char *out, const input *in) {
    for (size_t i = 0; i < in->n; i++) {
        float single;
        double x = 0;
        if (p->dtype == FI_f32) memcpy(&single, out + 4 * i, 4), x = single;
        else if (p->dtype == FI_f64) memcpy(&x, out + 8 * i, 8);
        else return; /* least and most are not of the type here, as a plan's are: the rounded value may be outside */
        need(p->low <= x && x <= p->high, "outside the bounds", in);
    }
}

/* Words and transform, each by itself, against the fill. */
static void check_parts(const fi_plan *p, const input *in, const char *whole) {
    const uint64_t words_each = p->dtype == FI_f64 ? 2 : 1, group = FI_GROUP / words_each;
    const size_t groups = in->n / group, bytes = groups * FI_GROUP * 4;
    if ((p->dist != FI_uniform && p->dist != FI_normal) || (p->dtype != FI_f32 && p->dtype != FI_f64) || in->start % group) return;
    uint32_t *words = malloc(bytes + 1);
    char *out = malloc(bytes + 1);
    fi_words(&in->key, in->isa, in->start * words_each, groups * FI_GROUP, words);
    fi_transform(p, in->isa, words, groups, out);
    need(!memcmp(out, whole, bytes), "the transform of the words is not the fill", in);
    free(words);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in;
    if (size < sizeof in) return 0;
    memcpy(&in, data, sizeof in);
    in.n %= 10000;
    in.isa %= FI_ISA_COUNT;
    if (!fi_isa_available(in.isa)) in.isa = FI_scalar;
    const fi_plan p = plan_of(&in);
    const uint64_t cap = ((uint64_t)1 << 48) / (p.dtype == FI_f64 ? 2 : 1);
    in.start = in.start & 1 ? in.start % (cap - in.n) : in.start & 2 ? cap - in.n : (in.start >> 2) % 20000;
    const size_t bytes = in.n * sizes[p.dtype], offset = in.alignment % 64;
    /* malloc aligns to 16: the rest of the alignment is the buffer's own first bytes. */
    char *whole = malloc(bytes + 1), *memory = malloc(offset + bytes + 1), *out = memory + offset;
    fi_fill(&p, &in.key, FI_scalar, in.start, in.n, whole);
    memset(memory, 0x5a, offset + bytes + 1);
    fi_fill(&p, &in.key, in.isa, in.start, in.n, out);
    need(!memcmp(whole, out, bytes), "not the scalar bytes", &in);
    const uint64_t split = in.n ? in.split % in.n : 0;
    memset(out, 0xa5, bytes);
    fi_fill(&p, &in.key, in.isa, in.start + split, in.n - split, out + split * sizes[p.dtype]);
    fi_fill(&p, &in.key, in.isa, in.start, split, out);
    need(!memcmp(whole, out, bytes), "not the same in two parts", &in);
    for (size_t i = 0; i < offset; i++) need(memory[i] == 0x5a, "written before the buffer", &in);
    need(memory[offset + bytes] == 0x5a, "written behind the buffer", &in);
    if (p.dist == FI_uniform || p.dist == FI_trunc_normal) check_bounds(&p, out, &in);
    check_parts(&p, &in, whole);
    free(whole);
    free(memory);
    return 0;
}
