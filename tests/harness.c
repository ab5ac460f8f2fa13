/* The C core without Python, for other machines and emulators (tests/cross.py).
 *
 * harness          compares every ISA of this machine with the scalar one; exit code 0 if all bytes agree
 * harness ISA      reads cases (cases.py, Case.line) from standard input, writes their elements to standard output
 * harness ISA orthogonal  likewise of matrices (Matrix.line) */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orthogonal.h"
#include "plans.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) exit(3);
    return memory;
}

/* The orthogonal matrix that a gaussian plan and a key give, times gain, to rows * columns numbers of the plan's dtype. */
static void orthogonal(const fi_plan *plan, const fi_key *key, int isa, size_t rows, size_t columns, double gain, void *out) {
    const size_t n = least(rows, columns), m = rows + columns - n, last = n % FI_PANEL, size = fi_dtype_size(plan->dtype);
    const size_t most = n - last + (last + FI_PADDED - 1) / FI_PADDED * FI_PADDED;
    fi_matrix matrix = {m, n, aligned(fi_panels_size(m, n) * 8), aligned(fi_work_size(m, n) * 8), aligned(n), isa, 2, 1.0};
    memset(matrix.panels, 0, fi_panels_size(m, n) * 8);
    fill(plan, key, isa, 0, m * n, 0, out);
    double *q = aligned(m * n * sizeof *q);
    for (size_t i = 0; i < m * n; i++) q[i] = size == 8 ? ((double *)out)[i] : ((float *)out)[i];
    for (int back = 0; back < 2; back++) {
        if (back) fi_orthogonal(&matrix, 0);
        for (size_t i = 0; i < m; i++) {
            for (size_t j = 0; j < n; j++) {
                const size_t first = j / FI_PANEL * FI_PANEL;
                double *x = matrix.panels + first * m + i * least(most - first, FI_PANEL) + j - first;
                if (back) q[i * n + j] = *x * (matrix.negative[j] ? -gain : gain);
                else *x = q[i * n + j];
            }
        }
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            const double x = rows == m ? q[i * n + j] : q[j * n + i];
            if (size == 8) ((double *)out)[i * columns + j] = x;
            else ((float *)out)[i * columns + j] = (float)x;
        }
    }
    free(matrix.panels);
    free(matrix.work);
    free(matrix.negative);
    free(q);
}

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
    static double matrix[1100 * 70], other[1100 * 70];
    for (int isa = 0; isa < FI_ISA_COUNT; isa++) {
        if (!fi_isa_available(isa)) continue;
        for (int i = 0; i < 8; i++, cases++) {
            static const size_t rows[] = {1, 5, 65, 1100}, columns[] = {1, 9, 66, 70};
            const fi_plan plan = {.dist = FI_normal, .dtype = i < 4 ? FI_f32 : FI_f64, .scale = 1};
            orthogonal(&plan, &key, FI_scalar, rows[i % 4], columns[i % 4], 2, matrix);
            orthogonal(&plan, &key, isa, rows[i % 4], columns[i % 4], 2, other);
            if (!memcmp(matrix, other, rows[i % 4] * columns[i % 4] * fi_dtype_size(plan.dtype))) continue;
            failures++;
            printf("differs: %s orthogonal, case %d\n", fi_isa_names[isa], i);
        }
    }
    printf("%d cases, %d differ\n", cases, failures);
    return failures != 0;
}

static int write_cases(int isa, int matrices) {
    fi_plan p;
    fi_key k;
    uint64_t start, n, rows = 0, columns = 0;
    double gain = 1;
    while ((!matrices || scanf("%" SCNu64 " %" SCNu64 " %la", &rows, &columns, &gain) == 3) &&
           scanf("%" SCNd32 " %" SCNd32 " %la %la %la %la %la %la %la %la %la %la %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                 " %" SCNu64 " %" SCNu64 " %" SCNu64, &p.dist, &p.dtype, &p.scale, &p.shift, &p.rest, &p.low, &p.high, &p.least,
                 &p.most, &p.origin, &p.curve, &p.slope, &p.bits, &start, &n, &k.state, &k.inc, &k.redraw_state,
                 &k.redraw_inc) == 19) {
        size_t size = fi_dtype_size(p.dtype);
        unsigned char *out = malloc(n * size);
        if (!out) return 1;
        if (matrices) orthogonal(&p, &k, isa, rows, columns, gain, out);
        else fill(&p, &k, isa, start, n, 0, out);
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
        if (!strcmp(argv[1], fi_isa_names[isa]) && fi_isa_available(isa)) return write_cases(isa, argc > 2);
    }
    fprintf(stderr, "no ISA %s here\n", argv[1]);
    return 2;
}
