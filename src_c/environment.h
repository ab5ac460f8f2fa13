/* The caller's rounding mode, flush-to-zero and exception flags must not show in the values, and are left as they were. */
#ifndef FI_ENVIRONMENT_H
#define FI_ENVIRONMENT_H

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
/* All arithmetic here is SSE's or later, so its control register is enough. fegetenv and fesetenv move the x87 state too, which
 * takes longer than a fill of 64 elements. */
typedef unsigned fi_environment;

static inline fi_environment fi_environment_default(void) {
    fi_environment caller = _mm_getcsr();
    _mm_setcsr(0x1f80); /* as a program starts: to nearest even, subnormals kept, no traps, no flags */
    return caller;
}

static inline void fi_environment_restore(fi_environment caller) { _mm_setcsr(caller); }

/* Before another thread is told that the values are there: non-temporal stores may be seen after later ordinary ones. */
static inline void fi_fence(void) { _mm_sfence(); }

#else
#include <fenv.h>
typedef fenv_t fi_environment;

static inline fi_environment fi_environment_default(void) {
    fi_environment caller;
    fegetenv(&caller);
    fesetenv(FE_DFL_ENV);
    return caller;
}

static inline void fi_environment_restore(fi_environment caller) { fesetenv(&caller); }
static inline void fi_fence(void) {}
#endif

#endif
