/* The text of fi_scan for each instruction set. Sums have lanes of their own, so that they are the same on all. */

/* The float32 bits of 16-bit elements. */
static void FI_SCAN(singles)(int dtype, const uint16_t *half, size_t n, uint32_t *u) {
    if (dtype == FI_bf16) {
        for (size_t i = 0; i < n; i++) u[i] = (uint32_t)half[i] << 16;
    } else { /* float16: a product sets the exponent, of subnormals too */
        for (size_t i = 0; i < n; i++) {
            const uint32_t magnitude = (uint32_t)(half[i] & 0x7FFF) << 13, sign = (uint32_t)(half[i] & 0x8000) << 16;
            const uint32_t scaled = bits_of(float_of(magnitude) * 0x1p112f);
            u[i] = sign | (magnitude < 0x0F800000 ? scaled : magnitude | 0x7F800000);
        }
    }
}

/* Integers in the order of the float32 values, and back. */
static int32_t FI_SCAN(rank)(uint32_t u) { return (int32_t)(u ^ (uint32_t)((int32_t)u >> 31) >> 1); }

static void FI_SCAN(ranks)(const uint32_t *u, size_t n, int32_t *low, int32_t *high) {
    int32_t least = FI_SCAN(rank)(u[0]), most = least;
    for (size_t i = 0; i < n; i++) {
        const int32_t here = FI_SCAN(rank)(u[i]);
        least = here < least ? here : least;
        most = here > most ? here : most;
    }
    *low = least, *high = most;
}

/* x ends with LANES copies of its first element beyond n. */
static void FI_SCAN(extremes)(const double *x, size_t n, double *low, double *high) {
    double least[LANES], most[LANES];
    for (int k = 0; k < LANES; k++) least[k] = most[k] = x[0];
    for (size_t i = 0; i < n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            const double one = x[i + k], less = least[k], more = most[k];
            least[k] = one < less ? one : less;
            most[k] = one > more ? one : more;
        }
    }
    *low = *high = x[0];
    for (int k = 0; k < LANES; k++) {
        if (least[k] < *low) *low = least[k];
        if (most[k] > *high) *high = most[k];
    }
}

/* The finite ones of n elements as doubles, and their extremes; how many they are. */
static size_t FI_SCAN(finite)(int dtype, const void *elements, size_t n, double *x, double *low, double *high, uint64_t *nans) {
    uint64_t odd = 0;
    int32_t least = 0, most = 0;
    if (dtype == FI_f64) {
        memcpy(x, elements, n * sizeof *x);
        for (size_t i = 0; i < n; i++) odd |= !(fabs(x[i]) <= DBL_MAX);
    } else {
        uint32_t made[BLOCK];
        const uint32_t *u = dtype == FI_f32 ? elements : made;
        if (u == made) FI_SCAN(singles)(dtype, elements, n, made);
        for (size_t i = 0; i < n; i++) x[i] = float_of(u[i]);
        FI_SCAN(ranks)(u, n, &least, &most);
        odd = least < -0x7F800000 || most >= 0x7F800000; /* -infinity has the rank -0x7F800001 */
    }
    if (odd) {
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
            *nans += x[i] != x[i];
            if (fabs(x[i]) <= DBL_MAX) x[kept++] = x[i];
        }
        n = kept;
    }
    if (n && (odd || dtype == FI_f64)) {
        for (int k = 0; k < LANES; k++) x[n + k] = x[0];
        FI_SCAN(extremes)(x, n, low, high);
    } else if (n) {
        *low = float_of((uint32_t)least ^ (uint32_t)(least >> 31) >> 1);
        *high = float_of((uint32_t)most ^ (uint32_t)(most >> 31) >> 1);
    }
    return n;
}

static uint64_t FI_SCAN(count)(const double *x, size_t n, double value) {
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) found += x[i] == value;
    return found;
}

/* Adds the power sums of t, which ends with LANES zeros beyond n. */
static void FI_SCAN(power_sums)(const double *t, size_t n, double *sums) {
    lanes one[LANES / WIDTH] = {0}, two[LANES / WIDTH] = {0}, three[LANES / WIDTH] = {0}, four[LANES / WIDTH] = {0};
    for (size_t i = 0; i < n; i += LANES) {
        for (int k = 0; k < LANES / WIDTH; k++) {
            lanes x;
            memcpy(&x, t + i + k * WIDTH, sizeof x);
            const lanes square = x * x;
            one[k] += x;
            two[k] += square;
            three[k] += square * x;
            four[k] += square * square;
        }
    }
    sums[0] += (double)n;
    add_lanes(one, sums + 1);
    add_lanes(two, sums + 2);
    add_lanes(three, sums + 3);
    add_lanes(four, sums + 4);
}

/* t are scaled values of the bulk between these extremes. */
static void FI_SCAN(bulk)(double reach, double *t, size_t n, double low, double high, fi_scan_sums *sums,
                          uint32_t (*bins)[FI_SCAN_BINS + 1]) {
    int32_t places[BLOCK];
    const double factor = FI_SCAN_BINS / 2 / reach;
    if (low < sums->bulk_low) sums->bulk_low = low;
    if (high > sums->bulk_high) sums->bulk_high = high;
    for (size_t i = 0; i < n; i++) places[i] = (int32_t)((t[i] + reach) * factor);
    for (int k = 0; k < LANES; k++) t[n + k] = 0;
    FI_SCAN(power_sums)(t, n, sums->bulk);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) { /* four counts, as equal values would wait for one another */
        for (int k = 0; k < 4; k++) bins[k][places[i + k]]++;
    }
    for (; i < n; i++) bins[0][places[i]]++;
}

static double FI_SCAN(scaled)(double x, double median, double scale, double inverse) {
    return inverse ? (x - median) * inverse : (x - median) / scale;
}

static void FI_SCAN(values)(const fi_scan_plan *plan, const void *elements, size_t n, fi_scan_sums *sums,
                            uint32_t (*bins)[FI_SCAN_BINS + 1]) {
    double x[BLOCK + LANES], t[BLOCK + LANES], low = 0, high = 0;
    const double median = plan->median, scale = plan->scale, reach = plan->reach;
    const double inverse = scale > DBL_MIN && scale < 0x1p1000 ? 1 / scale : 0; /* else it may be infinite, or lose digits */
    n = FI_SCAN(finite)(plan->dtype, elements, n, x, &low, &high, &sums->nans);
    if (!n) return;
    sums->finite += n;
    if (low < sums->low) sums->low = low, sums->low_count = 0;
    if (high > sums->high) sums->high = high, sums->high_count = 0;
    if (low == sums->low) sums->low_count += FI_SCAN(count)(x, n, low);
    if (high == sums->high) sums->high_count += FI_SCAN(count)(x, n, high);
    size_t left = n;
    if (plan->sparse) {
        left = 0;
        for (size_t i = 0; i < n; i++) {
            x[left] = x[i];
            left += x[i] != 0;
        }
        sums->zeros += n - left;
    }
    if (inverse) {
        for (size_t i = 0; i < left; i++) t[i] = (x[i] - median) * inverse;
    } else {
        for (size_t i = 0; i < left; i++) t[i] = (x[i] - median) / scale;
    }
    double first = FI_SCAN(scaled)(low, median, scale, inverse), last = FI_SCAN(scaled)(high, median, scale, inverse);
    if (!(fabs(first) <= reach && fabs(last) <= reach)) {
        size_t kept = 0, far = 0;
        for (size_t i = 0; i < left; i++) {
            if (fabs(t[i]) <= reach) t[kept++] = t[i];
            else x[far++] = t[i];
        }
        for (int k = 0; k < LANES; k++) x[far + k] = 0;
        FI_SCAN(power_sums)(x, far, sums->outliers);
        left = kept;
    }
    if (!left) return;
    if (left < n) {
        for (int k = 0; k < LANES; k++) t[left + k] = t[0];
        FI_SCAN(extremes)(t, left, &first, &last);
    }
    FI_SCAN(bulk)(reach, t, left, first, last, sums, bins);
}

#define HASH(bits, magnitude) \
    static uint64_t FI_SCAN(hash##bits)(const uint##bits##_t *element, const uint32_t *factors, size_t n, uint8_t *alive) { \
        uint64_t hash = 0; \
        uint##bits##_t any = 0; \
        for (size_t i = 0; i < n; i++) hash += (uint64_t)element[i] * factors[i]; \
        for (size_t i = 0; i < n; i++) any |= element[i] & magnitude; \
        *alive |= any != 0; \
        return hash; \
    }
HASH(16, 0x7FFF)
HASH(32, 0x7FFFFFFF)
#undef HASH

static uint64_t FI_SCAN(hash64)(const uint64_t *element, const uint32_t *factors, size_t n, uint8_t *alive) {
    uint64_t hash = 0, any = 0;
    for (size_t i = 0; i < n; i++) {
        hash += (element[i] >> 32) * factors[i] + (uint64_t)(uint32_t)element[i] * ~factors[i];
        any |= element[i] << 1;
    }
    *alive |= any != 0;
    return hash;
}

/* The hash of columns [column, column + n) of a row, multilinear (Carter and Wegman, Universal Classes of Hash Functions, 1979):
 * rows that differ have the same one with a probability of about 2^-32. Each FI_SCAN_FACTORS columns have a factor more, of
 * their number. */
static uint64_t FI_SCAN(row)(size_t itemsize, const char *elements, uint64_t column, size_t n, const uint32_t *factors,
                             uint8_t *alive) {
    uint64_t hash = 0;
    for (size_t done = 0; done < n;) {
        const uint64_t at = (column + done) % FI_SCAN_FACTORS, part = (column + done) / FI_SCAN_FACTORS;
        const size_t left = n - done, count = left < FI_SCAN_FACTORS - at ? left : (size_t)(FI_SCAN_FACTORS - at);
        const void *from = elements + done * itemsize;
        const uint64_t found = itemsize == 2   ? FI_SCAN(hash16)(from, factors + at, count, alive)
                               : itemsize == 4 ? FI_SCAN(hash32)(from, factors + at, count, alive)
                                               : FI_SCAN(hash64)(from, factors + at, count, alive);
        hash += found * (mix(part) | 1);
        done += count;
    }
    return hash;
}

/* The anchors of elements [0, n + FI_SCAN_WINDOW - 1): windows whose first elements' hash is below `limit`. */
static size_t FI_SCAN(anchors)(size_t itemsize, const void *elements, size_t n, uint32_t limit, uint64_t start,
                               fi_scan_anchor *anchors, size_t room) {
    uint32_t h[BLOCK + FI_SCAN_WINDOW];
    const size_t all = n + FI_SCAN_WINDOW - 1;
    const uint16_t *two = elements;
    const uint32_t *four = elements;
    const uint64_t *eight = elements;
    size_t found = 0;
    if (itemsize == 2) {
        for (size_t i = 0; i < all; i++) h[i] = two[i] * 0x9E3779B1u;
    } else if (itemsize == 4) {
        for (size_t i = 0; i < all; i++) h[i] = four[i] * 0x9E3779B1u;
    } else {
        for (size_t i = 0; i < all; i++) h[i] = (uint32_t)eight[i] * 0x9E3779B1u + (uint32_t)(eight[i] >> 32) * 0x85EBCA77u;
    }
    /* Four elements choose, a window's hash from those of its halves (Karp, Miller, Rosenberg 1972). */
    for (size_t span = 1; span < 4; span *= 2) {
        for (size_t i = 0; i + span < all; i++) h[i] = h[i] * 0xC2B2AE3Du + (h[i + span] ^ h[i + span] >> 15);
    }
    for (size_t i = 0; i < n; i += 16) {
        const size_t end = n - i < 16 ? n : i + 16;
        uint32_t any = 0;
        for (size_t k = i; k < end; k++) any |= h[k] < limit;
        if (!any) continue;
        for (size_t k = i; k < end; k++) {
            if (h[k] >= limit || same(itemsize, elements, k)) continue; /* the inside of a run of zeros is none */
            if (found < room) anchors[found] = (fi_scan_anchor){(uint64_t)h[k] << 32 | window(itemsize, elements, k), start + k};
            found++;
        }
    }
    return found;
}

static size_t FI_SCAN(all)(const fi_scan_plan *plan, const void *elements, uint64_t start, size_t n, fi_scan_sums *sums,
                           uint64_t *hashes, uint8_t *alive, fi_scan_anchor *anchors, size_t room) {
    const size_t itemsize = fi_dtype_size(plan->dtype);
    const uint32_t limit = plan->rarity ? (uint32_t)(1ull << (32 - plan->rarity)) : 0;
    const uint64_t first_row = plan->width ? start / plan->width : 0;
    uint32_t bins[4][FI_SCAN_BINS + 1] = {{0}};
    size_t found = 0;
    for (size_t done = 0; done < n; done += BLOCK) {
        const size_t count = n - done < BLOCK ? n - done : BLOCK, ahead = n - done < FI_SCAN_WINDOW ? 0 : n - done - (FI_SCAN_WINDOW - 1);
        const char *from = (const char *)elements + done * itemsize;
        FI_SCAN(values)(plan, from, count, sums, bins);
        if (limit && ahead) {
            const size_t got = FI_SCAN(anchors)(itemsize, from, ahead < count ? ahead : count, limit, start + done,
                                                anchors + (found < room ? found : room), found < room ? room - found : 0);
            found += got;
        }
        for (size_t i = 0; plan->width && i < count;) {
            const uint64_t at = start + done + i, column = at % plan->width, row = at / plan->width - first_row;
            const uint64_t left = plan->width - column;
            const size_t some = count - i < left ? count - i : (size_t)left;
            hashes[row] += FI_SCAN(row)(itemsize, from + i * itemsize, column, some, plan->factors, alive + row);
            i += some;
        }
    }
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < FI_SCAN_BINS; i++) sums->histogram[i] += bins[k][i];
    }
    return found;
}
