/* Every kernel, for one ISA. No include guard: each isa_*.c includes this once, and then names the table that it makes. Before,
 * it has set FI_LANES, defined supported() (whether this CPU has what the kernels need) and, for x86, set FI_X86 and opened a
 * target region. */

#include "kernels.inc.h"
#include "orthogonal.h"
#include "orthogonal.inc.h"

SI void repeat(const void *pattern, size_t lines, void *out, v_carry *carry) {
    v_u32 x[16 / FI_LANES];
    memcpy(x, pattern, sizeof x);
    for (size_t i = 0; i < lines; i++) {
        UNROLL for (size_t k = 0; k < 16 / FI_LANES; k++) v_put((char *)out + 64 * i + sizeof *x * k, x[k], carry);
    }
}

static void constant(const void *pattern, size_t lines, void *out, int nontemporal) {
    v_carry carry = v_carry_from(pattern, out);
    repeat(pattern, lines, out, nontemporal ? &carry : 0);
}

#define EACH_DTYPE(name) {[FI_f32] = name##_f32, [FI_f64] = name##_f64, [FI_f16] = name##_f16, [FI_bf16] = name##_bf16}
#define EACH_TRUNCATED(name) \
    {[FI_trunc_normal] = {name##_trunc_normal_f32, name##_trunc_normal_f64}, \
     [FI_trunc_narrow] = {name##_trunc_narrow_f32, name##_trunc_narrow_f64}, \
     [FI_trunc_tail] = {name##_trunc_tail_f32, name##_trunc_tail_f64}}

/* A table; files with more than one ISA name what these differ in. */
#define FI_TABLE_OF(supported_, places_) \
    { \
        .supported = supported_, \
        .nontemporal_bytes = NONTEMPORAL_BYTES, \
        .seed = seed, \
        .jump = jump, \
        .words = words, \
        .constant = constant, \
        .write = {[FI_uniform] = EACH_DTYPE(write_uniform), [FI_normal] = EACH_DTYPE(write_normal)}, \
        .propose = EACH_TRUNCATED(propose), \
        .redraw = EACH_TRUNCATED(redraw), \
        .places = places_, \
        .locate = locate, \
        .store = EACH_DTYPE(store), \
        .reflect = reflect, \
        .project = project, \
        .subtract = subtract, \
        .solve = solve, \
    }

static const fi_table table = FI_TABLE_OF(supported, places);
