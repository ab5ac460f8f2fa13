/* Any processor, any compiler: the text that the others are compared with. */
#define FI_LANES 1
static int supported(void) { return 1; }
#include "table.inc.h"
const fi_table *const fi_table_scalar = &table;
