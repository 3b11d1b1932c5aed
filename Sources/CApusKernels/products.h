// y = x W^T over panels, for every type of matrix. The includer defines ROW_TILE, PANEL_TILE, STREAMS and STREAM_ROWS
// (product_tile.h), dot_i8 and dot_u4 with I8_OFFSET and TILED_INTEGERS, and perhaps OWN_BF16, a header with bfloat16
// products of its own.
#include "panels.h"
#include "interleave.h"
#include "rotation.h"

// 4-bit panels that are widened together.
#define WIDENED 4
#define VECTORS (APUS_PANEL / LANES)
// A tile looks this far ahead: the processor's own prefetch would start anew at every page.
#define PREFETCH_AHEAD 2048
// Rows up to which a product is bound by memory.
#define FEW_ROWS 4
// They look farther, into the second-level cache: so many lines at once are more than the first one can ask for.
#define STREAM_AHEAD 8192

// Elements from one packed row to the next: a line more than the row, since rows a power of two apart would fall on the
// same few places of the first-level cache.
INLINE size_t row_stride(apus_dtype type, size_t inputs, size_t element) {
    return apus_panel_inputs(type, inputs) + 64 / element;
}

INLINE void store_panel(const apus_linear *task, size_t row, size_t output, const vfloat result[VECTORS]) {
    float *y = task->y + row * task->y_stride + output;
    if (output + APUS_PANEL <= task->outputs) {
        for (int v = 0; v < VECTORS; v++) {
            vfloat value = result[v];
            if (task->bias) value += load(task->bias + output + v * LANES);
            value *= task->scale;
            if (task->accumulate) value += load(y + v * LANES);
            store(y + v * LANES, value);
        }
        return;
    }
    float values[APUS_PANEL];
    for (int v = 0; v < VECTORS; v++) store(values + v * LANES, result[v]);
    for (size_t i = 0; output + i < task->outputs; i++) {
        float value = values[i];
        if (task->bias) value += task->bias[output + i];
        value *= task->scale;
        if (task->accumulate) value += y[i];
        y[i] = value;
    }
}

// Steps that are made of rows at a time: a line of each.
#define RAW_STEPS 16

// RAW_STEPS steps of a panel, out of the rows of a matrix from row `output` on, where a step is four bytes of a row. As much
// of the panel that follows is asked for.
INLINE void raw_lines(const apus_linear *task, const uint8_t *matrix, size_t row_bytes, size_t output, size_t step,
                      uint8_t *lines) {
    const bool follows = output + 2 * APUS_PANEL <= task->outputs;
    const uint8_t *next = follows ? matrix + APUS_PANEL * row_bytes + step * 64 : NULL;
#if LANES == 16 && defined(__x86_64__)
    apus_interleave_lines(matrix + step * 4, row_bytes, next, lines);
#else
    apus_interleave(matrix + step * 4, row_bytes, RAW_STEPS, next, lines);
#endif
}

#include "activations.h"

#define AS_IT_IS(task, row, panel, v, acc) (acc)
#define MULTIPLY_ADD(sum, x, w) ((x) * (w) + (sum))
#define SPLAT_X(p, part) splat((p)[part])
#define LOAD_FLOATS(p, part) load((const float *)(const void *)(p))
#define LOAD_HALVES(p, part) LOAD_F16((const uint16_t *)(const void *)(p))
#define LOAD_BYTES(p, part) load_bytes(p)
#define LOAD_FOUR(p, part) load_four((const uint8_t *)(p))

INLINE vint load_bytes(const uint8_t *p) { return (vint)load((const float *)(const void *)p); }
INLINE vint load_four(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, 4);
    return (vint){} + four;
}

#define SUFFIX f32
#define TYPE APUS_F32
#define STEP_BYTES 64
#define STEP_INPUTS 1
#define LOAD_W LOAD_FLOATS
#include "float_product.h"

#define SUFFIX f16
#define TYPE APUS_F16
#define STEP_BYTES 32
#define STEP_INPUTS 1
#define LOAD_W LOAD_HALVES
#include "float_product.h"

#ifdef OWN_BF16
#include OWN_BF16
#else
// One weight of each pair as a float, by a shift or a mask.
INLINE vfloat load_half(const uint8_t *p, int part) {
    return (vfloat)(part == 0 ? load_bytes(p) << 16 : load_bytes(p) & (int32_t)0xffff0000);
}

#define SUFFIX bf16
#define TYPE APUS_BF16
#define STEP_BYTES 64
#define STEP_INPUTS 2
#define LOAD_W load_half
#include "float_product.h"
#endif

#include "integer_products.h"
#include "grouped_rows.h"
#include "grouped_product.h"
#include "pack_rows.h"

static size_t linear_scratch(apus_dtype type, size_t inputs) {
    if (type == APUS_GROUPED) return grouped_scratch(inputs);
    // The 4-bit panels of a tile, widened to 8 bits.
    return type == APUS_I4 ? WIDENED * apus_panel_inputs(type, inputs) * APUS_PANEL : 0;
}

static void linear(const apus_linear *task, size_t first, size_t end) {
    if (task->rows_of_weight) {
        if (task->type == APUS_F32) linear_raw_f32(task, first, end);
        if (task->type == APUS_BF16) linear_raw_bf16(task, first, end);
        return;
    }
    if (task->type == APUS_GROUPED) {
        linear_grouped(task, first, end);
        return;
    }
    const size_t stride = apus_panel_bytes(task->type, task->inputs);
    const uint8_t *panels = (const uint8_t *)task->panels + first * stride;
    switch (task->type) {
    case APUS_F32: linear_f32(task, panels, stride, first, end); break;
    case APUS_BF16: linear_bf16(task, panels, stride, first, end); break;
    case APUS_F16: linear_f16(task, panels, stride, first, end); break;
    case APUS_I8:
#if TILED_INTEGERS
        if (task->rows > FEW_ROWS) {
            const size_t row_bytes = apus_panel_inputs(APUS_I8, task->inputs);
            tiled_i8(task, panels, stride, rows_of(task).values, row_bytes, first, end);
            break;
        }
#endif
        linear_i8(task, panels, stride, first, end);
        break;
    case APUS_I4: linear_i4(task, panels, stride, first, end); break;
    case APUS_GROUPED: break;
    }
}
