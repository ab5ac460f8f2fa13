/* Several threads for many parts of work. Unlike the rest of the core this starts threads, which it keeps. */
#ifndef FI_TEAM_H
#define FI_TEAM_H

#include "jobs.h"

/* Who works. */
typedef struct {
    unsigned most_if_awake;  /* threads, the caller's included, if helpers look out for work or a call has just ended */
    unsigned most_if_asleep; /* threads if helpers must be woken or started */
    char *staging;           /* for each of the threads as much as fi_cut was told; NULL if no job is scattered */
    size_t staging_bytes;    /* of one thread */
} fi_team;

/* Does part i of what `of` is. `place` is this thread's own, null before its first part; a thread's parts ascend. */
typedef void fi_part_fn(const void *of, uint64_t i, const void **place, char *staging);

/* Does all of the parts by this thread and helpers. It returns when none of them writes any more: 0, or what look() returned,
 * the work then being incomplete. look, which may be null, is called by this thread between two parts, at most every 20 ms; what
 * is not 0 stops the work. It may fork: the child does all parts by itself, some of them for a second time. */
int fi_share(fi_part_fn *part, const void *of, uint64_t parts, const fi_team *team, int (*look)(void));

/* Fills all of the jobs, which fi_cut has cut. */
int fi_fill_jobs(const fi_job *jobs, size_t count, const fi_team *team, int isa, int (*look)(void));

/* Nanoseconds since some moment. */
int64_t fi_now(void);

#endif
