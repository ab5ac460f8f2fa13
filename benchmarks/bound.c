/* What the passes of the kernels take in cache, for bound.py: bound ISA, the ISA's name. A line for each pass: its name and cycles
 * an element. All passes in turns and the least of many times, the clock too, as cycles of a chain of known length: so what the
 * machine does besides, and how fast its clock is meanwhile, does not count. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tables.h"

enum { TURNS = 4000, CALLS = 8, GROUPS = FI_WORDS / FI_GROUP, CHAIN = 2048, LATENCY = 3 /* of an integer product, in cycles */ };

static const struct {
    const char *name;
    fi_plan plan;
} passes[] = {
    {"words", {.dist = FI_constant}},
    {"uniform_f32", {.dist = FI_uniform, .dtype = FI_f32, .scale = 0x1p-24, .shift = 0.5, .most = 0x1.fffffep-1}},
    {"normal_f32", {.dist = FI_normal, .dtype = FI_f32, .scale = 0x1p-6}},
    {"normal_bf16", {.dist = FI_normal, .dtype = FI_bf16, .scale = 0x1p-6}},
    {"normal_f64", {.dist = FI_normal, .dtype = FI_f64, .scale = 0x1p-6}},
};
enum { PASSES = sizeof passes / sizeof *passes };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void chain(void) {
    size_t x = 3;
    for (int i = 0; i < CHAIN / 8; i++) {
        for (int k = 0; k < 8; k++) {
            x *= x;
            __asm__ volatile("" : "+r"(x));
        }
    }
}

static void run(const fi_table *table, const fi_plan *plan, fi_lanes *lanes, uint32_t *words, void *out) {
    for (int i = 0; i < CALLS; i++) {
        if (plan->dist == FI_constant) table->words(lanes, words, GROUPS);
        else table->write[plan->dist][plan->dtype](plan, words, GROUPS, out, 0);
    }
}

int main(int argc, char **argv) {
    static const fi_table *const *const tables[] = {
#define TABLE(isa) &fi_table_##isa,
        FI_ISAS(TABLE)};
    int isa = 0;
    while (isa < FI_ISA_COUNT && (argc < 2 || strcmp(argv[1], fi_isa_names[isa]))) isa++;
    if (isa == FI_ISA_COUNT || !fi_isa_available(isa)) return 2;
    const fi_table *table = *tables[isa];
    static _Alignas(64) uint32_t words[FI_WORDS];
    static _Alignas(64) char out[FI_WORDS * sizeof(float)];
    fi_lanes lanes;
    table->seed(&lanes, 1, 3);
    double least[PASSES + 1];
    for (int p = 0; p <= PASSES; p++) least[p] = 1;
    for (int turn = 0; turn < TURNS; turn++) {
        for (int p = 0; p <= PASSES; p++) {
            if (p < PASSES) run(table, &passes[p].plan, &lanes, words, out); /* so that its code and data are at hand */
            const double start = now();
            if (p < PASSES) run(table, &passes[p].plan, &lanes, words, out);
            else chain();
            const double seconds = now() - start;
            if (seconds < least[p]) least[p] = seconds;
        }
    }
    for (int p = 0; p < PASSES; p++) {
        const int elements = CALLS * FI_WORDS / (passes[p].plan.dtype == FI_f64 && p ? 2 : 1);
        printf("%s %.4f\n", passes[p].name, least[p] / least[PASSES] * LATENCY * CHAIN / elements);
    }
    return 0;
}
