// y = x W^T for every weight type, over vectors. The includer defines ROW_TILE.

#define MULTIPLY_ADD(sum, x, w) ((x) * (w) + (sum))

#define SUFFIX f32
#define X float
#define W float
#define XV vfloat
#define WV vfloat
#define STEP LANES
#define LOAD_X load
#define LOAD_W load
#define DOT MULTIPLY_ADD
#include "linear_rows.h"

#define SUFFIX f16
#define X float
#define W uint16_t
#define XV vfloat
#define WV vfloat
#define STEP LANES
#define LOAD_X load
#define LOAD_W LOAD_F16
#define DOT MULTIPLY_ADD
#include "linear_rows.h"

#ifndef OWN_BF16_PRODUCT
#define SUFFIX bf16
#define X float
#define W uint16_t
#define XV vfloat
#define WV vfloat
#define STEP LANES
#define LOAD_X load
#define LOAD_W LOAD_BF16
#define DOT MULTIPLY_ADD
#include "linear_rows.h"
#endif

// Inputs rounded up to whole vectors: the packed rows end in zeros.
INLINE size_t float_stride(size_t inputs) { return (inputs + LANES - 1) / LANES * LANES; }

static size_t float_workspace(size_t rows, size_t inputs) { return rows * float_stride(inputs) * sizeof(float); }

static void float_pack(const apus_linear *task, size_t first, size_t end) {
    size_t stride = float_stride(task->inputs);
    for (size_t row = first; row < end; row++) {
        float *packed = (float *)task->packed + row * stride;
        memcpy(packed, task->x + row * task->inputs, task->inputs * sizeof(float));
        memset(packed + task->inputs, 0, (stride - task->inputs) * sizeof(float));
    }
}

static size_t linear_workspace(apus_dtype weight_type, size_t rows, size_t inputs) {
#ifdef OWN_BF16_PRODUCT
    if (weight_type == APUS_BF16) return bf16_workspace(rows, inputs);
#endif
    (void)weight_type;
    return float_workspace(rows, inputs);
}

static void linear_pack(const apus_linear *task, size_t first, size_t end) {
#ifdef OWN_BF16_PRODUCT
    if (task->weight_type == APUS_BF16) {
        bf16_pack(task, first, end);
        return;
    }
#endif
    float_pack(task, first, end);
}

static void linear(const apus_linear *task, size_t first, size_t end) {
    switch (task->weight_type) {
    case APUS_F32: linear_f32(task, first, end); break;
    case APUS_BF16: linear_bf16(task, first, end); break;
    case APUS_F16: linear_f16(task, first, end); break;
    }
}
