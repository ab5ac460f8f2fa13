/* The caller's thread takes parts as helpers do, so that all is done even if the system gives no other thread. */
#if defined(__linux__) && !defined(__ANDROID__)
#define HAS_AFFINITY
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#endif
#include "team.h"

#ifdef _MSC_VER /* has no POSIX threads: the caller's alone */
#include <time.h>

int64_t fi_now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int fi_share(fi_part_fn *part, const void *of, uint64_t parts, const fi_team *team, int (*look)(void)) {
    const void *place = 0;
    int stopped = 0;
    for (uint64_t i = 0; !stopped && i < parts; i++) {
        part(of, i, &place, team->staging);
        if (look) stopped = look();
    }
    return stopped;
}
#else
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LINGER_NS = 100000,    /* that a helper looks out for more: to wake one takes 25 us, as long as half a MiB of gaussians */
    NAP_NS = 50000,        /* between looks at whether the helpers are done, once that takes longer */
    STACK_BYTES = 1 << 19, /* some systems give less than kernels want */
    LINE = 64,
};
#ifndef LOOK_NS
#define LOOK_NS 20000000 /* an interrupt is to be answered within a fifth of a second */
#endif

/* One call's work, on that call's stack. Its parts are taken in order, by whoever is free. */
typedef struct {
    fi_part_fn *part;
    const void *of;
    const fi_team *team;
    uint64_t parts;
    atomic_uint_fast64_t next; /* part that nobody has taken */
    atomic_uint begun;         /* helpers that have begun; each takes staging memory of its own by its number */
    atomic_uint gone;          /* helpers that have filled their last part and will not look at this again */
} work;

/* A thread of ours, which stays for later calls. Its mailbox holds a mark or a letter: the address of a call's work, with which
 * it is to help. A new helper has its first letter in the mailbox.
 *
 *                1 caller posts              3 helper opens
 *        ready --------------------> letter ----------------> busy
 *         | ^  <--------------------    ^                      |
 *         | |     2 caller takes        |                      |
 *         | |       it back             |                      |
 *         | +---------------------------|----------------------+
 *         | 5 helper has looked         |    4 helper is done
 *         v   out for LINGER_NS         |
 *       asleep -------------------------+
 *                6 caller posts and wakes
 *
 * All moves but 4 are compare-exchanges: where two threads want to move a mailbox, only one does, and the other learns it.
 * 1 or 1, 6 or 6: two callers post. The letter of one is in the mailbox, and the other goes on to the next helper.
 * 1 or 5: a letter comes while the helper falls asleep. Either it does not, or the caller finds it asleep: 6.
 * 2 or 3: a letter is taken back or opened. The caller stays until the helpers that have opened it are gone, and a helper reads
 *   a letter only after opening it, so the work is there. Should another call have posted since, with its work at the same
 *   address, then it is that call's letter which is opened.
 * 4: nobody else moves a mailbox that is busy. The helper has counted itself gone before and does not look at the work again.
 * 5 then 6: the helper has the mutex from 5 on until it waits, and the caller takes it after 6, in wake(). So the helper sees
 *   the letter before it waits, or waits when the signal comes. A letter is taken back only after that: a helper whose mailbox
 *   is ready is awake or has been signalled, and 1 need not wake it. */
typedef struct helper {
    _Alignas(LINE) _Atomic(work *) mailbox;
    struct helper *next;
    pthread_t thread;
    pthread_mutex_t mutex; /* of falling asleep and being woken */
    pthread_cond_t woken;
    int waits;             /* for woken */
#ifdef HAS_AFFINITY
    int moved;
    cpu_set_t cpus; /* if it was moved: those it had before */
#endif
} helper;
static work ready[1], asleep[1], busy[1];
static _Atomic(helper *) helpers;
static atomic_uint started, forks;
static _Atomic(int64_t) last_call_ended;

/* A forked child has none of the threads. */
static void forget(void) {
    helpers = NULL;
    started = 0;
    forks++;
}

__attribute__((constructor)) static void forget_in_children(void) { pthread_atfork(0, 0, forget); }

int64_t fi_now(void) {
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
    return turn % 16 || fi_now() < until;
}

/* Moves the mailbox from state to state if it is in the first. Looks before: an exchange takes the line from other CPUs. */
static int move(helper *h, work *from, work *to) {
    return h->mailbox == from && atomic_compare_exchange_strong(&h->mailbox, &from, to);
}

/* Where a thread is in the work; thread 0 is the caller's. */
typedef struct {
    const void *place;
    char *staging;
} worker;

static worker worker_of(const work *w, unsigned thread) {
    return (worker){NULL, w->team->staging ? w->team->staging + thread * w->team->staging_bytes : NULL};
}

/* Takes a part, if one is left. */
static int take(work *w, worker *here) {
    const uint64_t i = atomic_fetch_add(&w->next, 1);
    if (i >= w->parts) return 0;
    w->part(w->of, i, &here->place, here->staging);
    return 1;
}

/* Linux may wake a helper on the CPU that it is woken from, though others idle, and let the two take turns there for
 * milliseconds. So it is kept off that one until it runs. */
#ifdef HAS_AFFINITY
static void keep_off_this_cpu(helper *h) {
    const int here = sched_getcpu();
    if (h->moved) return; /* woken already, it has not come to move itself back: what it had before is known */
    if (here < 0 || pthread_getaffinity_np(h->thread, sizeof h->cpus, &h->cpus)) return;
    cpu_set_t others = h->cpus;
    CPU_CLR((unsigned)here, &others);
    h->moved = CPU_COUNT(&others) && !pthread_setaffinity_np(h->thread, sizeof others, &others);
}

static void back_to_all_cpus(helper *h) {
    if (h->moved) pthread_setaffinity_np(h->thread, sizeof h->cpus, &h->cpus);
    h->moved = 0;
}
#else
static void keep_off_this_cpu(helper *h) { (void)h; }
static void back_to_all_cpus(helper *h) { (void)h; }
#endif

static void wake(helper *h) {
    pthread_mutex_lock(&h->mutex);
    if (h->waits) { /* else it is awake and will look into its mailbox */
        keep_off_this_cpu(h);
        pthread_cond_signal(&h->woken);
    }
    pthread_mutex_unlock(&h->mutex);
}

/* Until a letter comes, which may have been taken back when this returns. */
static void sleep_until_woken(helper *h) {
    pthread_mutex_lock(&h->mutex);
    move(h, ready, asleep); /* unless a letter has just come */
    for (h->waits = 1; h->mailbox == asleep;) pthread_cond_wait(&h->woken, &h->mutex);
    h->waits = 0;
    back_to_all_cpus(h);
    pthread_mutex_unlock(&h->mutex);
}

static void await_letter(helper *h) {
    const int64_t until = fi_now() + LINGER_NS;
    for (unsigned turn = 1; h->mailbox == ready; turn++) {
        if (spin(turn, until)) continue;
        sleep_until_woken(h);
        return;
    }
}

static void *help(void *of_this_thread) {
    helper *h = of_this_thread;
    for (;;) {
        await_letter(h);
        work *w = h->mailbox;
        if (w == ready || !move(h, w, busy)) continue; /* taken back */
        worker here = worker_of(w, atomic_fetch_add(&w->begun, 1) + 1);
        while (take(w, &here)) {}
        atomic_fetch_add(&w->gone, 1);
        h->mailbox = ready;
    }
    return 0;
}

/* Without the signals that are for the program's own threads; those that a thread's own doing raises it must take. */
static int create(helper *h, const pthread_attr_t *attributes) {
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&blocked, own[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const int error = pthread_create(&h->thread, attributes, help, h);
    pthread_sigmask(SIG_SETMASK, &before, 0);
    return error;
}

/* A new helper for this work, if there are fewer than `most` and the system gives one. */
static int start(work *w, unsigned most) {
    pthread_attr_t attributes;
    void *memory = NULL;
    if (atomic_fetch_add(&started, 1) >= most || posix_memalign(&memory, LINE, sizeof(helper))) goto none;
    if (pthread_attr_init(&attributes)) goto none;
    helper *h = memset(memory, 0, sizeof(helper));
    h->mailbox = w;
    pthread_mutex_init(&h->mutex, 0);
    pthread_cond_init(&h->woken, 0);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int error = create(h, &attributes);
    pthread_attr_destroy(&attributes);
    if (error) {
        pthread_cond_destroy(&h->woken);
        pthread_mutex_destroy(&h->mutex);
        goto none;
    }
    h->next = helpers;
    while (!atomic_compare_exchange_weak(&helpers, &h->next, h)) {}
    return 1;
none:
    free(memory);
    atomic_fetch_sub(&started, 1);
    return 0;
}

/* How many helpers got the work. */
static unsigned hand_out(work *w) {
    /* Where call follows call it pays to wake more helpers: they are then awake for the calls that follow. */
    const int soon = fi_now() - last_call_ended < LINGER_NS;
    const unsigned awake = w->team->most_if_awake, all = soon ? awake : w->team->most_if_asleep;
    unsigned given = 0;
    for (helper *h = helpers; h && given + 1 < awake; h = h->next) given += (unsigned)move(h, ready, w);
    /* To wake or start a thread takes time, in which the threads before it may have done all. */
    for (helper *h = helpers; h && given + 1 < all && w->next < w->parts; h = h->next) {
        if (!move(h, asleep, w)) continue;
        given++;
        wake(h);
    }
    while (given + 1 < all && w->next < w->parts && start(w, all - 1)) given++;
    return given;
}

int fi_share(fi_part_fn *part, const void *of, uint64_t parts, const fi_team *team, int (*look)(void)) {
    work w = {.part = part, .of = of, .team = team, .parts = parts};
    const unsigned forks_before = forks;
    unsigned given = hand_out(&w);
    int stopped = 0;
    worker here = worker_of(&w, 0);
    for (int64_t looked = fi_now(); !stopped && take(&w, &here);) {
        if (!look || fi_now() - looked < LOOK_NS) continue;
        stopped = look();
        if (forks != forks_before && given) { /* look() forked, and this is the child: the helpers' parts are missing */
            given = 0;
            here = worker_of(&w, 0);
            w.next = 0;
        }
        looked = fi_now();
    }
    if (stopped) w.next = w.parts;
    for (helper *h = helpers; h; h = h->next) given -= (unsigned)move(h, &w, ready); /* takes back what nobody has opened */
    const int64_t until = fi_now() + LINGER_NS;
    for (unsigned turn = 1; w.gone < given; turn++) {
        if (!spin(turn, until)) nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, 0);
    }
    last_call_ended = fi_now();
    return stopped;
}
#endif

typedef struct {
    const fi_job *jobs;
    int isa;
} filling;

/* `place` is the job of the last part: where the search for the next one begins. */
static void fill_part(const void *of, uint64_t i, const void **place, char *staging) {
    const filling *f = of;
    const fi_job *job = *place ? *place : f->jobs;
    while (i - job->cut.first >= job->cut.parts) job++;
    fi_fill_part(job, i - job->cut.first, f->isa, staging);
    *place = job;
}

int fi_fill_jobs(const fi_job *jobs, size_t count, const fi_team *team, int isa, int (*look)(void)) {
    const filling f = {jobs, isa};
    return fi_share(fill_part, &f, count ? jobs[count - 1].cut.first + jobs[count - 1].cut.parts : 0, team, look);
}
