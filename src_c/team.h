/* Several threads for one long run. Unlike the rest of the core this starts threads, which it keeps. */
#ifndef FI_TEAM_H
#define FI_TEAM_H

#include "fastinit.h"

/* One run that threads fill in parts. */
typedef struct {
    uint64_t start, length;  /* elements of the stream */
    size_t size;             /* bytes of an element */
    uint64_t part;           /* elements that a thread takes at a time, at least one */
    unsigned most_if_awake;  /* threads, the caller's included, if helpers look out for work or a call has just ended */
    unsigned most_if_asleep; /* threads if helpers must be woken or started */
} fi_team;

/* fi_fill of the team's run by this thread and helpers. It returns when none of them writes any more: 0, or what look()
 * returned, the run then being incomplete. look, which may be null, is called by this thread between two parts, at most every
 * 20 ms; what is not 0 stops the work. It may fork: the child does all by itself. */
int fi_fill_shared(const fi_plan *plan, const fi_key *key, const fi_team *team, int isa, int nontemporal, int (*look)(void),
                   void *out);

#endif
