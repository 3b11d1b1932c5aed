// Reads matrices that are stored as codes with scales, and makes panels of them.
#include "stored.h"

#include <string.h>

#include "grouped.h"
#include "half.h"
#include "interleave.h"

// MARK: Arrays

static float float_of_bits(uint32_t bits, uint8_t type) {
    float value;
    if (type == APUS_SCALE_F16) return apus_float_of_f16((uint16_t)bits);
    if (type == APUS_SCALE_BF16) bits <<= 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// Bytes of an element by apus_values_type.
static const uint8_t value_bytes[] = {2, 2, 4, 1, 1};

// The bits of an element.
static uint32_t value_at(const apus_values *values, size_t row, size_t group) {
    uint32_t bits = 0;
    const uint8_t *p = values->data + (values->rows > 1 ? row / values->rows : row) * values->line + group * values->step;
    memcpy(&bits, p, value_bytes[values->type]);
    return bits;
}

static float float_at(const apus_values *values, size_t row, size_t group) {
    const uint32_t bits = value_at(values, row, group);
    float value;
    switch (values->type) {
    case APUS_VALUES_E4M3: value = apus_float_of_e4m3((uint8_t)bits); break;
    case APUS_VALUES_POWER: value = float_of_bits(bits ? bits << 23 : 1u << 22, APUS_SCALE_F32); break;
    default: value = float_of_bits(bits, values->type);
    }
    if (values->factor == 0) return value;
    return values->divides ? value / values->factor : value * values->factor;
}

// What all elements are multiplied with.
static float factor_of(const apus_values *values) {
    if (values->factor == 0) return 1;
    return values->divides ? 1 / values->factor : values->factor;
}

// The code at place `index` of a line.
static uint8_t code_at(const apus_codes *codes, size_t line, size_t index) {
    static const uint8_t turns[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    if (codes->takes_turns) index = (index & ~(size_t)7) | turns[index & 7];
    const size_t bit = index % codes->each * codes->bits;
    const size_t word = index / codes->each * (codes->each == 32 ? codes->bits : 1) + bit / 32;
    const uint8_t *words = codes->words + line * codes->line + word * codes->word;
    const size_t byte = bit % 32 / 8, shift = bit % 8;
    uint32_t bits = words[byte];
    if (shift + codes->bits > 8) bits |= (uint32_t)words[byte < 3 ? byte + 1 : codes->word] << 8;
    return (uint8_t)((bits >> shift & ((1u << codes->bits) - 1)) ^ codes->flip);
}

static uint8_t code_of(const apus_codes *codes, size_t row, size_t input) {
    return codes->along_inputs ? code_at(codes, row, input) : code_at(codes, input, row);
}

// Whole words of 4-bit codes that lie along the inputs, the most usual.
static size_t read_words(const apus_codes *codes, size_t row, size_t first, size_t count, uint8_t *target) {
    if (codes->bits != 4 || !codes->along_inputs || codes->takes_turns || first % 8) return 0;
    const uint8_t *words = codes->words + row * codes->line + first / 8 * codes->word;
    size_t i = 0;
    for (; i + 8 <= count; i += 8, words += codes->word) {
        uint32_t word;
        memcpy(&word, words, 4);
        for (size_t j = 0; j < 8; j++) target[i + j] = (word >> 4 * j & 15) ^ codes->flip;
    }
    return i;
}

static uint8_t zero_at(const apus_arrays *arrays, size_t row, size_t group) {
    return (uint8_t)((code_of(&arrays->zeros, row, group) + arrays->zero_shift) & arrays->zero_mask);
}

// The scale of floats in the type that a panel has for it. Of E4M3 and of rows, what is beside the elements is put there.
static uint32_t bits_of_scale(const apus_arrays *arrays, const apus_grouping *g, size_t line, size_t group) {
    switch (g->scale) {
    case APUS_SCALE_E4M3: return value_at(&arrays->scales, line, group);
    case APUS_SCALE_F16: return apus_f16_of_float(float_at(&arrays->scales, line, group));
    case APUS_SCALE_BF16: return apus_bf16_of_float(float_at(&arrays->scales, line, group));
    default: return bits_of_float(float_at(&arrays->scales, line, group));
    }
}

// In the order of places, groups follow each other.
static void read_arrays(const apus_matrix *matrix, size_t row, size_t first, size_t count, apus_chunk *chunk) {
    const apus_arrays *arrays = matrix->arrays;
    const apus_grouping *g = matrix->grouping;
    const bool is_plain = !arrays->order && !arrays->is_flat && !arrays->high_first;
    const size_t line = arrays->is_flat ? 0 : row, before = arrays->is_flat ? row * matrix->inputs : 0;
    size_t done = is_plain ? read_words(&arrays->codes, row, first, count, chunk->codes) : 0;
    for (; done < count; done++) {
        const size_t input = arrays->order ? (size_t)arrays->order[first + done] : before + first + done;
        chunk->codes[done] = code_of(&arrays->codes, line, arrays->high_first ? input ^ 1 : input);
    }
    for (size_t i = 0; i < count; i += g->group) {
        const size_t place = (before + first + i) / arrays->group;
        const size_t group = place < arrays->groups ? place : arrays->groups - 1;
        const float zero = arrays->zeros.words ? (float)zero_at(arrays, row, group) : 0;
        uint32_t scale, offset = 0;
        if (g->codes != APUS_CODES_INTEGERS) {
            scale = bits_of_scale(arrays, g, line, group);
        } else if (g->scale == APUS_SCALE_ROW) {
            const float factor = float_at(&arrays->scales, row, group);
            scale = bits_of_float(factor);
            if (arrays->zeros.words) offset = bits_of_float(-(factor * zero));
            if (arrays->offsets.data) offset = bits_of_float(float_at(&arrays->offsets, row, group));
        } else {
            scale = value_at(&arrays->scales, row, group);
            if (arrays->zeros.words) offset = apus_f16_of_float(zero);
            if (arrays->offsets.data) offset = value_at(&arrays->offsets, row, group);
        }
        chunk->scales[i / g->group] = scale, chunk->offsets[i / g->group] = offset;
    }
}

// Products and sums stay apart, as in the references.
#pragma clang fp contract(off)

// Inputs [first, first + count) in their own order as floats.
static void read_values(const apus_matrix *matrix, size_t row, size_t first, size_t count, float *values) {
    const apus_arrays *arrays = matrix->arrays;
    size_t last = SIZE_MAX;
    float scale = 0, zero = 0, offset = 0;
    for (size_t i = first; i < first + count; i++) {
        const size_t place = arrays->is_flat ? row * matrix->inputs + i : i, line = arrays->is_flat ? 0 : row;
        const size_t group = arrays->group_of ? (size_t)arrays->group_of[i] : place / arrays->group;
        if (group != last) {
            last = group;
            scale = float_at(&arrays->scales, line, group);
            zero = arrays->zeros.words ? (float)zero_at(arrays, line, group) : (float)matrix->grouping->zero;
            offset = arrays->offsets.data ? float_at(&arrays->offsets, line, group) : 0;
        }
        const uint8_t code = code_of(&arrays->codes, line, arrays->high_first ? place ^ 1 : place);
        const float product = scale * (arrays->values ? arrays->values[code] : (float)code - zero);
        values[i - first] = arrays->offsets.data ? product + offset : product;
    }
}

// MARK: Chunks

void apus_read_chunk(const apus_matrix *matrix, size_t row, size_t first, apus_chunk *chunk) {
    size_t count = first < matrix->inputs ? matrix->inputs - first : 0;
    if (count > APUS_CHUNK) count = APUS_CHUNK;
    if (count < APUS_CHUNK) memset(chunk, 0, sizeof *chunk);
    if (matrix->stored == APUS_STORED_ARRAYS) {
        read_arrays(matrix, row, first, count, chunk);
        return;
    }
    const apus_block_size size = apus_block_size_of(matrix->stored);
    const uint8_t *block = (const uint8_t *)matrix->rows + (row * matrix->inputs + first) / size.inputs * size.bytes;
    for (size_t i = 0; i < count; i += size.inputs, block += size.bytes) {
        apus_read_block(matrix->stored, block, i, chunk);
    }
}

static float scale_of(const apus_grouping *g, const apus_chunk *chunk, size_t group) {
    switch (g->scale) {
    case APUS_SCALE_U8: return (float)chunk->scales[group] * apus_float_of_f16(chunk->half);
    case APUS_SCALE_I8: return (float)(int8_t)chunk->scales[group] * apus_float_of_f16(chunk->half);
    default: return float_of_bits(chunk->scales[group], g->scale);
    }
}

static float offset_of(const apus_grouping *g, const apus_chunk *chunk, size_t group, float scale) {
    if (g->offset == APUS_OFFSET_NONE) return 0;
    if (g->scale == APUS_SCALE_ROW) return float_of_bits(chunk->offsets[group], APUS_SCALE_F32);
    if (g->offset == APUS_OFFSET_ZERO) return -(scale * apus_float_of_f16((uint16_t)chunk->offsets[group]));
    if (g->scale == APUS_SCALE_U8) return -((float)chunk->offsets[group] * apus_float_of_f16(chunk->offset_half));
    return float_of_bits(chunk->offsets[group], g->scale);
}

// Inputs [first, first + count) of a stored row, within one chunk.
void apus_read_stored(const apus_matrix *matrix, size_t row, size_t first, size_t count, float *values) {
    if (matrix->stored == APUS_STORED_ARRAYS) {
        read_values(matrix, row, first, count, values);
        return;
    }
    const apus_grouping *g = matrix->grouping;
    const size_t start = first / APUS_CHUNK * APUS_CHUNK;
    apus_chunk chunk;
    apus_read_chunk(matrix, row, start, &chunk);
    for (size_t at = 0; at < count; at++) {
        const size_t i = first - start + at, group = i / g->group;
        const float scale = scale_of(g, &chunk, group), offset = offset_of(g, &chunk, group, scale);
        const int value = g->has_table ? g->table[chunk.codes[i] & 15] : chunk.codes[i];
        const float product = scale * (float)(value - g->zero);
        values[at] = g->offset == APUS_OFFSET_NONE ? product : product + offset;
    }
}

// MARK: Panels

size_t apus_grouped_panel_bytes(const apus_grouping *grouping, size_t inputs) {
    const apus_block_layout layout = apus_block_layout_of(grouping);
    const size_t blocks = (inputs + layout.inputs - 1) / layout.inputs;
    return blocks * layout.bytes + (apus_has_row_floats(grouping) ? 2 * APUS_PANEL * sizeof(float) : 0);
}

// Packs lines of one step each, 16 of them, into a line of `bits` bits of each, from bit `from` on.
static void pack_line(const uint8_t *steps, int bits, int from, uint8_t *target) {
    const int mask = (1 << bits) - 1;
    uint8_t packed[64] = {0};
    for (int k = 0; k < 8 / bits; k++, steps += 64) {
        for (int i = 0; i < 64; i++) packed[i] |= (uint8_t)((steps[i] >> from & mask) << k * bits);
    }
    memcpy(target, packed, 64);
}

static void pack_codes(const uint8_t *steps, int bits, uint8_t *target) {
    if (bits == 8) {
        memcpy(target, steps, 1024);
        return;
    }
    const int low = bits < 4 ? 2 : 4, high = bits - low;
    for (int line = 0; line < 2 * low; line++) {
        pack_line(steps + line * (8 / low) * 64, low, 0, target + apus_low_line(bits, line));
    }
    for (int line = 0; line < 2 * high; line++) {
        pack_line(steps + line * (8 / high) * 64, high, low, target + apus_high_line(bits, line));
    }
}

static void put(uint8_t *target, uint32_t bits, size_t bytes) { memcpy(target, &bits, bytes); }

void apus_pack_grouped(const apus_matrix *matrix, size_t panel, void *target) {
    const apus_grouping *g = matrix->grouping;
    const apus_block_layout layout = apus_block_layout_of(g);
    const size_t first = panel * APUS_PANEL, left = matrix->outputs - first;
    const size_t outputs = left < APUS_PANEL ? left : APUS_PANEL;
    uint8_t codes[APUS_PANEL][APUS_CHUNK] __attribute__((aligned(64)));
    uint8_t steps[APUS_CHUNK * APUS_PANEL] __attribute__((aligned(64)));
    apus_chunk chunks[APUS_PANEL];
    memset(chunks, 0, sizeof chunks);
    uint8_t *block = (uint8_t *)target;
    for (size_t input = 0; input < matrix->inputs; input += APUS_CHUNK) {
        for (size_t r = 0; r < APUS_PANEL; r++) {
            if (r < outputs) apus_read_chunk(matrix, apus_stored_output(matrix, first + r), input, &chunks[r]);
            memcpy(codes[r], chunks[r].codes, APUS_CHUNK);
        }
        apus_interleave(codes[0], APUS_CHUNK, APUS_CHUNK / 4, NULL, steps);
        for (size_t i = 0; i < APUS_CHUNK && input + i < matrix->inputs; i += layout.inputs, block += layout.bytes) {
            memset(block, 0, layout.values);
            for (size_t unit = 0; unit < layout.inputs; unit += APUS_GROUPED_UNIT) {
                pack_codes(steps + (i + unit) * APUS_PANEL, g->bits, block + layout.values + unit * APUS_PANEL * g->bits / 8);
            }
            uint8_t *scales = block, *offsets = scales + layout.groups * APUS_PANEL * layout.scale;
            uint8_t *halves = offsets + layout.groups * APUS_PANEL * layout.offset;
            for (size_t r = 0; r < outputs; r++) {
                for (size_t group = 0; group < layout.groups; group++) {
                    const size_t at = group * APUS_PANEL + r, of = i / g->group + group;
                    put(scales + at * layout.scale, chunks[r].scales[of], layout.scale);
                    put(offsets + at * layout.offset, chunks[r].offsets[of], layout.offset);
                }
                if (!layout.has_halves) continue;
                put(halves + r * 2, chunks[r].half, 2);
                if (g->offset == APUS_OFFSET_OWN) put(halves + APUS_PANEL * 2 + r * 2, chunks[r].offset_half, 2);
            }
        }
    }
    if (!apus_has_row_floats(g)) return;
    // All groups of a row are one; `block` is behind the last.
    memset(block, 0, 2 * APUS_PANEL * sizeof(float));
    for (size_t r = 0; r < outputs; r++) {
        if (g->scale == APUS_SCALE_E4M3) {
            put(block + r * 4, bits_of_float(factor_of(&matrix->arrays->scales)), 4);
            continue;
        }
        put(block + r * 4, chunks[r].scales[0], 4);
        put(block + APUS_PANEL * 4 + r * 4, chunks[r].offsets[0], 4);
    }
}

void apus_unpack_output(const void *panels, const apus_grouping *g, size_t inputs, size_t output, float *y) {
    const apus_block_layout layout = apus_block_layout_of(g);
    const uint8_t *panel = (const uint8_t *)panels + output / APUS_PANEL * apus_grouped_panel_bytes(g, inputs);
    for (size_t first = 0; first < inputs; first += g->group) {
        float factors[2];
        apus_grouped_factors(g, panel, inputs, output % APUS_PANEL, first, factors);
        for (size_t i = first; i < first + g->group && i < inputs; i++) {
            const uint8_t *codes = apus_grouped_codes(&layout, panel, i / APUS_GROUPED_UNIT);
            const float product = factors[0] * apus_grouped_float(g, codes, output % APUS_PANEL, i % APUS_GROUPED_UNIT);
            y[i] = g->offset == APUS_OFFSET_NONE ? product : product + factors[1];
        }
    }
}
