// bfloat16 products by TDPBF16PS: activations are rounded to bfloat16 once.

static size_t bf16_bytes(size_t rows, size_t inputs) {
    return tiled_bytes(rows, apus_panel_inputs(APUS_BF16, inputs) * 2);
}

static void pack_bf16(const apus_activations *task, const float *x, float scale, size_t row) {
    const size_t padded = apus_panel_inputs(APUS_BF16, task->inputs);
    float values[64];
    for (size_t first = 0; first < padded; first += 64) {
        read_row(task, x, scale, first, values);
        for (size_t i = 0; i < 64 && first + i < padded; i += 16) {
            size_t place = tiled_place(task->rows, padded * 2, row, (first + i) * 2 / 64 * 64) + i % 32 * 2;
            _mm256_storeu_si256((__m256i *)((uint8_t *)task->packed + place), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(values + i)));
        }
    }
}

INLINE vfloat finish_bf16(const apus_linear *task, size_t row, const uint8_t *panel, const float *sums) {
    (void)task, (void)row, (void)panel;
    return load(sums);
}

#define SUFFIX bf16
#define TDP _tile_dpbf16ps
#define E float
#define FINISH finish_bf16
#define BRING PREFETCH_TILES
#define WIDENS 0
#include "tile_product.h"

static void linear_bf16(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const size_t row_bytes = apus_panel_inputs(APUS_BF16, task->inputs) * 2;
    tiled_bf16(task, panels, stride, (const uint8_t *)task->packed, row_bytes, first, end);
}
