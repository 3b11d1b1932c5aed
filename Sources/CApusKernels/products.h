// What products y = x W^T over panels share. The includer defines ROW_TILE, PANEL_TILE, STREAMS and STREAM_ROWS
// (product_tile.h), dot_i8, dot_u4 and dot_u8 with I8_OFFSET, and TILED_INTEGERS.
#include "panels.h"
#include "interleave.h"
#include "rotation.h"

#define VECTORS (APUS_PANEL / LANES)
// A tile looks this far ahead: the processor's own prefetch would start anew at every page.
#define PREFETCH_AHEAD 2048
// So much of each panel is asked for while the last ones are multiplied.
#define NEXT_TILE 1024
// Rows up to which a product is bound by memory.
#define FEW_ROWS 4
// How far ahead something is asked for in a stream of panels, into the second-level cache.
#define STREAM_AHEAD 8704

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

// One weight of each pair as a float, by a shift or a mask.
INLINE vfloat load_half(const uint8_t *p, int part) {
    return (vfloat)(part == 0 ? load_bytes(p) << 16 : load_bytes(p) & (int32_t)0xffff0000);
}

#include "integer_panels.h"
#include "grouped_rows.h"
#include "grouped_units.h"
