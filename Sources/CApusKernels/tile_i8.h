// Products of signed bytes by TDPBSSD, for more rows than a few.

INLINE vfloat finish_i8(const apus_linear *task, size_t row, const uint8_t *panel, const int32_t *sums) {
    return scaled(rows_of(task).scales[row], scales_of(task, panel), load_ints(sums));
}

#define SUFFIX i8
#define TDP _tile_dpbssd
#define E int32_t
#define FINISH finish_i8
#include "tile_product.h"

static void linear_tiled(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const integer_rows rows = rows_of(task);
    tiled_i8(task, panels, stride, rows.values, apus_panel_inputs(task->type, task->inputs), first, end);
}
