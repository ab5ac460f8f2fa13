/* libFuzzer on the C interface: plans, starts, lengths, runs and alignments from the fuzzer's bytes. Every instruction set must
 * write the scalar one's bytes, whole, in two parts or as runs, with non-temporal stores or without, inside the bounds, and
 * nothing outside the buffer, which AddressSanitizer watches. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../plans.h"

typedef struct {
    fi_key key;
    uint64_t start, bits;
    int32_t scale, shift; /* significands */
    uint16_t n, split;
    uint8_t dist, dtype, isa, nontemporal, alignment, scale_exponent, shift_exponent, below, above, count, gap, space;
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

static fi_plan plan_from(const input *in) {
    fi_plan p = plan_of(in->dist % FI_DIST_COUNT, in->dtype % FI_DTYPE_COUNT);
    const int is64 = p.dtype == FI_f64;
    p.bits = in->bits;
    if (p.dist == FI_trunc_narrow || p.dist == FI_trunc_tail) { /* the acceptance test does not know the unit */
        const double unit = ldexp(1, in->scale_exponent % 32 - 20);
        p.scale *= unit, p.shift *= unit, p.low *= unit, p.high *= unit, p.least *= unit, p.most *= unit;
        return p;
    }
    p.scale = fabs(number(in->scale, in->scale_exponent, p.dtype));
    p.shift = in->shift_exponent & 128 ? number(in->shift, in->shift_exponent, p.dtype) : 0;
    p.low = -INFINITY;
    p.high = INFINITY;
    if (p.dist != FI_normal) { /* at least half a sigma to each side, at most infinity */
        if (in->below != 255) p.low = p.shift - p.scale * (1 + in->below / 16) / 2;
        if (in->above != 255) p.high = p.shift + p.scale * (1 + in->above / 16) / 2;
        if (!is64) p.low = (float)p.low, p.high = (float)p.high;
    }
    p.least = p.low, p.most = p.high;
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
        need(p->least <= x && x <= p->most, "outside the bounds", in);
    }
}

/* Words and transform, each by itself, against the fill. */
static void check_parts(const fi_plan *p, const input *in, const char *whole) {
    const uint64_t words_each = p->dtype == FI_f64 ? 2 : 1, group = FI_GROUP / words_each;
    const size_t groups = in->n / group, bytes = groups * group * fi_dtype_size(p->dtype);
    if ((p->dist != FI_uniform && p->dist != FI_normal) || in->start % group) return;
    uint32_t *words = malloc(groups * FI_GROUP * sizeof *words + 1);
    char *out = malloc(bytes + 1);
    fi_words(&in->key, in->isa, in->start * words_each, groups * FI_GROUP, words);
    fi_transform(p, in->isa, words, groups, out);
    need(!memcmp(out, whole, bytes), "the transform of the words is not the fill", in);
    free(words);
    free(out);
}

/* Runs of the whole with gaps in the stream and in memory. */
static void check_runs(const fi_plan *p, const input *in, const char *whole) {
    const size_t size = fi_dtype_size(p->dtype), count = 1 + in->count % 40, stride = in->n / count;
    const size_t length = stride > in->gap ? stride - in->gap : stride, pitch = length * size + in->space % 70;
    if (!length) return;
    const size_t bytes = (count - 1) * pitch + length * size, offset = in->alignment % 64;
    char *memory = malloc(offset + bytes), *out = memory + offset;
    memset(memory, 0x5a, offset + bytes);
    const fi_runs runs = {in->start, length, stride, count, (int64_t)pitch};
    fi_fill(p, &in->key, &runs, in->isa, in->nontemporal & 1, out);
    for (size_t j = 0; j < count; j++) {
        need(!memcmp(out + j * pitch, whole + j * stride * size, length * size), "not the same in runs", in);
        for (size_t i = length * size; j + 1 < count && i < pitch; i++) {
            need(out[j * pitch + i] == 0x5a, "written between runs", in);
        }
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    input in;
    if (size < sizeof in) return 0;
    memcpy(&in, data, sizeof in);
    in.n %= 10000;
    in.isa %= FI_ISA_COUNT;
    if (!fi_isa_available(in.isa)) in.isa = FI_scalar;
    const fi_plan p = plan_from(&in);
    const uint64_t cap = ((uint64_t)1 << 48) / (p.dtype == FI_f64 ? 4 : 2);
    in.start = in.start & 1 ? in.start % (cap - in.n) : in.start & 2 ? cap - in.n : (in.start >> 2) % 20000;
    const size_t each = fi_dtype_size(p.dtype), bytes = in.n * each, offset = in.alignment % 64;
    /* malloc aligns to 16: the rest of the alignment is the buffer's own first bytes. */
    char *whole = malloc(bytes + 1), *memory = malloc(offset + bytes + 1), *out = memory + offset;
    fill(&p, &in.key, FI_scalar, in.start, in.n, 0, whole);
    memset(memory, 0x5a, offset + bytes + 1);
    fill(&p, &in.key, in.isa, in.start, in.n, in.nontemporal & 1, out);
    need(!memcmp(whole, out, bytes), "not the scalar bytes", &in);
    const uint64_t split = in.n ? in.split % in.n : 0;
    memset(out, 0xa5, bytes);
    fill(&p, &in.key, in.isa, in.start + split, in.n - split, in.nontemporal & 2, out + split * each);
    fill(&p, &in.key, in.isa, in.start, split, in.nontemporal & 1, out);
    need(!memcmp(whole, out, bytes), "not the same in two parts", &in);
    for (size_t i = 0; i < offset; i++) need(memory[i] == 0x5a, "written before the buffer", &in);
    need(memory[offset + bytes] == 0x5a, "written behind the buffer", &in);
    if (p.dist != FI_constant && p.dist != FI_normal) check_bounds(&p, out, &in);
    check_parts(&p, &in, whole);
    check_runs(&p, &in, whole);
    free(whole);
    free(memory);
    return 0;
}
