/* The constants of PCG with DXSM output, 64-bit states and 32-bit words (setseq_dxsm_64_32 of pcg-cpp), and its jump-ahead. The
 * output function is in kernels.inc.h. */
#ifndef FI_PCG_H
#define FI_PCG_H

#include <stdint.h>

#define FI_PCG_MULT 6364136223846793005u
#define FI_DXSM_MULT 0x4c957f2du /* low half of FI_PCG_MULT */

/* n steps are one affine map: state -> power * state + series * inc, with power = M^n and
 * series = 1 + M + ... + M^(n-1), all modulo 2^64. */
typedef struct {
    uint64_t power, series;
} fi_jump;

static inline fi_jump fi_jump_of(uint64_t n) {
    fi_jump all = {1, 0}, step = {FI_PCG_MULT, 1};
    for (; n; n >>= 1) { /* square and multiply: F. Brown, "Random number generation with arbitrary strides", 1994 */
        if (n & 1) {
            all.series = all.series * step.power + step.series;
            all.power *= step.power;
        }
        step.series *= step.power + 1;
        step.power *= step.power;
    }
    return all;
}

static inline uint64_t fi_jump_by(uint64_t state, uint64_t inc, uint64_t n) {
    fi_jump j = fi_jump_of(n);
    return j.power * state + j.series * inc;
}

#endif
