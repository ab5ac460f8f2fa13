/* Advanced SIMD, which every AArch64 has: no target region. */
#include "tables.h"
#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FI_LANES 4
static int supported(void) { return 1; }
#include "table.inc.h"
const fi_table *const fi_table_neon = &table;
#else
const fi_table *const fi_table_neon = 0;
#endif
