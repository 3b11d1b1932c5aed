// Products of signed bytes by TDPBSSD, for more rows than a few; those of 4 bits are widened step by step.

INLINE vfloat finish_i8(const apus_linear *task, size_t row, const uint8_t *panel, const int32_t *sums) {
    const float *scales = apus_panel_scales(panel, task->type, apus_panel_inputs(task->type, task->inputs));
    return scaled(rows_of(task).scales[row], scales, load_ints(sums));
}

#define SUFFIX i8
#define TDP _tile_dpbssd
#define E int32_t
#define FINISH finish_i8
#define BRING PREFETCH_TILES
#define WIDENS 0
#include "tile_product.h"

// A step is two groups; past the end there is nothing to do.
#define WIDEN_TILES(s, panels, step)                                                                                   \
    if ((step) < (s)->steps) {                                                                                         \
        uint8_t *target = (uint8_t *)(s)->task->scratch + (step) % (s)->kept * TILE_BYTES;                              \
        widen_panels((s)->panel, panels, (s)->stride, (s)->steps * 64, 2 * (step), 2, target, (s)->tile_stride);       \
    }

#define SUFFIX i4
#define TDP _tile_dpbssd
#define E int32_t
#define FINISH finish_i8
#define BRING WIDEN_TILES
#define WIDENS 1
#include "tile_product.h"
