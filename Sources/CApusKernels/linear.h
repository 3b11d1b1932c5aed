// Products by the type of matrix. The includer defines OWN_BF16 where HALVES pack activations in a way of their own.
#include "pack_rows.h"

// Panels that are widened to bfloat16 together, and the bytes from one to the next.
#define HALVES_TOGETHER 2
INLINE size_t widened_stride(size_t inputs) { return apus_round_up(inputs, GROUPED_INPUTS) * APUS_PANEL * 2; }

// Of codes that stand for floats: panels are widened on the way, and activations packed as for bfloat16.
static void linear_widened(const apus_linear *task, size_t first, size_t end) {
    const size_t stride = apus_grouped_panel_bytes(task->grouping, task->inputs), wide = widened_stride(task->inputs);
    uint8_t *scratch = (uint8_t *)task->scratch;
    while (first < end) {
        const size_t count = end - first < HALVES_TOGETHER ? end - first : HALVES_TOGETHER;
        for (size_t p = 0; p < count; p++) {
            HALF(widen_floats)(task, (const uint8_t *)task->panels + (first + p) * stride, scratch + p * wide);
        }
        HALF(linear_bf16)(task, scratch, wide, first, first + count);
        first += count;
    }
}

static size_t linear_scratch(apus_dtype type, size_t inputs) {
    if (type == APUS_GROUPED) {
        const size_t bytes = grouped_scratch(inputs), halves = HALVES_TOGETHER * widened_stride(inputs);
        return bytes > halves ? bytes : halves;
    }
    // The 4-bit panels of a tile, widened to 8 bits.
    return type == APUS_I4 ? WIDENED * apus_panel_inputs(type, inputs) * APUS_PANEL : 0;
}

static void linear(const apus_linear *task, size_t first, size_t end) {
    if (task->rows_of_weight) {
        if (task->type == APUS_F32) ELEMENT(linear_raw_f32)(task, first, end);
        if (task->type == APUS_BF16) HALF(linear_raw_bf16)(task, first, end);
        return;
    }
    if (task->type == APUS_GROUPED) {
        (task->grouping->codes == APUS_CODES_INTEGERS ? BYTE(linear_grouped) : linear_widened)(task, first, end);
        return;
    }
    const size_t stride = apus_panel_bytes(task->type, task->inputs);
    const uint8_t *panels = (const uint8_t *)task->panels + first * stride;
#if TILED_INTEGERS
    if (task->rows > FEW_ROWS && (task->type == APUS_I8 || task->type == APUS_I4)) {
        const size_t row_bytes = apus_panel_inputs(task->type, task->inputs);
        (task->type == APUS_I8 ? tiled_i8 : tiled_i4)(task, panels, stride, rows_of(task).values, row_bytes, first, end);
        return;
    }
#endif
    switch (task->type) {
    case APUS_F32: ELEMENT(linear_f32)(task, panels, stride, first, end); break;
    case APUS_BF16: HALF(linear_bf16)(task, panels, stride, first, end); break;
    case APUS_F16: ELEMENT(linear_f16)(task, panels, stride, first, end); break;
    case APUS_I8: BYTE(linear_i8)(task, panels, stride, first, end); break;
    case APUS_I4: BYTE(linear_i4)(task, panels, stride, first, end); break;
    case APUS_GROUPED: break;
    }
}
