// Prepares matrices: converts or quantizes rows, and interleaves sixteen of them into a panel.
#include "panels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "half.h"
#include "interleave.h"
#include "stored.h"
#include "apus_quantizer.h"

// Dwords of each row that are interleaved at a time.
#define BLOCK 64

size_t apus_panel_bytes(apus_dtype type, size_t inputs) {
    size_t padded = apus_panel_inputs(type, inputs), data = apus_panel_data(type, padded);
    switch (type) {
    case APUS_I8:
    case APUS_I4: return data + 2 * 64;
    default: return data;
    }
}

// Whether outputs lie one after the other, from `output` on.
static bool follow_each_other(const apus_matrix *matrix, size_t output, size_t count) {
    if (output + count > matrix->outputs || matrix->columns) return false;
    return !matrix->run || output % matrix->run + count <= matrix->run;
}

static bool is_float(apus_dtype type) { return type == APUS_F32 || type == APUS_BF16 || type == APUS_F16; }

// Inputs [first, first + count) of a row as floats, BLOCK at most; those past the end are zeros.
static void read_floats(const apus_matrix *matrix, size_t output, size_t first, size_t count, float *values) {
    size_t size = matrix->type == APUS_F32 ? 4 : 2;
    size_t available = first < matrix->inputs ? matrix->inputs - first : 0;
    if (available > count) available = count;
    const size_t row = apus_stored_output(matrix, output);
    const uint8_t *source = (const uint8_t *)matrix->rows + (row * matrix->inputs + first) * size;
    uint8_t column[BLOCK * 4];
    if (matrix->grouping) {
        apus_read_stored(matrix, row, first, available, values);
        memset(values + available, 0, (count - available) * sizeof(float));
        return;
    }
    if (matrix->columns) {
        for (size_t i = 0; i < available; i++) {
            const size_t at = ((first + i) * matrix->columns + row) * size;
            memcpy(column + i * size, (const uint8_t *)matrix->rows + at, size);
        }
        source = column;
    }
    switch (matrix->type) {
    case APUS_F32: memcpy(values, source, available * sizeof(float)); break;
    case APUS_BF16:
        for (size_t i = 0; i < available; i++) {
            uint16_t half;
            memcpy(&half, source + i * 2, 2);
            values[i] = apus_float_of_bf16(half);
        }
        break;
    default:
        for (size_t i = 0; i < available; i++) {
            uint16_t half;
            memcpy(&half, source + i * 2, 2);
            values[i] = apus_float_of_f16(half);
        }
    }
    memset(values + available, 0, (count - available) * sizeof(float));
}

void apus_read_output(const apus_matrix *matrix, size_t output, float *y) {
    if (matrix->grouping) {
        const size_t row = apus_stored_output(matrix, output);
        for (size_t first = 0; first < matrix->inputs; first += APUS_CHUNK) {
            const size_t left = matrix->inputs - first;
            apus_read_stored(matrix, row, first, left < APUS_CHUNK ? left : APUS_CHUNK, y + first);
        }
        return;
    }
    float values[BLOCK];
    for (size_t first = 0; first < matrix->inputs; first += BLOCK) {
        const size_t left = matrix->inputs - first;
        read_floats(matrix, output, first, BLOCK, values);
        memcpy(y + first, values, (left < BLOCK ? left : BLOCK) * sizeof(float));
    }
}

// A block of a row that is about to be rounded.
static void read_rotated(const apus_quantizer *quantizer, const apus_matrix *matrix, size_t output, size_t first,
                         float values[APUS_ROTATION]) {
    read_floats(matrix, output, first, APUS_ROTATION, values);
    if (first + APUS_ROTATION <= matrix->inputs) quantizer->rotate(values);
}

// The scale of an 8-bit row: its largest element becomes 127. Of a 4-bit row: that of a group which is as wide to both sides has
// the multiplier 15.
static float row_scale(const apus_quantizer *quantizer, const apus_matrix *matrix, apus_dtype type, size_t output) {
    float largest = 0, block[APUS_ROTATION];
    for (size_t i = 0; i < matrix->inputs; i += APUS_ROTATION) {
        read_rotated(quantizer, matrix, output, i, block);
        for (size_t group = 0; group < APUS_ROTATION; group += APUS_GROUP) {
            float size = quantizer->largest(block + group);
            if (!(size <= FLT_MAX)) return NAN; // a weight that is no number spoils its row, not the process
            largest = size > largest ? size : largest;
        }
    }
    return type == APUS_I8 ? largest / 127 : largest / (7.5f * 15);
}

// Rotated inputs [first, first + count) of sixteen outputs from `output` on as codes, [count][16], and their grids. Outputs that
// there are not give what nobody reads.
static void codes_of(const apus_quantizer *quantizer, const apus_matrix *matrix, size_t output, const float scales[APUS_PANEL],
                     size_t first, size_t count, const float *spread, uint8_t *codes, uint8_t *grids) {
    float values[APUS_SPREAD * APUS_PANEL] __attribute__((aligned(64)));
    float rows[APUS_PANEL][APUS_ROTATION] __attribute__((aligned(64))), inverses[APUS_PANEL];
    const size_t outputs = matrix->outputs - output < APUS_PANEL ? matrix->outputs - output : APUS_PANEL;
    memset(rows, 0, sizeof rows);
    for (size_t r = 0; r < APUS_PANEL; r++) inverses[r] = r < outputs && scales[r] > 0 ? 1 / scales[r] : 0;
    for (size_t i = 0; i < count; i += APUS_ROTATION) {
        for (size_t r = 0; r < outputs; r++) read_rotated(quantizer, matrix, output + r, first + i, rows[r]);
        apus_interleave((const uint8_t *)rows, sizeof rows[0], APUS_ROTATION, NULL, (uint8_t *)(values + i * APUS_PANEL));
    }
    quantizer->to_i4(values, count, inverses, spread, codes, grids);
}

static void quantize_row_i8(const apus_quantizer *quantizer, const apus_matrix *matrix, size_t output, float scale, int8_t *row) {
    const float inverse = scale > 0 ? 1 / scale : 0;
    float block[APUS_ROTATION];
    for (size_t first = 0; first < matrix->inputs; first += APUS_GROUP) {
        const size_t count = matrix->inputs - first < APUS_GROUP ? matrix->inputs - first : APUS_GROUP;
        if (first % APUS_ROTATION == 0) read_rotated(quantizer, matrix, output, first, block);
        int8_t integers[APUS_GROUP];
        quantizer->to_i8(block + first % APUS_ROTATION, inverse, integers);
        memcpy(row + first, integers, count);
    }
}

void apus_quantize_rows(const apus_matrix *matrix, apus_dtype type, size_t first, size_t count, const float *spread,
                        const apus_quantized *target) {
    const apus_quantizer *quantizer = apus_quantizer_of_machine();
    const size_t inputs = matrix->inputs, groups = (inputs + APUS_GROUP - 1) / APUS_GROUP;
    float scales[APUS_PANEL] = {0};
    for (size_t r = 0; r < count; r++) target->scales[r] = scales[r] = row_scale(quantizer, matrix, type, first + r);
    if (type == APUS_I8) {
        for (size_t r = 0; r < count; r++) {
            quantize_row_i8(quantizer, matrix, first + r, scales[r], (int8_t *)target->rows + r * target->row_bytes);
        }
        return;
    }
    uint8_t codes[APUS_SPREAD * APUS_PANEL], grids[APUS_SPREAD / APUS_GROUP * APUS_PANEL];
    for (size_t start = 0; start < inputs; start += APUS_SPREAD) {
        const size_t width = inputs - start < APUS_SPREAD ? inputs - start : APUS_SPREAD;
        codes_of(quantizer, matrix, first, scales, start, width, spread, codes, grids);
        if (spread) spread += width * width;
        for (size_t r = 0; r < count; r++) {
            uint8_t *row = target->rows + r * target->row_bytes + start / 2;
            for (size_t i = 0; i < width; i += 2) {
                const uint8_t next = i + 1 < width ? codes[(i + 1) * APUS_PANEL + r] : 0;
                row[i / 2] = (uint8_t)(codes[i * APUS_PANEL + r] | next << 4);
            }
            for (size_t g = 0; g < (width + APUS_GROUP - 1) / APUS_GROUP; g++) {
                target->grids[r * groups + start / APUS_GROUP + g] = grids[g * APUS_PANEL + r];
            }
        }
    }
}

// One row of a panel, on its way to being interleaved.
typedef struct {
    const apus_matrix *matrix;
    const apus_quantizer *quantizer;
    apus_dtype type;
    size_t output, stored, panel_row;
    float scale;
    int32_t sum;
    uint8_t *panel;
} row_state;

static int8_t stored_i8(const row_state *row, size_t input) {
    return ((const int8_t *)row->matrix->rows)[row->stored * row->matrix->inputs + input];
}

// Inputs [first, first + count) as the panel's type; `staged` has room for count of them.
static void stage_i8(row_state *row, size_t first, size_t count, int8_t *staged) {
    const apus_matrix *matrix = row->matrix;
    float inverse = row->scale > 0 ? 1 / row->scale : 0, block[APUS_ROTATION];
    for (size_t i = 0; i < count; i += APUS_GROUP) {
        if (matrix->type == APUS_I8) {
            for (size_t j = 0; j < APUS_GROUP; j++) {
                staged[i + j] = first + i + j < matrix->inputs ? stored_i8(row, first + i + j) : 0;
            }
        } else {
            if (i % APUS_ROTATION == 0) read_rotated(row->quantizer, matrix, row->output, first + i, block);
            row->quantizer->to_i8(block + i % APUS_ROTATION, inverse, staged + i);
        }
        for (size_t j = 0; j < APUS_GROUP; j++) row->sum += staged[i + j];
    }
}

// A group of codes as a checkpoint has them; its grid is returned.
static uint8_t stored_i4(const row_state *row, size_t first, uint8_t codes[APUS_GROUP]) {
    const apus_matrix *matrix = row->matrix;
    const uint8_t *stored = (const uint8_t *)matrix->rows + row->stored * ((matrix->inputs + 1) / 2);
    const size_t groups = (matrix->inputs + APUS_GROUP - 1) / APUS_GROUP;
    uint8_t grid = matrix->grids[row->stored * groups + first / APUS_GROUP];
    if (!matrix->has_zeros) grid = APUS_GRID(APUS_GRID_MULTIPLIER(grid), 8);
    for (size_t i = 0; i < APUS_GROUP; i++) {
        const size_t input = first + i;
        codes[i] = input < matrix->inputs ? stored[input / 2] >> (input % 2 * 4) & 15 : APUS_GRID_ZERO(grid);
    }
    return grid;
}

static void stage_group_i4(row_state *row, size_t group, const uint8_t codes[APUS_GROUP], uint8_t grid, uint8_t *staged) {
    ((uint8_t *)apus_i4_grids(row->panel, group))[row->panel_row] = grid;
    for (size_t j = 0; j < APUS_GROUP; j++) row->sum += (codes[j] - APUS_GRID_ZERO(grid)) * APUS_GRID_MULTIPLIER(grid);
    for (size_t j = 0; j < APUS_GROUP; j += 8) {
        for (size_t b = 0; b < 4; b++) staged[j / 2 + b] = (uint8_t)(codes[j + b] | codes[j + 4 + b] << 4);
    }
}

// Of all rows of a panel: those that are rounded, are together.
static void stage_i4(row_state *rows, size_t outputs, size_t first, size_t count, uint8_t (*staged)[BLOCK * 4]) {
    const apus_matrix *matrix = rows->matrix;
    const bool is_stored = matrix->type == APUS_I4;
    uint8_t codes[APUS_SPREAD * APUS_PANEL], grids[APUS_SPREAD / APUS_GROUP * APUS_PANEL], own[APUS_GROUP];
    float scales[APUS_PANEL] = {0};
    for (size_t r = 0; r < outputs; r++) scales[r] = rows[r].scale;
    for (size_t i = 0; i < count; i += APUS_GROUP) {
        const size_t input = first + i, place = i % APUS_SPREAD;
        if (!is_stored && place == 0 && input < matrix->inputs) {
            const size_t left = matrix->inputs - input, most = count - i < APUS_SPREAD ? count - i : APUS_SPREAD;
            codes_of(rows->quantizer, matrix, rows->output, scales, input, left < most ? left : most, NULL, codes, grids);
        }
        for (size_t r = 0; r < outputs; r++) {
            uint8_t grid = APUS_GRID(1, 0);
            memset(own, 0, sizeof own);
            if (input < matrix->inputs && is_stored) {
                grid = stored_i4(&rows[r], input, own);
            } else if (input < matrix->inputs) {
                grid = grids[place / APUS_GROUP * APUS_PANEL + r];
                for (size_t j = 0; j < APUS_GROUP; j++) own[j] = codes[(place + j) * APUS_PANEL + r];
            }
            stage_group_i4(&rows[r], input / APUS_GROUP, own, grid, staged[r] + i / 2);
        }
    }
}

static void stage(row_state *row, size_t first, size_t count, void *staged) {
    switch (row->type) {
    case APUS_I8: stage_i8(row, first, count, staged); break;
    default: {
        float values[BLOCK];
        for (size_t i = 0; i < count; i += BLOCK) {
            size_t part = count - i < BLOCK ? count - i : BLOCK;
            read_floats(row->matrix, row->output, first + i, part, values);
            apus_convert(values, APUS_F32, (uint8_t *)staged + i * (row->type == APUS_F32 ? 4 : 2), row->type, part);
        }
    }
    }
}

// What apus_interleave does, for halves that stand alone: [2 * dwords][16].
static void interleave_halves(const uint8_t *rows, size_t row_bytes, size_t dwords, uint8_t *target) {
    uint16_t *halves = (uint16_t *)(void *)target;
    for (size_t i = 0; i < 2 * dwords; i++) {
        for (size_t r = 0; r < APUS_PANEL; r++) memcpy(halves + i * APUS_PANEL + r, rows + r * row_bytes + i * 2, 2);
    }
}

void apus_pack_panel(const apus_matrix *matrix, apus_dtype type, size_t panel, void *target) {
    const size_t inputs_per_dword = type == APUS_F32 ? 1 : type == APUS_I8 ? 4 : type == APUS_I4 ? 8 : 2;
    const size_t padded = apus_panel_inputs(type, matrix->inputs), dwords = padded / inputs_per_dword;
    const size_t first = panel * APUS_PANEL;
    const size_t outputs = matrix->outputs - first < APUS_PANEL ? matrix->outputs - first : APUS_PANEL;
    float *scales = (float *)apus_panel_scales(target, type, padded);
    const apus_quantizer *quantizer = apus_quantizer_of_machine();
    row_state rows[APUS_PANEL];
    for (size_t r = 0; r < outputs; r++) {
        const size_t stored = apus_stored_output(matrix, first + r);
        rows[r] = (row_state){.matrix = matrix, .quantizer = quantizer, .type = type, .output = first + r,
                              .stored = stored, .panel_row = r, .panel = (uint8_t *)target};
        if (is_float(type)) continue;
        rows[r].scale = is_float(matrix->type) || matrix->grouping ? row_scale(quantizer, matrix, type, first + r) : matrix->scales[stored];
    }
    uint8_t staged[APUS_PANEL][BLOCK * 4] __attribute__((aligned(64)));
    for (size_t dword = 0; dword < dwords; dword += BLOCK) {
        const size_t count = dwords - dword < BLOCK ? dwords - dword : BLOCK;
        const size_t input = dword * inputs_per_dword, end = input + count * inputs_per_dword;
        const bool direct = matrix->type == type && !matrix->grouping && is_float(type) && end <= matrix->inputs &&
                            follow_each_other(matrix, first, APUS_PANEL);
        const size_t row_bytes = direct ? matrix->inputs * (type == APUS_F32 ? 4 : 2) : sizeof staged[0];
        const uint8_t *source = staged[0], *next = NULL;
        if (direct) {
            const uint8_t *panel_rows = (const uint8_t *)matrix->rows + apus_stored_output(matrix, first) * row_bytes;
            source = panel_rows + dword * 4;
            // As much of the panel that follows.
            if (follow_each_other(matrix, first, 2 * APUS_PANEL)) next = panel_rows + APUS_PANEL * row_bytes + dword * 64;
        }
        if (type == APUS_I4) stage_i4(rows, outputs, input, end - input, staged);
        for (size_t r = type == APUS_I4 ? outputs : 0; !direct && r < APUS_PANEL; r++) {
            if (r < outputs) {
                stage(&rows[r], input, end - input, staged[r]);
            } else {
                memset(staged[r], 0, sizeof staged[r]);
            }
        }
        if (type == APUS_F16) {
            interleave_halves(source, row_bytes, count, (uint8_t *)target + dword * 64);
        } else if (type == APUS_I4) {
            for (size_t i = 0; i < count; i += 16) {
                uint8_t *values = (uint8_t *)apus_i4_values(target, (dword + i) / 4);
                apus_interleave(source + i * 4, row_bytes, 16, NULL, values);
            }
        } else {
            apus_interleave(source, row_bytes, count, next, (uint8_t *)target + dword * 64);
        }
    }
    if (is_float(type)) return;
    int32_t *sums = (int32_t *)apus_panel_sums(target, type, padded);
    for (size_t r = 0; r < APUS_PANEL; r++) {
        scales[r] = r < outputs ? rows[r].scale : 0;
        sums[r] = r < outputs ? rows[r].sum : 0;
    }
    for (size_t r = outputs; type == APUS_I4 && r < APUS_PANEL; r++) {
        for (size_t group = 0; group < padded / APUS_GROUP; group++) ((uint8_t *)apus_i4_grids(target, group))[r] = APUS_GRID(1, 0);
    }
}

void apus_unpack_row(const void *panels, apus_dtype type, size_t inputs, size_t output, float *y) {
    const size_t panel = output / APUS_PANEL, row = output % APUS_PANEL;
    const uint8_t *data = (const uint8_t *)panels + panel * apus_panel_bytes(type, inputs);
    for (size_t i = 0; i < inputs; i++) {
        switch (type) {
        case APUS_F32: y[i] = ((const float *)(const void *)data)[i * APUS_PANEL + row]; break;
        case APUS_BF16:
            y[i] = apus_float_of_bf16(((const uint16_t *)(const void *)data)[(i / 2 * APUS_PANEL + row) * 2 + i % 2]);
            break;
        case APUS_F16: y[i] = apus_float_of_f16(((const uint16_t *)(const void *)data)[i * APUS_PANEL + row]); break;
        default: y[i] = 0;
        }
    }
}
