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

// Few rows: bound by memory, so the 4-bit values are multiplied as they are, and a group's sum by its multiplier.
INLINE void few_rows(const int count, const int panels, const apus_linear *task, const uint8_t *panel,
                     const uint8_t *next, size_t stride, size_t output) {
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs), groups = padded / APUS_GROUP;
    const uint8_t *multipliers = apus_panel_multipliers(panel, padded), *next_multipliers = apus_panel_multipliers(next, padded);
    const size_t bytes = groups * (APUS_GROUP / 2) * APUS_PANEL, between = STREAM_AHEAD / (APUS_GROUP / 2);
    const integer_rows rows = rows_of(task);
    const uint8_t *x = rows.values;
    vint sums[FEW_ROWS][STREAMS * VECTORS];
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int v = 0; v < panels * VECTORS; v++) sums[r][v] = (vint){};
    }
    for (size_t group = 0; group < groups; group++) {
        const uint8_t *ahead = stream_ahead(panel, next, group * (APUS_GROUP / 2) * APUS_PANEL, STREAM_AHEAD, bytes);
        const uint8_t *multipliers_ahead =
            stream_ahead(multipliers, next_multipliers, group * APUS_PANEL, between, groups * APUS_PANEL);
        UNROLLED for (int v = 0; v < panels * VECTORS; v++) {
            const uint8_t *source = panel + (size_t)(v / VECTORS) * stride + (size_t)(v % VECTORS) * LANES * 4;
            source += group * (APUS_GROUP / 8) * 64;
            vint partial[FEW_ROWS];
            UNROLLED for (int r = 0; r < count; r++) partial[r] = (vint){} + rows.eighths[(size_t)r * groups + group];
            const size_t own = (size_t)(v / VECTORS) * stride;
            if (v % VECTORS == 0 && group % 4 == 0) __builtin_prefetch(multipliers_ahead + own, 0, 2);
            UNROLLED for (size_t step = 0; step < APUS_GROUP / 8; step++, source += 64) {
                if (v % VECTORS == 0) __builtin_prefetch(ahead + own + step * 64, 0, 2);
                const vint halves = load_bytes(source), low = halves & 0x0f0f0f0f, high = halves >> 4 & 0x0f0f0f0f;
                UNROLLED for (int r = 0; r < count; r++) {
                    const uint8_t *input = x + (size_t)r * (padded + 64) + group * APUS_GROUP + step * 8;
                    partial[r] = dot_u4(partial[r], load_four(input), low);
                    partial[r] = dot_u4(partial[r], load_four(input + 4), high);
                }
            }
            const vint multiplier = load_multipliers(
                multipliers + (size_t)(v / VECTORS) * stride + group * APUS_PANEL + (size_t)(v % VECTORS) * LANES);
            UNROLLED for (int r = 0; r < count; r++) sums[r][v] += partial[r] * multiplier;
        }
    }
    vint finished[STREAMS][FEW_ROWS][VECTORS];
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int v = 0; v < panels * VECTORS; v++) finished[v / VECTORS][r][v % VECTORS] = sums[r][v];
    }
    for (int p = 0; p < panels; p++) {
        const float *scales = apus_panel_scales(panel + (size_t)p * stride, APUS_I4, padded);
        for (int r = 0; r < count; r++) {
            vfloat result[VECTORS];
            for (int v = 0; v < VECTORS; v++) {
                result[v] = scaled(rows.scales[r], scales + v * LANES, finished[p][r][v]);
            }
            store_panel(task, (size_t)r, output + (size_t)p * APUS_PANEL, result);
        }
    }
}

#define SOME_ROWS(count, panels)                                                                                       \
    case count: few_rows(count, panels, task, panel, next, stride, first * APUS_PANEL); break;

static void linear_few(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {
    for (; first + STREAMS <= end; first += STREAMS, panel += STREAMS * stride) {
        const uint8_t *next = panels_after(task, panel, stride, STREAMS, end - first);
        switch (task->rows) {
            SOME_ROWS(1, STREAMS)
            SOME_ROWS(2, STREAMS)
            SOME_ROWS(3, STREAMS)
            SOME_ROWS(4, STREAMS)
        default: break;
        }
    }
    for (; first < end; first++, panel += stride) {
        const uint8_t *next = panels_after(task, panel, stride, 1, end - first);
        switch (task->rows) {
            SOME_ROWS(1, 1)
            SOME_ROWS(2, 1)
            SOME_ROWS(3, 1)
            SOME_ROWS(4, 1)
        default: break;
        }
    }
}

#undef SOME_ROWS

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
        widen_panels(panel, (int)count, stride, padded, 0, padded / APUS_GROUP, wide, wide_stride);
        part.panels = panel;
        BYTE(linear_i8)(&part, wide, wide_stride, first, first + count);
        first += count, panel += count * stride;
    }
}
