// bfloat16 products by instructions that add a pair of them to each lane: activations are rounded to bfloat16 once.
//
// The includer defines store_halves(p, v), which rounds a vector, and dot_halves(sum, x, w).

static size_t bf16_bytes(size_t rows, size_t inputs) { return rows * row_stride(APUS_BF16, inputs, 2) * 2; }

static void pack_bf16(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const size_t padded = apus_panel_inputs(APUS_BF16, task->inputs);
    uint16_t *packed = (uint16_t *)task->packed + row * row_stride(APUS_BF16, task->inputs, 2);
    float values[64] ALIGNED;
    for (size_t first = 0; first < padded; first += 64) {
        read_row(task, x, norm, first, values);
        for (size_t i = 0; i < 64 && first + i < padded; i += LANES) store_halves(packed + first + i, load(values + i));
    }
}

#define HALF_ROWS(task) ((const uint16_t *)(task)->packed)
#define SUFFIX bf16
#define LINEAR HALF(linear_bf16)
#define LINEAR_RAW HALF(linear_raw_bf16)
#define TYPE APUS_BF16
#define ACC vfloat
#define STEP_BYTES 64
#define STEP_INPUTS 2
#define WV vint
#define LOAD_W LOAD_BYTES
#define X uint16_t
#define XV vint
#define LOAD_X LOAD_FOUR
#define PARTS 1
#define DOT dot_halves
#define ROWS HALF_ROWS
#define RESULT AS_IT_IS
#include "product_tile.h"
