/* Several threads for one long run. */
#ifndef FI_TEAM_H
#define FI_TEAM_H

#include "fastinit.h"

/* One run that threads fill in parts. */
typedef struct {
    uint64_t start, length; /* elements of the stream */
    size_t size;            /* bytes of an element */
    uint64_t part;          /* elements that a thread takes at a time */
    unsigned awake, asleep; /* threads at the most: with helpers that still look out for work; if others must be woken or started */
    unsigned often;         /* after so many parts of its own the caller's thread calls look() */
} fi_team;

/* fi_fill of the team's run by this thread and helpers, which stay for later calls. It returns when none of them writes any
 * more: 0, or, the run then being incomplete, what look() returned. */
int fi_fill_shared(const fi_plan *plan, const fi_key *key, const fi_team *team, int isa, int stream, int (*look)(void),
                   void *out);

#endif
