/* The caller's rounding mode, flush-to-zero and exception flags must neither show in the values nor change. */
#ifndef FI_ENVIRONMENT_H
#define FI_ENVIRONMENT_H

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
/* All arithmetic here is SSE's or later: its control register is enough, and fegetenv takes a microsecond for 64 elements'
 * work, as it reads the x87 state too. */
typedef unsigned fi_environment;

static inline fi_environment fi_environment_default(void) {
    fi_environment caller = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return caller;
}

static inline void fi_environment_restore(fi_environment caller) { _mm_setcsr(caller); }

/* Non-temporal stores are ordered with nothing: before anybody else is told that the values are there. */
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
