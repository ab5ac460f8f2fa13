/* The C core without Python, for other machines and emulators (tests/cross.py).
 *
 * harness          compares every ISA of this machine with the scalar one; exit code 0 if all bytes agree
 * harness ISA      reads cases (cases.py, Case.line) from standard input, writes their elements to standard output */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"

static int compare(void) {
    static const uint64_t starts[] = {0, 1, 1000, 4095, ((uint64_t)1 << 40) + 5}, lengths[] = {1, 15, 33, 1024, 5003};
    static unsigned char expected[5003 * 8 + 16], actual[5003 * 8 + 16];
    const fi_key key = {0x0123456789abcdefu, 0xfedcba9876543211u, 0xdeadbeefcafef00du, 0x5851f42d4c957f2du};
    int cases = 0, failures = 0;
    for (int isa = 0; isa < FI_ISA_COUNT; isa++) {
        if (!fi_isa_available(isa)) continue;
        printf("%s\n", fi_isa_names[isa]);
        for (int i = 0; i < (FI_DIST_COUNT + 1) * FI_DTYPE_COUNT * 50; i++, cases++) {
            const int dist = i / 50 / FI_DTYPE_COUNT, dtype = i / 50 % FI_DTYPE_COUNT;
            const fi_plan plan = dist < FI_DIST_COUNT ? plan_of(dist, dtype) : symmetric_of(dtype);
            const uint64_t start = starts[i % 5], n = lengths[i / 5 % 5];
            const int nontemporal = i / 25 % 2;
            const size_t size = fi_dtype_size(plan.dtype), shift = -(uintptr_t)actual % 16;
            fill(&plan, &key, FI_scalar, start, n, 0, expected);
            memset(actual, 0xee, sizeof actual);
            fill(&plan, &key, isa, start, n, nontemporal, actual + shift);
            int same = !memcmp(expected, actual + shift, n * size);
            /* Every third element, pairs seven apart, and rows of thirteen with a gap in memory. */
            const fi_runs runs[] = {{start, 1, 3, (n + 2) / 3, (int64_t)(3 * size)},
                                    {start, 2, 7, (n + 5) / 7, (int64_t)(7 * size)},
                                    {start, 13, 13, n / 14, (int64_t)(14 * size)}};
            for (int k = 0; k < 3; k++) {
                memset(actual, 0xee, sizeof actual);
                fi_fill(&plan, &key, runs + k, isa, nontemporal, actual);
                for (uint64_t j = 0; j < runs[k].count; j++) {
                    same &= !memcmp(expected + j * runs[k].stride * size, actual + j * (uint64_t)runs[k].pitch,
                                    runs[k].length * size);
                }
            }
            if (same) continue;
            failures++;
            printf("differs: %s %s from %" PRIu64 ", %" PRIu64 " elements, nontemporal %d\n", fi_dist_names[plan.dist],
                   fi_dtype_names[plan.dtype], start, n, nontemporal);
        }
    }
    printf("%d cases, %d differ\n", cases, failures);
    return failures != 0;
}

static int write_cases(int isa) {
    fi_plan p;
    fi_key k;
    uint64_t start, n;
    while (scanf("%" SCNd32 " %" SCNd32 " %la %la %la %la %la %la %la %la %la %la %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                 " %" SCNu64 " %" SCNu64 " %" SCNu64, &p.dist, &p.dtype, &p.scale, &p.shift, &p.rest, &p.low, &p.high, &p.least,
                 &p.most, &p.origin, &p.curve, &p.slope, &p.bits, &start, &n, &k.state, &k.inc, &k.redraw_state,
                 &k.redraw_inc) == 19) {
        size_t size = fi_dtype_size(p.dtype);
        unsigned char *out = malloc(n * size);
        if (!out) return 1;
        fill(&p, &k, isa, start, n, 0, out);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        for (unsigned char *e = out; e < out + n * size; e += size) {
            for (size_t i = 0; i < size / 2; i++) {
                unsigned char t = e[i];
                e[i] = e[size - 1 - i];
                e[size - 1 - i] = t;
            }
        }
#endif
        if (fwrite(out, size, n, stdout) != n) return 1;
        free(out);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 1) return compare();
    for (int isa = 0; isa < FI_ISA_COUNT; isa++) {
        if (!strcmp(argv[1], fi_isa_names[isa]) && fi_isa_available(isa)) return write_cases(isa);
    }
    fprintf(stderr, "no ISA %s here\n", argv[1]);
    return 2;
}
