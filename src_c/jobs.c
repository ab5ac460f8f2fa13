/* Which elements a part has, and where they go. */
#include <string.h>

#include "jobs.h"

enum {
    TILES = 8,                /* in a part: tiles that lie side by side share lines, which two threads would fight over */
    DIRECT = 64,              /* elements of a run from which on it is written to where it belongs; shorter ones are staged */
    NONTEMPORAL_RUN = 1 << 17 /* bytes of a run, as its ends are written in the ordinary way */
};

static size_t size_of(const fi_job *job) { return fi_dtype_size(job->plan->dtype); }

static uint64_t over(uint64_t n, uint64_t by) { return n / by + (n % by != 0); }

/* Parts of whole runs along the longest axis before the run, or of pieces of a run. */
static void cut_runs(fi_job *job, size_t size) {
    fi_cuts *cut = &job->cut;
    cut->length = 1;
    cut->axes = job->axis_count;
    if (cut->axes) {
        const fi_axis *last = job->axes + cut->axes - 1;
        if (last->stride == 1 && last->pitch == (int64_t)size) {
            cut->length = last->n;
            cut->axes--;
        }
    }
    cut->axis = 0;
    for (unsigned a = 1; a < cut->axes; a++) {
        if (job->axes[a].n > job->axes[cut->axis].n) cut->axis = a;
    }
    cut->pieces = cut->length > job->most ? over(cut->length, job->most) : 1;
    const uint64_t a_run = cut->length + job->overhead;
    cut->rows = cut->pieces == 1 && a_run && job->most > a_run ? job->most / a_run : 1;
    cut->parts = cut->pieces;
    for (unsigned a = 0; a < cut->axes; a++) cut->parts *= a == cut->axis ? over(job->axes[a].n, cut->rows) : job->axes[a].n;
}

/* Tiles of as many of the innermost axes as have at most `most` elements, and rows of the next one. */
static void cut_tiles(fi_job *job, uint64_t most) {
    fi_cuts *cut = &job->cut;
    uint64_t inner = 1;
    unsigned a = job->axis_count;
    while (a && job->axes[a - 1].n <= most / inner) inner *= job->axes[--a].n;
    cut->axes = a;
    cut->axis = a ? a - 1 : 0;
    cut->rows = most / inner ? most / inner : 1;
    cut->tiles = 1;
    for (unsigned b = 0; b < a; b++) cut->tiles *= b == cut->axis ? over(job->axes[b].n, cut->rows) : job->axes[b].n;
    cut->parts = over(cut->tiles, TILES);
}

/* Whether the memory has no gaps and lies in the stream's order, or in long runs. */
static int is_direct(const fi_job *job, size_t size) {
    int64_t reach = (int64_t)size;
    for (unsigned a = job->axis_count; a--; reach *= (int64_t)job->axes[a].n) {
        if (job->axes[a].pitch != reach) {
            const fi_axis *last = job->axes + job->axis_count - 1;
            return last->stride == 1 && last->pitch == (int64_t)size && last->n >= DIRECT;
        }
    }
    return 1;
}

static int is_empty(const fi_job *job) {
    for (unsigned a = 0; a < job->axis_count; a++) {
        if (!job->axes[a].n) return 1;
    }
    return 0;
}

int fi_cut(fi_job *jobs, size_t count, size_t staging) {
    int scattered = 0;
    uint64_t first = 0;
    for (fi_job *job = jobs; job < jobs + count; job++) {
        const size_t size = size_of(job);
        job->cut = (fi_cuts){.first = first};
        if (is_empty(job)) continue;
        job->cut.scattered = !is_direct(job, size);
        if (job->cut.scattered) {
            const uint64_t room = staging / size, most = job->most / TILES;
            cut_tiles(job, room < most ? room : most);
        } else cut_runs(job, size);
        scattered |= job->cut.scattered;
        first += job->cut.parts;
    }
    return scattered;
}

/* Where a part begins, from where the job does; and how many rows it has. */
typedef struct {
    uint64_t element, rows;
    int64_t byte;
} place;

static place place_of(const fi_job *job, uint64_t part) {
    const fi_cuts *cut = &job->cut;
    place p = {0, 1, 0};
    for (unsigned a = cut->axes; a--;) {
        const fi_axis *axis = job->axes + a;
        const uint64_t n = a == cut->axis ? over(axis->n, cut->rows) : axis->n;
        uint64_t i = part % n;
        part /= n;
        if (a == cut->axis) {
            i *= cut->rows;
            p.rows = axis->n - i < cut->rows ? axis->n - i : cut->rows;
        }
        p.element += i * axis->stride;
        p.byte += (int64_t)i * axis->pitch;
    }
    return p;
}

static void fill_runs(const fi_job *job, uint64_t part, int isa) {
    const fi_cuts *cut = &job->cut;
    const uint64_t skipped = part % cut->pieces * job->most, rest = cut->length - skipped;
    const place p = place_of(job, part / cut->pieces);
    fi_runs runs = {.start = job->start + p.element + skipped, .length = cut->pieces > 1 && rest > job->most ? job->most : rest,
                    .count = p.rows};
    if (cut->axes) {
        runs.stride = job->axes[cut->axis].stride;
        runs.pitch = job->axes[cut->axis].pitch;
    }
    const size_t size = size_of(job);
    const int nontemporal = job->nontemporal && cut->length * size >= NONTEMPORAL_RUN;
    fi_fill(job->plan, &job->key, &runs, isa, nontemporal, job->to + p.byte + skipped * size);
}

/* A box of the stream to contiguous memory. */
static void fill_box(const fi_job *job, uint64_t start, const fi_axis *axes, unsigned count, int isa, char *to) {
    fi_axis merged[FI_MOST_AXES];
    unsigned a = FI_MOST_AXES; /* from the last one on, so that neighbours in the stream become one axis */
    int64_t reach = (int64_t)size_of(job);
    for (unsigned i = count; i--; reach *= (int64_t)axes[i].n) {
        if (a < FI_MOST_AXES && axes[i].stride == merged[a].n * merged[a].stride) merged[a].n *= axes[i].n;
        else merged[--a] = (fi_axis){axes[i].n, axes[i].stride, reach};
    }
    fi_job box = {.plan = job->plan, .key = job->key, .start = start, .to = to, .axes = merged + a,
                  .axis_count = FI_MOST_AXES - a, .most = UINT64_MAX};
    cut_runs(&box, size_of(job));
    for (uint64_t part = 0; part < box.cut.parts; part++) fill_runs(&box, part, isa);
}

/* The sizes as constants, and four at a time: as fast as memory takes them. */
static inline void copy_sized(char *to, int64_t pitch, const char *from, int64_t step, uint64_t n, const size_t size) {
    for (; n >= 4; n -= 4, to += 4 * pitch, from += 4 * step) {
        memcpy(to, from, size);
        memcpy(to + pitch, from + step, size);
        memcpy(to + 2 * pitch, from + 2 * step, size);
        memcpy(to + 3 * pitch, from + 3 * step, size);
    }
    for (; n--; to += pitch, from += step) memcpy(to, from, size);
}

static void copy_elements(char *to, int64_t pitch, const char *from, int64_t step, uint64_t n, size_t size) {
    if (size == 2) copy_sized(to, pitch, from, step, n, 2);
    else if (size == 4) copy_sized(to, pitch, from, step, n, 4);
    else copy_sized(to, pitch, from, step, n, 8);
}

/* A contiguous box to where its elements belong. Innermost goes the axis along which memory is nearest, so that a line that was
 * fetched is written as a whole. */
static void scatter(const fi_axis *axes, unsigned count, size_t size, const char *from, char *to) {
    uint64_t index[FI_MOST_AXES] = {0};
    int64_t step[FI_MOST_AXES], reach = (int64_t)size;
    unsigned near = count - 1;
    for (unsigned a = count; a--; reach *= (int64_t)axes[a].n) {
        step[a] = reach;
        const int64_t pitch = axes[a].pitch, nearest = axes[near].pitch;
        if ((pitch < 0 ? -pitch : pitch) < (nearest < 0 ? -nearest : nearest)) near = a;
    }
    for (;;) {
        copy_elements(to, axes[near].pitch, from, step[near], axes[near].n, size);
        unsigned a = count;
        while (a--) { /* the next index of the other axes */
            if (a == near) continue;
            to += axes[a].pitch;
            from += step[a];
            if (++index[a] < axes[a].n) break;
            to -= (int64_t)axes[a].n * axes[a].pitch;
            from -= (int64_t)axes[a].n * step[a];
            index[a] = 0;
        }
        if (a == UINT32_MAX) return;
    }
}

static void fill_tile(const fi_job *job, uint64_t tile, int isa, char *staging) {
    const fi_cuts *cut = &job->cut;
    const place p = place_of(job, tile);
    fi_axis axes[FI_MOST_AXES];
    const unsigned count = job->axis_count - cut->axis;
    memcpy(axes, job->axes + cut->axis, count * sizeof *axes);
    if (cut->axes) axes[0].n = p.rows;
    fill_box(job, job->start + p.element, axes, count, isa, staging);
    scatter(axes, count, size_of(job), staging, job->to + p.byte);
}

void fi_fill_part(const fi_job *job, uint64_t part, int isa, char *staging) {
    if (!job->cut.scattered) {
        fill_runs(job, part, isa);
        return;
    }
    const uint64_t first = part * TILES, left = job->cut.tiles - first;
    for (uint64_t i = 0; i < TILES && i < left; i++) fill_tile(job, first + i, isa, staging);
}
