// Products of signed bytes by TDPBSSD, for more rows than a few; those of 4 bits are widened step by step.

INLINE vfloat finish_i8(const apus_linear *task, size_t row, const uint8_t *panel, const int32_t *sums) {
    const float *scales = apus_panel_scales(panel, task->type, apus_panel_inputs(task->type, task->inputs));
    return scaled(rows_of(task).scales[row], scales, load_ints(sums));
}

#define SUFFIX i8
#define TDP _tile_dpbssd
#define E int32_t
#define FINISH finish_i8
#define WIDENS 0
#define WIDEN(place, panels, step)
#include "tile_product.h"

// A step is two groups.
#define WIDEN_TILES(s, panels, step)                                                                                   \
    widen_panels((s)->panel, panels, (s)->stride, 2 * (step), 2,                                      \
                 (uint8_t *)(s)->task->scratch + (step) % (s)->kept * TILE_BYTES, (s)->tile_stride)

#define SUFFIX i4
#define TDP _tile_dpbssd
#define E int32_t
#define FINISH finish_i8
#define WIDENS 1
#define WIDEN WIDEN_TILES
#include "tile_product.h"
