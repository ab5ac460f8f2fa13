/* Functions between FI_TARGET_BEGIN and FI_TARGET_END are compiled for the given instruction sets, so that no build flag names
 * a CPU and one library runs on all. Include system headers before: their inline functions must run on every CPU. */
#ifndef FI_TARGET_H
#define FI_TARGET_H

#define FI_PRAGMA(x) _Pragma(#x)
#ifdef __clang__
#define FI_TARGET_BEGIN(isa) FI_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define FI_TARGET_END FI_PRAGMA(clang attribute pop)
#else
#define FI_TARGET_BEGIN(isa) FI_PRAGMA(GCC push_options) FI_PRAGMA(GCC target(isa))
#define FI_TARGET_END FI_PRAGMA(GCC pop_options)
#endif

#endif
