/* Tensors to fill, cut into parts that any thread may take, in any order. */
#ifndef FI_JOBS_H
#define FI_JOBS_H

#include "fastinit.h"

/* An axis, or several that can be gone along as one: its size and, from one index to the next, the elements of the stream and
 * the bytes of memory. */
typedef struct {
    uint64_t n, stride;
    int64_t pitch;
} fi_axis;

/* How a job is cut: see fi_cut. */
typedef struct {
    uint64_t first, parts; /* the number of its first part, of all jobs' parts, and how many it has */
    uint64_t length;       /* of a run: elements that follow one another in the stream and in memory */
    uint64_t pieces;       /* of a run, if it is too long for one part */
    uint64_t rows;         /* runs in a part; of scattered memory, indices of `axis` in a tile */
    uint64_t tiles;        /* of scattered memory, several in a part */
    unsigned axes, axis;   /* those before the run; which of them the rows are along */
    int scattered;
} fi_cuts;

/* The element of index (i0, i1, ...) is the stream's start + sum i * stride, and goes to byte sum i * pitch from `to`. */
typedef struct {
    const fi_plan *plan;
    fi_key key;
    uint64_t start;
    char *to;
    const fi_axis *axes; /* outermost first */
    unsigned axis_count;
    int nontemporal;     /* stores bypass the caches, in runs that are worth it */
    uint64_t most;       /* elements that a part has at most, but for short runs at least one run; > 0 */
    uint64_t overhead;   /* to start on a run takes as long as so many elements */
    fi_cuts cut;
} fi_job;

enum { FI_MOST_AXES = 64 }; /* as many as NumPy has */

/* Cuts the jobs. Memory whose neighbours are not neighbours in the stream is filled by way of a copy of at most `staging`
 * bytes, which must hold an element; returns whether there is such. */
int fi_cut(fi_job *jobs, size_t count, size_t staging);

/* Fills a part, by its number within the job. `staging` is this thread's. */
void fi_fill_part(const fi_job *job, uint64_t part, int isa, char *staging);

#endif
