/* The caller's thread does its share, so that all is done even if no other is to be had. */
#ifdef __linux__
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "team.h"

enum {
    AWAKE_NS = 100000,     /* that a helper looks out for more: to wake one takes 25 us, as long as half a MiB of gaussians */
    NAP_NS = 50000,
    STACK_BYTES = 1 << 19, /* some systems give less than kernels want */
};

/* One call's work. Its parts are taken in order, by whoever is free. */
typedef struct {
    const fi_plan *plan;
    const fi_key *key;
    const fi_team *team;
    int isa, stream;
    char *out;
    uint64_t parts;
    atomic_uint_fast64_t next; /* part that nobody has taken */
    atomic_uint gone;          /* helpers that have taken their last part and will not look at this again */
} work;

/* A thread of ours, which stays for later calls. In its box is what it is to do, or a mark: that it has nothing to do, that
 * it must be woken first, that it is at work. */
typedef struct helper {
    struct helper *next;
    _Atomic(work *) box;
    pthread_t thread;
    pthread_mutex_t mutex; /* of falling asleep and being woken */
    pthread_cond_t woken;
} helper;
static work ready[1], asleep[1], busy[1];
static _Atomic(helper *) helpers;
static atomic_uint started;
static _Atomic(int64_t) ended; /* when the last call did */

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A turn of a loop that waits for memory to change; 0 when that has taken until then. */
static int spin(unsigned turn, int64_t until) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
    return turn % 16 || now() < until;
}

/* Puts `letter` in the box if `mark` was in it. */
static int post(helper *h, work *mark, work *letter) { return atomic_compare_exchange_strong(&h->box, &mark, letter); }

static int fill_part(work *w) {
    const uint64_t i = atomic_fetch_add(&w->next, 1);
    if (i >= w->parts) return 0;
    const uint64_t first = i * w->team->part, rest = w->team->length - first;
    const fi_runs runs = {.start = w->team->start + first, .length = rest < w->team->part ? rest : w->team->part, .count = 1};
    fi_fill(w->plan, w->key, &runs, w->isa, w->stream, w->out + first * w->team->size);
    return 1;
}

/* What comes into the box; `ready` if it was taken back before this thread had woken. */
static work *letter_of(helper *h) {
    const int64_t until = now() + AWAKE_NS;
    work *letter;
    for (unsigned turn = 1; (letter = h->box) == ready; turn++) {
        if (spin(turn, until)) continue;
        pthread_mutex_lock(&h->mutex);
        if (post(h, ready, asleep)) {
            while ((letter = h->box) == asleep) pthread_cond_wait(&h->woken, &h->mutex);
        } else letter = h->box;
        pthread_mutex_unlock(&h->mutex);
        break;
    }
    return letter;
}

static void *help(void *of_this_thread) {
    helper *h = of_this_thread;
    for (;;) {
        work *w = letter_of(h);
        if (w == ready || !post(h, w, busy)) continue;
        while (fill_part(w)) {}
        atomic_fetch_add(&w->gone, 1);
        h->box = ready;
    }
    return 0;
}

/* A forked child has none of the threads. */
static void forget(void) {
    atomic_store(&helpers, (helper *)0);
    started = 0;
}

static void forget_in_children(void) { pthread_atfork(0, 0, forget); }

/* Linux may wake a helper on the CPU that it is woken from, though others idle, and let the two take turns there for
 * milliseconds: it gets all others. */
static void wake(helper *h) {
#ifdef __linux__
    cpu_set_t cpus;
    const int here = sched_getcpu();
    if (here >= 0 && !sched_getaffinity(0, sizeof cpus, &cpus)) {
        if (CPU_COUNT(&cpus) > 1) CPU_CLR((unsigned)here, &cpus);
        pthread_setaffinity_np(h->thread, sizeof cpus, &cpus);
    }
#endif
    pthread_mutex_lock(&h->mutex); /* else it could be between looking into its box and waiting */
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->mutex);
}

/* A new helper for this work, if there are fewer than `most` and the system gives one. */
static int start(work *w, unsigned most) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, forget_in_children);
    helper *h = atomic_fetch_add(&started, 1) < most ? calloc(1, sizeof *h) : 0;
    pthread_attr_t attributes;
    if (!h || pthread_attr_init(&attributes)) goto none;
    h->box = w;
    pthread_mutex_init(&h->mutex, 0);
    pthread_cond_init(&h->woken, 0);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before; /* signals are for the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&h->thread, &attributes, help, h);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    pthread_attr_destroy(&attributes);
    if (failed) goto none;
    h->next = helpers;
    while (!atomic_compare_exchange_weak(&helpers, &h->next, h)) {}
    return 1;
none:
    free(h);
    atomic_fetch_sub(&started, 1);
    return 0;
}

int fi_fill_shared(const fi_plan *plan, const fi_key *key, const fi_team *team, int isa, int stream, int (*look)(void),
                   void *out) {
    work w = {.plan = plan, .key = key, .team = team, .isa = isa, .stream = stream, .out = out,
              .parts = (team->length + team->part - 1) / team->part};
    unsigned given = 0;
    for (helper *h = helpers; h && given + 1 < team->awake; h = h->next) given += post(h, ready, &w);
    /* Where call follows call it pays to have helpers awake. */
    const unsigned threads = now() - ended < AWAKE_NS ? team->awake : team->asleep;
    for (helper *h = helpers; h && given + 1 < threads; h = h->next) {
        if (!post(h, asleep, &w)) continue;
        given++;
        wake(h);
    }
    while (given + 1 < threads && start(&w, threads - 1)) given++;
    int stopped = 0;
    for (uint64_t i = 1; !stopped && fill_part(&w); i++) {
        if (i % team->often == 0) stopped = look();
    }
    if (stopped) w.next = w.parts;
    for (helper *h = helpers; h; h = h->next) given -= post(h, &w, ready); /* from those that have not begun */
    const int64_t until = now() + AWAKE_NS;
    for (unsigned turn = 1; w.gone < given; turn++) {
        if (!spin(turn, until)) nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, 0);
    }
    ended = now();
    return stopped;
}
