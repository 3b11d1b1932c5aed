// bfloat16 products by TDPBF16PS: activations are rounded to bfloat16 once.

static size_t bf16_bytes(size_t rows, size_t inputs) {
    return tiled_bytes(rows, apus_panel_inputs(APUS_BF16, inputs) * 2);
}

static void pack_bf16(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const size_t padded = apus_panel_inputs(APUS_BF16, task->inputs);
    float values[64] ALIGNED;
    for (size_t first = 0; first < padded; first += 64) {
        read_row(task, x, norm, first, values);
        for (size_t i = 0; i < 64 && first + i < padded; i += LANES) {
            size_t place = tiled_place(task->rows, padded * 2, row, (first + i) * 2 / 64 * 64) + i % 32 * 2;
            store_halves((uint16_t *)(void *)((uint8_t *)task->packed + place), load(values + i));
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
#define WIDENS 0
#define WIDEN(place, panels, step)
#include "tile_product.h"

// Keeps what makes or uses a value on its side of a change of the floating-point mode, which compilers do not see.
#define SETTLED(value) __asm__ volatile("" : "+v"(value))

// One or two rows are bound by memory, which vectors read faster than tiles do. This is what TDPBF16PS computes, bit for
// bit: over the 16 pairs of a step, a sum of the first products of each pair and one of the second, which are then added
// together and to the result; no denormal numbers.
//
// As for other tiles (product_tile.h), a panel is made of the rows of a matrix on the way if `raw`.
INLINE void few_rows_bf16(const bool raw, const int count, const int panels, const apus_linear *task,
                          const uint8_t *panel, size_t stride, size_t output) {
    uint8_t lines[RAW_STEPS * 64] __attribute__((aligned(64)));
    const size_t steps = apus_panel_inputs(APUS_BF16, task->inputs) / 32;
    const uint8_t *x = (const uint8_t *)task->packed;
    const unsigned int mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040); // denormal results and operands count as zeros
    vfloat sums[2][STREAMS], zero = {};
    SETTLED(zero);
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int p = 0; p < panels; p++) sums[r][p] = zero;
    }
    for (size_t step = 0; step < steps; step++, x += (size_t)count * 64) {
        const uint8_t *source = raw ? lines : panel + step * TILE_BYTES;
        if (raw) raw_lines(task, panel, stride, output, step * RAW_STEPS, lines);
        const size_t ahead = look_ahead(step * TILE_BYTES, PREFETCH_AHEAD, panels, stride);
        vfloat first[2][STREAMS], second[2][STREAMS];
        UNROLLED for (int r = 0; r < count; r++) {
            UNROLLED for (int p = 0; p < panels; p++) first[r][p] = second[r][p] = zero;
        }
        for (size_t pair = 0; pair < 16; pair++, source += 64) {
            vint low[2], high[2];
            UNROLLED for (int r = 0; r < count; r++) {
                const vint both = load_four(x + (size_t)r * 64 + pair * 4);
                low[r] = both << 16, high[r] = both & (int32_t)0xffff0000;
            }
            UNROLLED for (int p = 0; p < panels; p++) {
                const vint w = load_bytes(source + (size_t)p * stride);
                if (!raw) __builtin_prefetch(source + (size_t)p * stride + ahead);
                UNROLLED for (int r = 0; r < count; r++) {
                    first[r][p] = (vfloat)_mm512_fmadd_ps((__m512)low[r], (__m512)(w << 16), (__m512)first[r][p]);
                    second[r][p] = (vfloat)_mm512_fmadd_ps(
                        (__m512)high[r], (__m512)(w & (int32_t)0xffff0000), (__m512)second[r][p]);
                }
            }
        }
        UNROLLED for (int r = 0; r < count; r++) {
            UNROLLED for (int p = 0; p < panels; p++) sums[r][p] += first[r][p] + second[r][p];
        }
    }
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int p = 0; p < panels; p++) SETTLED(sums[r][p]);
    }
    _mm_setcsr(mode);
    for (int p = 0; p < panels; p++) {
        for (int r = 0; r < count; r++) store_panel(task, (size_t)r, output + (size_t)p * APUS_PANEL, &sums[r][p]);
    }
}

static void linear_few_bf16(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {
    for (; first + STREAMS <= end; first += STREAMS, panel += STREAMS * stride) {
        if (task->rows == 1) {
            few_rows_bf16(false, 1, STREAMS, task, panel, stride, first * APUS_PANEL);
        } else {
            few_rows_bf16(false, 2, STREAMS, task, panel, stride, first * APUS_PANEL);
        }
    }
    for (; first < end; first++, panel += stride) {
        if (task->rows == 1) {
            few_rows_bf16(false, 1, 1, task, panel, stride, first * APUS_PANEL);
        } else {
            few_rows_bf16(false, 2, 1, task, panel, stride, first * APUS_PANEL);
        }
    }
}

// More rows are packed as tiles take them.
#define RAW_ROWS 2

void HALF(linear_raw_bf16)(const apus_linear *task, size_t first, size_t end) {
    const size_t row_bytes = task->inputs * 2;
    const uint8_t *matrix = (const uint8_t *)task->rows_of_weight + first * APUS_PANEL * row_bytes;
    for (; first < end; first++, matrix += APUS_PANEL * row_bytes) {
        if (task->rows == 1) {
            few_rows_bf16(true, 1, 1, task, matrix, row_bytes, first * APUS_PANEL);
        } else {
            few_rows_bf16(true, 2, 1, task, matrix, row_bytes, first * APUS_PANEL);
        }
    }
}

void HALF(linear_bf16)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const size_t row_bytes = apus_panel_inputs(APUS_BF16, task->inputs) * 2;
    if (task->rows <= 2) {
        linear_few_bf16(task, (const uint8_t *)panels, stride, first, end);
    } else {
        tiled_bf16(task, panels, stride, (const uint8_t *)task->packed, row_bytes, first, end);
    }
}
