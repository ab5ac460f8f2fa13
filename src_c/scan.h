/* One pass over the values of a tensor, for fastinit.audit: moments, extremes, histogram, fingerprints. */
#ifndef FI_SCAN_H
#define FI_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum { FI_SCAN_BINS = 1024, FI_SCAN_WINDOW = 16, FI_SCAN_FACTORS = 1024 };

/* What is asked. Scaled is (x - median) / scale; the bulk are the scaled values in [-reach, reach], the others are outliers. */
typedef struct {
    int dtype;  /* of fi_dtype_names */
    int isa;    /* of fi_isa_names, an available one */
    int sparse; /* zeros belong to neither */
    double median, scale, reach;
    uint64_t width; /* of a row; 0: there are none */
    int rarity; /* leading zero bits of an anchor's hash; 0: none is looked for */
    uint32_t factors[FI_SCAN_FACTORS]; /* random ones */
} fi_scan_plan;

/* What is found. Sums are of the powers 0 to 4, scaled. */
typedef struct {
    uint64_t finite, nans, zeros, low_count, high_count;
    double low, high, bulk_low, bulk_high;
    double bulk[5], outliers[5];
    uint64_t histogram[FI_SCAN_BINS];
} fi_scan_sums;

typedef struct {
    uint64_t hash, place;
} fi_scan_anchor;

void fi_scan_start(fi_scan_sums *sums);

/* Adds what was found of a stretch to what was found before it. */
void fi_scan_add(fi_scan_sums *sums, const fi_scan_sums *more);

/* Elements [start, start + n) of the tensor. Of the rows that they belong to, `hashes` and `alive` begin with that of `start`:
 * the hash is added to, alive is set where an element is not 0. Returns the number of anchors, at most `room` of which are
 * kept. The results depend neither on the instruction set nor on how the tensor is cut into stretches, but for anchors across
 * a cut and the rounding of the sums. */
size_t fi_scan(const fi_scan_plan *plan, const void *elements, uint64_t start, size_t n, fi_scan_sums *sums, uint64_t *hashes,
               uint8_t *alive, fi_scan_anchor *anchors, size_t room);

#endif
