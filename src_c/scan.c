#include "scan.h"
#include "environment.h"
#include "fastinit.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define BLOCK 512 /* elements looked at together: they and the counts stay in the first-level cache */
#define LANES 8 /* of the sums */
#ifdef __GNUC__ /* compilers see no vectors in so many sums by themselves */
#define WIDTH 4
typedef double lanes __attribute__((vector_size(WIDTH * sizeof(double))));
#else
#define WIDTH 1
typedef double lanes;
#endif

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static void add_lanes(const lanes *from, double *sum) {
    double all[LANES];
    memcpy(all, from, sizeof all);
    for (int j = 0; j < LANES / 2; j++) *sum += all[j] + all[j + LANES / 2];
}

static uint64_t element(size_t itemsize, const void *elements, size_t i) {
    return itemsize == 2   ? ((const uint16_t *)elements)[i]
           : itemsize == 4 ? ((const uint32_t *)elements)[i]
                           : ((const uint64_t *)elements)[i];
}

static int same(size_t itemsize, const void *elements, size_t i) {
    return element(itemsize, elements, i) == element(itemsize, elements, i + 1);
}

/* SplitMix64's output function (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x) {
    x = (x + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* A hash of a window that knows nothing of the one that it was chosen by. */
static uint32_t window(size_t itemsize, const void *elements, size_t i) {
    uint64_t hash = 0;
    for (size_t k = 0; k < FI_SCAN_WINDOW; k++) hash = mix(hash ^ element(itemsize, elements, i + k));
    return (uint32_t)hash;
}

#define FI_SCAN(name) plain_##name
#include "scan.inc.h"
#undef FI_SCAN

#if defined(__x86_64__) && defined(__GNUC__)
#include "target.h"
FI_TARGET_BEGIN("avx2")
#define FI_SCAN(name) avx2_##name
#include "scan.inc.h"
FI_TARGET_END
#endif

void fi_scan_start(fi_scan_sums *sums) {
    *sums = (fi_scan_sums){.low = INFINITY, .high = -INFINITY, .bulk_low = INFINITY, .bulk_high = -INFINITY};
}

void fi_scan_add(fi_scan_sums *sums, const fi_scan_sums *more) {
    sums->finite += more->finite;
    sums->nans += more->nans;
    sums->zeros += more->zeros;
    if (more->low < sums->low) sums->low = more->low, sums->low_count = 0;
    if (more->high > sums->high) sums->high = more->high, sums->high_count = 0;
    if (more->low == sums->low) sums->low_count += more->low_count;
    if (more->high == sums->high) sums->high_count += more->high_count;
    if (more->bulk_low < sums->bulk_low) sums->bulk_low = more->bulk_low;
    if (more->bulk_high > sums->bulk_high) sums->bulk_high = more->bulk_high;
    for (int i = 0; i < 5; i++) sums->bulk[i] += more->bulk[i], sums->outliers[i] += more->outliers[i];
    for (int i = 0; i < FI_SCAN_BINS; i++) sums->histogram[i] += more->histogram[i];
}

size_t fi_scan(const fi_scan_plan *plan, const void *elements, uint64_t start, size_t n, fi_scan_sums *sums, uint64_t *hashes,
               uint8_t *alive, fi_scan_anchor *anchors, size_t room) {
    const fi_environment caller = fi_environment_default(); /* subnormals count */
    size_t found;
#if defined(__x86_64__) && defined(__GNUC__)
    if (plan->isa >= FI_avx2) found = avx2_all(plan, elements, start, n, sums, hashes, alive, anchors, room);
    else
#endif
        found = plain_all(plan, elements, start, n, sums, hashes, alive, anchors, room);
    fi_environment_restore(caller);
    return found;
}
