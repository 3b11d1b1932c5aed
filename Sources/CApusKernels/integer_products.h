// Products of 8-bit and 4-bit matrices with activations rounded to 8 bits, a scale for each row. The sums are exact, so
// they are the same on every path.
//
// The includer defines dot_i8(sum, x, w), the products of four signed
// weights w with four activations x + I8_OFFSET, and dot_u4(sum, x, w), those of four weights from 0 to 15 with four
// signed activations. Both add four bytes of every lane.

#include "integer_rows.h"

INLINE vint load_bytes(const uint8_t *p) { return (vint)load((const float *)(const void *)p); }
INLINE vint load_four(const uint8_t *p) {
    int32_t four;
    memcpy(&four, p, 4);
    return (vint){} + four;
}
INLINE vint load_ints(const int32_t *p) { return (vint)load((const float *)(const void *)p); }

INLINE vfloat scaled(float row_scale, const float *scales, vint sum) {
    return __builtin_convertvector(sum, vfloat) * (row_scale * load(scales));
}

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

#define SUFFIX i8
#define TYPE APUS_I8
#define ACC vint
#define STEP_BYTES 64
#define STEP_INPUTS 4
#define WV vint
#define LOAD_W load_bytes
#define X uint8_t
#define STEP_X 4
#define XV vint
#define LOAD_X load_four
#define DOT dot_i8
#define ROWS OFFSET_VALUES
#define RESULT result_i8
#include "product_tile.h"

// Many rows of a 4-bit matrix: the panels of a tile are widened once and multiplied as 8-bit ones.
#if TILED_INTEGERS
#include "tile_i8.h"
#else
#define SUFFIX wide
#define TYPE APUS_I4
#define ACC vint
#define STEP_BYTES 64
#define STEP_INPUTS 4
#define WV vint
#define LOAD_W load_bytes
#define X uint8_t
#define STEP_X 4
#define XV vint
#define LOAD_X load_four
#define DOT dot_i8
#define ROWS OFFSET_VALUES
#define RESULT result_i8
#include "product_tile.h"

#endif

// (value - 8) * multiplier for the four bytes of every lane.
INLINE vint widened(vint values, vint multiplier) {
    typedef uint16_t vshort __attribute__((vector_size(LANES * 4)));
    typedef int8_t vchar __attribute__((vector_size(LANES * 4)));
    const vshort factor = (vshort)(multiplier | multiplier << 16);
    vshort even = (vshort)(values & 0x000f000f) * factor, odd = (vshort)(values >> 8 & 0x000f000f) * factor;
    vchar bytes = (vchar)(even | odd << 8);
    vint eight = multiplier << 3;
    eight |= eight << 8;
    eight |= eight << 16;
    return (vint)(bytes - (vchar)eight);
}

INLINE vint load_multipliers(const uint8_t *p) {
    typedef uint8_t narrow __attribute__((vector_size(LANES)));
    narrow bytes;
    memcpy(&bytes, p, LANES);
    return __builtin_convertvector(bytes, vint);
}

// Widens a panel: [padded / 4][16][4].
static void widen_panel(const uint8_t *panel, size_t padded, uint8_t *target) {
    const uint8_t *multipliers = apus_panel_multipliers(panel, padded);
    for (size_t group = 0; group < padded / APUS_GROUP; group++, multipliers += APUS_PANEL) {
        for (int v = 0; v < VECTORS; v++) {
            vint multiplier = load_multipliers(multipliers + v * LANES);
            for (size_t step = 0; step < APUS_GROUP / 8; step++) {
                const uint8_t *source = panel + (group * (APUS_GROUP / 8) + step) * 64 + v * LANES * 4;
                __builtin_prefetch(source + PREFETCH_AHEAD);
                uint8_t *first = target + (group * (APUS_GROUP / 4) + step * 2) * 64 + v * LANES * 4;
                vint halves = load_bytes(source);
                store((float *)(void *)first, (vfloat)widened(halves & 0x0f0f0f0f, multiplier));
                store((float *)(void *)(first + 64), (vfloat)widened(halves >> 4 & 0x0f0f0f0f, multiplier));
            }
        }
    }
}

// Few rows: bound by memory, so the 4-bit values are multiplied as they are, and a group's sum by its multiplier.
INLINE void few_rows(const int count, const apus_linear *task, const uint8_t *panel, size_t output) {
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs), groups = padded / APUS_GROUP;
    const uint8_t *multipliers = apus_panel_multipliers(panel, padded);
    const integer_rows rows = rows_of(task);
    const uint8_t *x = rows.values;
    const int32_t *eighths = rows.eighths;
    vint sums[FEW_ROWS][VECTORS];
    for (int r = 0; r < count; r++) {
        for (int v = 0; v < VECTORS; v++) sums[r][v] = (vint){};
    }
    for (size_t group = 0; group < groups; group++, multipliers += APUS_PANEL) {
        vint partial[FEW_ROWS][VECTORS];
        for (int r = 0; r < count; r++) {
            for (int v = 0; v < VECTORS; v++) partial[r][v] = (vint){} + eighths[(size_t)r * groups + group];
        }
        for (size_t step = 0; step < APUS_GROUP / 8; step++) {
            const uint8_t *source = panel + (group * (APUS_GROUP / 8) + step) * 64;
            const size_t input = group * APUS_GROUP + step * 8;
            __builtin_prefetch(source + PREFETCH_AHEAD);
            for (int v = 0; v < VECTORS; v++) {
                vint halves = load_bytes(source + v * LANES * 4), low = halves & 0x0f0f0f0f, high = halves >> 4 & 0x0f0f0f0f;
                for (int r = 0; r < count; r++) {
                    partial[r][v] = dot_u4(partial[r][v], load_four(x + (size_t)r * (padded + 64) + input), low);
                    partial[r][v] = dot_u4(partial[r][v], load_four(x + (size_t)r * (padded + 64) + input + 4), high);
                }
            }
        }
        for (int v = 0; v < VECTORS; v++) {
            vint multiplier = load_multipliers(multipliers + v * LANES);
            for (int r = 0; r < count; r++) sums[r][v] += partial[r][v] * multiplier;
        }
    }
    for (int r = 0; r < count; r++) {
        vfloat result[VECTORS];
        for (int v = 0; v < VECTORS; v++) {
            const float *scales = apus_panel_scales(panel, APUS_I4, padded) + v * LANES;
            result[v] = scaled(rows.scales[r], scales, sums[r][v]);
        }
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

static void linear_i4(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs), wide_stride = padded * APUS_PANEL;
    const uint8_t *panel = (const uint8_t *)panels;
    if (task->rows <= FEW_ROWS) {
        linear_few(task, panel, stride, first, end);
        return;
    }
    apus_linear part = *task;
    uint8_t *wide = (uint8_t *)task->scratch;
    while (first < end) {
        size_t count = end - first < PANEL_TILE ? end - first : PANEL_TILE;
        for (size_t p = 0; p < count; p++) widen_panel(panel + p * stride, padded, wide + p * wide_stride);
        part.panels = panel;
#if TILED_INTEGERS
        linear_tiled(&part, wide, wide_stride, first, first + count);
#else
        linear_wide(&part, wide, wide_stride, first, first + count);
#endif
        first += count, panel += count * stride;
    }
}
