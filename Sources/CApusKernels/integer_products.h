// Products of 8-bit and 4-bit matrices with activations rounded to 8 bits, a scale for each row. The sums are exact, so
// they are the same on every path.
//
// The includer defines dot_i8(sum, x, w), the products of four signed weights w with four activations x + I8_OFFSET, and
// dot_u4(sum, x, w), those of four weights from 0 to 15 with four signed activations. Both add four bytes of every lane.

#define OFFSET_VALUES(task) (rows_of(task).values)

// The scales and sums of a panel that is multiplied; a widened copy has those of the panel it was made of.
INLINE const float *scales_of(const apus_linear *task, const uint8_t *panel) {
    const size_t padded = apus_panel_inputs(task->type, task->inputs);
    if (task->type == APUS_I4) {
        size_t index = (size_t)(panel - (const uint8_t *)task->scratch) / (padded * APUS_PANEL);
        panel = (const uint8_t *)task->panels + index * apus_panel_bytes(APUS_I4, task->inputs);
    }
    return apus_panel_scales(panel, task->type, padded);
}

INLINE vfloat result_i8(const apus_linear *task, size_t row, const uint8_t *panel, int v, vint sum) {
    const float *scales = scales_of(task, panel);
    sum -= load_ints((const int32_t *)(scales + APUS_PANEL) + v * LANES) * I8_OFFSET;
    return scaled(rows_of(task).scales[row], scales + v * LANES, sum);
}

// Of 8-bit panels, or of 4-bit ones that were widened.
#define SUFFIX i8
#define LINEAR BYTE(linear_i8)
#define TYPE (task->type)
#define ACC vint
#define STEP_BYTES 64
#define STEP_INPUTS 4
#define WV vint
#define LOAD_W LOAD_BYTES
#define X uint8_t
#define XV vint
#define LOAD_X LOAD_FOUR
#define PARTS 1
#define DOT dot_i8
#define ROWS OFFSET_VALUES
#define RESULT result_i8
#include "product_tile.h"

// Few rows: bound by memory, so the 4-bit codes are multiplied as they are, and a group's sum by its multiplier; a panel at a
// time, line after line, which the processor fetches ahead by itself. Only beside the work of so many rows as may be does it
// not come to that.
INLINE void few_rows(const int count, const apus_linear *task, const uint8_t *panel, size_t output) {
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs), groups = padded / APUS_GROUP;
    const integer_rows rows = rows_of(task);
    vint sums[FEW_ROWS][VECTORS];
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] = (vint){};
    }
    for (size_t group = 0; group < groups; group++) {
        const uint8_t *values = apus_i4_values(panel, group), *grids = apus_i4_grids(panel, group);
        UNROLLED for (int v = 0; v < VECTORS; v++) {
            const uint8_t *source = values + v * LANES * 4;
            if (count == FEW_ROWS && v == 0 && group % 4 == 0) __builtin_prefetch(grids + STREAM_AHEAD, 0, 2);
            const vint grid = load_grids(grids + v * LANES), zero = grid >> 4, multiplier = grid & 15;
            // Two sums in turn, neither of which has to wait for the other.
            vint partial[FEW_ROWS], other[FEW_ROWS];
            UNROLLED for (int r = 0; r < count; r++) {
                partial[r] = zero * rows.negated[(size_t)r * groups + group];
                other[r] = (vint){};
            }
            UNROLLED for (size_t step = 0; step < APUS_GROUP / 8; step++, source += 64) {
                if (count == FEW_ROWS && v == 0) __builtin_prefetch(source + STREAM_AHEAD, 0, 2);
                const vint halves = load_bytes(source), low = halves & 0x0f0f0f0f, high = halves >> 4 & 0x0f0f0f0f;
                UNROLLED for (int r = 0; r < count; r++) {
                    const uint8_t *input = rows.values + (size_t)r * (padded + 64) + group * APUS_GROUP + step * 8;
                    partial[r] = dot_u4(partial[r], load_four(input), low);
                    other[r] = dot_u4(other[r], load_four(input + 4), high);
                }
            }
            UNROLLED for (int r = 0; r < count; r++) sums[r][v] += (partial[r] + other[r]) * multiplier;
        }
    }
    const float *scales = apus_panel_scales(panel, APUS_I4, padded);
    for (int r = 0; r < count; r++) {
        vfloat result[VECTORS];
        for (int v = 0; v < VECTORS; v++) result[v] = scaled(rows.scales[r], scales + v * LANES, sums[r][v]);
        store_panel(task, (size_t)r, output, result);
    }
}

static void linear_few(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {
    for (; first < end; first++, panel += stride) {
        switch (task->rows) {
        case 1: few_rows(1, task, panel, first * APUS_PANEL); break;
        case 2: few_rows(2, task, panel, first * APUS_PANEL); break;
        case 3: few_rows(3, task, panel, first * APUS_PANEL); break;
        default: few_rows(4, task, panel, first * APUS_PANEL); break;
        }
    }
}

void BYTE(linear_i4)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs);
    const uint8_t *panel = (const uint8_t *)panels;
    if (task->rows <= FEW_ROWS) {
        linear_few(task, panel, stride, first, end);
        return;
    }
    // Many rows: panels are widened once and multiplied as 8-bit ones.
    const size_t wide_stride = padded * APUS_PANEL;
    apus_linear part = *task;
    uint8_t *wide = (uint8_t *)task->scratch;
    while (first < end) {
        size_t count = end - first < WIDENED ? end - first : WIDENED;
        widen_panels(panel, (int)count, stride, 0, padded / APUS_GROUP, wide, wide_stride);
        part.panels = panel;
        BYTE(linear_i8)(&part, wide, wide_stride, first, first + count);
        first += count, panel += count * stride;
    }
}
