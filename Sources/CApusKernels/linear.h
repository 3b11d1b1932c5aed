// Products by the type of matrix. The includer defines OWN_BF16 where HALVES pack activations in a way of their own.
#include "pack_rows.h"

static size_t linear_scratch(apus_dtype type, size_t inputs) {
    if (type == APUS_GROUPED) return grouped_scratch(inputs);
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
        BYTE(linear_grouped)(task, first, end);
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
