/* The stream on CUDA devices: thin kernels over the one kernel text, compiled at run time for the device at hand (NVRTC, C++ with
 * every function a device's; fastinit/cuda/compiling.py has the flags, without which operations would be fused or flushed) or,
 * by tests, for the host, where loops stand for the grid.
 *
 * A group of 32 words is four quarters of its first half and of its second; a thread makes, from a quarter of each, 16 bytes of
 * the kernel's type twice over. So a warp's stores fill whole sectors, and a step of the generator costs one product a word. */
#ifdef __CUDACC_RTC__ /* has no headers: these are what the text wants of them */
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t, uintptr_t, size_t;
int memcmp(const void *, const void *, size_t);
#else
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif
#define _Alignas alignas
#define _Static_assert static_assert
#define FI_LANES 1
#include "kernels.inc.h"

enum { FI_DEVICE_AXES = 8 };

/* A block of a tensor. Run j of its `runs` begins at the element and byte that its indices on the axes, outermost first, give;
 * its elements lie `spacing` bytes apart. */
struct fi_device_block {
    fi_plan plan;
    fi_key key; /* the increments' lowest bits are set */
    char *to;
    uint64_t start, length, runs;
    int64_t spacing;
    uint64_t across; /* threads side by side on a run, a multiple of 4 */
    uint64_t axes;
    struct { uint64_t n, stride; int64_t pitch; } axis[FI_DEVICE_AXES];
    /* Steps of words and of redraws: from a group's first half to its second, from a thread's turn to its next one; of redraws
     * also by 1 and 2 elements. */
    struct step { uint64_t power, plus; } half, turn, redraw_one, redraw_two, redraw_half, redraw_turn, redraw_two_turns;
};
typedef fi_device_block::step fi_step;

#ifdef __CUDACC__
SI unsigned lowest_set(uint32_t x) { return __ffs(x) - 1; }
#else
SI unsigned lowest_set(uint32_t x) { return __builtin_ctz(x); }
#endif

SI uint64_t stepped(fi_step by, uint64_t state) { return by.power * state + by.plus; }

/* The four words from a state on. */
SI void quarter(uint64_t state, uint64_t inc, uint32_t *words) {
    for (int i = 0; i < 4; i++, state = state * FI_PCG_MULT + inc) words[i] = dxsm(&state, 1);
}

/* What the text has by suffix, as a type. */
#define REAL(T) \
    struct real_##T { \
        typedef v_##T real; \
        enum { N = 16 / sizeof(real), DOUBLES = sizeof(real) == 8 }; \
        SI void draw(const fi_plan *p, int dist, const uint32_t *first, const uint32_t *second, real *x, uint32_t *accepted) { \
            for (int i = 0; i < N; i++) { \
                const auto a = unit_##T(first, i), b = unit_##T(second, i); \
                real k, r; \
                unsigned is = 1; \
                if (dist == FI_uniform) { \
                    x[i] = clamp_##T(uniform_value_##T(p, a, &k), p->least, p->most); \
                    x[N + i] = clamp_##T(uniform_value_##T(p, b, &k), p->least, p->most); \
                } else if (dist == FI_normal || dist == FI_trunc_normal) { \
                    radius_##T(&a, &r, 1); \
                    box_muller_##T(p, &r, &b, x + i, x + N + i, 1); \
                    if (dist == FI_trunc_normal) { \
                        is = inside_##T(p, x[i], 0); \
                        *accepted |= inside_##T(p, x[N + i], 0) << (N + i); \
                    } \
                } else candidates_##T(p, dist, &a, &b, x + i, &is, 1); \
                *accepted |= is << i; \
            } \
        } \
        SI real redraw(const fi_plan *p, int dist, uint64_t state, uint64_t inc) { \
            real x; \
            unsigned accepted = 0; \
            for (int round = 0; !accepted && round < FI_REDRAW_WORDS / 2 / (1 + DOUBLES); round++) { \
                const auto a = next_##T(&state, inc), b = next_##T(&state, inc); \
                candidates_##T(p, dist, &a, &b, &x, &accepted, 1); \
            } \
            return x; \
        } \
    };
REAL(f32)
REAL(f64)

/* Elements as they are stored. */
struct alignas(16) bytes_16 { uint64_t word[2]; };
template <class R, int dtype> struct stored;
template <class R> struct stored_real {
    typedef typename R::real element;
    typedef bytes_16 all; /* those that a thread stores at once */
    SI element of(const fi_plan *, int, typename R::real x) { return x; }
};
template <> struct stored<real_f32, FI_f32> : stored_real<real_f32> {};
template <> struct stored<real_f64, FI_f64> : stored_real<real_f64> {};
template <int dtype> struct stored<real_f32, dtype> {
    typedef uint16_t element;
    typedef uint64_t all;
    SI element of(const fi_plan *p, int dist, float x) {
        if (dist != FI_normal && dist != FI_uniform) x = clamp_f32(x, p->least, p->most);
        return (uint16_t)(dtype == FI_f16 ? round_f16(x) : round_bf16(x) >> 16);
    }
};

/* N elements to memory at once. */
template <class R, int dtype, class E> SI void put(char *to, const E *x) {
    typename stored<R, dtype>::all together;
    memcpy(&together, x, sizeof together);
    *(decltype(together) *)to = together;
}

/* Of N elements those that the run has, its first one being element -at of them; `to` is where element 0 belongs or would. */
template <class R, class E> SI void put_within(const fi_device_block &b, int64_t at, char *to, const E *x) {
    for (int i = 0; i < R::N; i++) {
        if (at + i >= 0 && at + i < (int64_t)b.length) *(E *)(to + i * b.spacing) = x[i];
    }
}

template <class R, int dist, int dtype> SI void fill(const fi_device_block &b, uint64_t id, uint64_t threads) {
    typedef stored<R, dtype> S;
    typedef typename S::element element;
    enum {
        N = R::N,
        BOTH = dist != FI_trunc_narrow && dist != FI_trunc_tail, /* halves of a group's words make elements */
        HALF = 4 * N,
        GROUP = BOTH ? 2 * HALF : HALF,
        TRUNCATED = dist == FI_trunc_normal || !BOTH,
        TURNS = TRUNCATED ? 4 : 1, /* between redraws: those of a warp's threads are as many as the unluckiest one's */
        MADE = BOTH ? 2 * N : N,
    };
    const fi_plan plan = b.plan, *const p = &plan; /* a copy: of the argument it would be converted anew in every turn */
    const uint64_t rows = threads / b.across, groups = b.across / 4, place = id % b.across;
    const unsigned at = place % 4 * N;
    if (id / b.across >= rows) return;
    for (uint64_t run = id / b.across; run < b.runs; run += rows) {
        uint64_t start = b.start, rest = run;
        char *out = b.to;
        for (uint64_t k = b.axes; k--;) {
            const uint64_t i = k ? rest % b.axis[k].n : rest;
            rest /= b.axis[k].n;
            start += i * b.axis[k].stride;
            out += (int64_t)i * b.axis[k].pitch;
        }
        const uint64_t end = (start + b.length - 1) / GROUP + 1;
        /* Whether the run's memory is whole where a thread's elements are: then they are stored at once, but at the ends. */
        const bool whole = b.spacing == sizeof(element) &&
                           ((uintptr_t)out - start * sizeof(element)) % sizeof(typename S::all) == 0;
        uint64_t group = start / GROUP + place / 4;
        uint64_t state = 0, redraws = 0;
        if (dist != FI_constant) state = fi_jump_by(b.key.state, b.key.inc, group * FI_GROUP + place % 4 * 4);
        if (TRUNCATED) redraws = fi_jump_by(b.key.redraw_state, b.key.redraw_inc, (group * GROUP + at) * FI_REDRAW_STRIDE);
        while (group < end) {
            uint32_t rejected = 0;
            const uint64_t first = group * GROUP + at;
            for (int turn = 0; turn < TURNS && group < end; turn++, group += groups) {
                const uint64_t e = group * GROUP + at;
                element x[2 * N];
                if (dist == FI_constant) {
                    for (int i = 0; i < 2 * N; i++) memcpy(x + i, &p->bits, sizeof *x);
                } else {
                    uint32_t words[2][4], accepted = 0;
                    typename R::real drawn[2 * N];
                    quarter(state, b.key.inc, words[0]);
                    quarter(stepped(b.half, state), b.key.inc, words[1]);
                    state = stepped(b.turn, state);
                    R::draw(p, dist, words[0], words[1], drawn, &accepted);
                    for (int i = 0; i < MADE; i++) x[i] = S::of(p, dist, drawn[i]);
                    if (TRUNCATED) rejected |= (~accepted & ((1u << MADE) - 1)) << turn * MADE;
                }
                const int64_t from = (int64_t)(e - start);
                char *const to = out + from * b.spacing;
                if (whole && from >= 0 && from + (BOTH ? HALF + N : N) <= (int64_t)b.length) {
                    put<R, dtype>(to, x);
                    if (BOTH) put<R, dtype>(to + HALF * sizeof *x, x + N);
                } else {
                    put_within<R>(b, from, to, x);
                    if (BOTH) put_within<R>(b, from + HALF, to + HALF * b.spacing, x + N);
                }
            }
            if (!TRUNCATED) continue;
            for (; rejected; rejected &= rejected - 1) {
                const unsigned bit = lowest_set(rejected), i = bit % MADE, turn = bit / MADE;
                const uint64_t e = first + turn * groups * GROUP + (i >= N ? HALF : 0) + i % N;
                if (e < start || e >= start + b.length) continue;
                uint64_t s = redraws;
                if (turn & 2) s = stepped(b.redraw_two_turns, s);
                if (turn & 1) s = stepped(b.redraw_turn, s);
                if (i >= N) s = stepped(b.redraw_half, s);
                if (i % N & 2) s = stepped(b.redraw_two, s);
                if (i % N & 1) s = stepped(b.redraw_one, s);
                *(element *)(out + (int64_t)(e - start) * b.spacing) = S::of(p, dist, R::redraw(p, dist, s, b.key.redraw_inc));
            }
            redraws = stepped(b.redraw_two_turns, stepped(b.redraw_two_turns, redraws));
        }
    }
}

#define KERNEL(dist, real, dtype) \
    extern "C" __global__ void fill_##dist##_##dtype(const __grid_constant__ fi_device_block b) { \
        fill<real_##real, FI_##dist, FI_##dtype>(b, (uint64_t)blockIdx.x * blockDim.x + threadIdx.x, \
                                                 (uint64_t)gridDim.x * blockDim.x); \
    }
#define OF_DIST(dist, ...) KERNEL(dist, f32, f32) KERNEL(dist, f64, f64) KERNEL(dist, f32, f16) KERNEL(dist, f32, bf16)
FI_DISTS(OF_DIST)
