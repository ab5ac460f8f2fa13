/* Threads fill parts of one buffer from one plan and one key, every second thread by fi_fill_jobs, whose helpers they share;
 * each part must be the whole's. For ThreadSanitizer.
 *
 * stress SECONDS
 *
 * With RACE each thread also writes the next part's first byte, with OVERRUN the buffer is a byte short: the sanitizers must
 * say so. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../plans.h"
#include "team.h"

enum { THREADS = 4, N = 40000 };
static const fi_key key = {0x0123456789abcdefu, 0xfedcba9876543211u, 0xdeadbeefcafef00du, 0x5851f42d4c957f2du};

static struct {
    fi_plan plan;
    int isa;
    char *out;
} job;

static atomic_int wrong;

static int go_on(void) { return 0; }
static int stop(void) { return 1; }

/* Whole runs, memory that is scattered and gone through backwards, one element, none. Counts an element that is wrong. */
static int share(int t, uint64_t from, uint64_t n, char *out) {
    const size_t size = fi_dtype_size(job.plan.dtype);
    const uint64_t half = n / 2;
    const fi_axis there = {half, 1, (int64_t)size}, back = {n - half, 1, -(int64_t)size};
    const fi_axis none[] = {{3, 1, 48}, {0, 3, 16}};
    double one = 0;
    char *reversed = malloc((n - half) * size), *last = reversed + (n - half - 1) * size;
    fi_job jobs[] = {
        {.plan = &job.plan, .key = key, .start = from, .to = out, .axes = &there, .axis_count = 1, .nontemporal = t % 4 == 1,
         .most = 500 + (unsigned)t},
        {.plan = &job.plan, .key = key, .start = from + half, .to = last, .axes = &back, .axis_count = 1, .most = 700},
        {.plan = &job.plan, .key = key, .start = from, .to = (char *)&one, .most = 1},
        {.plan = &job.plan, .key = key, .start = from, .to = (char *)&one, .axes = none, .axis_count = 2, .most = 1},
    };
    const size_t count = sizeof jobs / sizeof *jobs;
    char *staging = malloc(3 * 4096);
    const fi_team team = {.most_if_awake = 3, .most_if_asleep = 2, .staging = staging, .staging_bytes = 4096};
    fi_cut(jobs, count, team.staging_bytes);
    fi_fill_jobs(jobs, count, &team, job.isa, stop); /* incomplete, as look() says stop */
    fi_fill_jobs(jobs, count, &team, job.isa, go_on);
    for (uint64_t i = half; i < n; i++) memcpy(out + i * size, last - (i - half) * size, size);
    free(staging);
    free(reversed);
    return memcmp(&one, out, size) != 0;
}

static void *part(void *which) {
    const uint64_t t = *(const int *)which, from = t * N / THREADS, to = (t + 1) * N / THREADS;
    char *out = job.out + from * fi_dtype_size(job.plan.dtype);
    if (t % 2) atomic_fetch_add(&wrong, share((int)t, from, to - from, out));
    else fill(&job.plan, &key, job.isa, from, to - from, t % 4 == 0, out);
#ifdef RACE
    if (t + 1 < THREADS) job.out[to * fi_dtype_size(job.plan.dtype)] = 1;
#endif
    return 0;
}

int main(int argc, char **argv) {
    const time_t end = time(0) + (argc > 1 ? atoi(argv[1]) : 1);
    int rounds = 0;
    do {
        for (int isa = 0; isa < FI_ISA_COUNT; isa++) {
            if (!fi_isa_available(isa)) continue;
            for (int dist = 0; dist < FI_DIST_COUNT; dist++) {
                for (int dtype = 0; dtype < FI_DTYPE_COUNT; dtype++, rounds++) {
                    const size_t bytes = N * fi_dtype_size(dtype);
                    char *whole = malloc(bytes);
#ifdef OVERRUN
                    job.out = malloc(bytes - 1);
#else
                    job.out = malloc(bytes);
#endif
                    job.plan = plan_of(dist, dtype);
                    job.isa = isa;
                    pthread_t threads[THREADS];
                    int which[THREADS];
                    for (int t = 0; t < THREADS; t++) {
                        which[t] = t;
                        if (pthread_create(&threads[t], 0, part, &which[t])) return 2;
                    }
                    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], 0);
                    fill(&job.plan, &key, FI_scalar, 0, N, 0, whole);
                    wrong += memcmp(whole, job.out, bytes) != 0;
                    free(whole);
                    free(job.out);
                }
            }
        }
    } while (time(0) < end);
    printf("%d fills by %d threads, %d wrong\n", rounds, THREADS, wrong);
    return wrong != 0;
}
