// Where things lie in a panel of a grouped matrix: blocks of inputs one after the other, each with the scales and offsets of
// 16 outputs, then their codes. A block has 256 inputs where scales have a half for so many, else 128 or 64. All of it stands
// in the order in which a row is multiplied: processors fetch ahead what is read line by line.
//
//   scales   [groups of the block][16], then offsets [groups][16], then halves [16] of scales and of offsets
//   codes    for each 64 inputs, planes of 4, 2 and 1 bits as the bits of a code need them (or bytes): lines of 64 bytes,
//            which hold one byte for each of 4 inputs of the 16 outputs, [16][4]. A line of 4 bits has 8 inputs, the first
//            four in the low halves; one of 2 bits has 16 inputs, one of 1 bit has 32, in the same way. A line of the higher
//            bits stands before those of the lower ones that have its inputs.
//
// Scales of a whole row stand behind the last block: float [16], and [16] offsets; or what scales of E4M3 are multiplied with.
#ifndef APUS_GROUPED_LAYOUT_H
#define APUS_GROUPED_LAYOUT_H

#include "apus_kernels.h"
#include "half.h"

static inline size_t apus_up_to(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

typedef struct {
    size_t inputs, groups; // of a block
    size_t values;         // bytes of its scales and offsets, before the codes
    size_t codes;          // bytes of those
    size_t scale, offset;  // bytes of one
    size_t bytes;          // of a block
    bool has_halves;
} apus_block_layout;

static inline apus_block_layout apus_block_layout_of(const apus_grouping *g) {
    apus_block_layout layout = {.inputs = g->group == 128 ? 128 : 64};
    layout.has_halves = g->scale == APUS_SCALE_U8 || g->scale == APUS_SCALE_I8;
    if (layout.has_halves) layout.inputs = 256;
    layout.groups = layout.inputs / g->group;
    layout.codes = layout.inputs * APUS_PANEL * g->bits / 8;
    const size_t widths[] = {2, 2, 4, 1, 1, 0, 1};
    layout.scale = widths[g->scale];
    layout.offset = g->offset == APUS_OFFSET_OWN ? layout.scale : g->offset == APUS_OFFSET_ZERO ? 2 : 0;
    if (g->scale == APUS_SCALE_ROW) layout.offset = 0;
    size_t values = layout.groups * APUS_PANEL * (layout.scale + layout.offset);
    if (layout.has_halves) values += (g->offset == APUS_OFFSET_OWN ? 2 : 1) * APUS_PANEL * 2;
    layout.values = apus_up_to(values, 64);
    layout.bytes = layout.values + layout.codes;
    return layout;
}

static inline bool apus_has_row_floats(const apus_grouping *g) {
    return g->scale == APUS_SCALE_ROW || g->scale == APUS_SCALE_E4M3;
}

static inline size_t apus_grouped_inputs(const apus_grouping *g, size_t inputs) {
    return apus_up_to(inputs, apus_block_layout_of(g).inputs);
}

// The floats behind the last block of a panel.
static inline const float *apus_row_scales(const uint8_t *panel, const apus_block_layout *layout, size_t inputs) {
    return (const float *)(const void *)(panel + (inputs + layout->inputs - 1) / layout->inputs * layout->bytes);
}

// Where a unit has its codes.
static inline const uint8_t *apus_grouped_codes(const apus_block_layout *layout, const uint8_t *panel, size_t unit) {
    const size_t each = layout->inputs / APUS_GROUPED_UNIT;
    return panel + unit / each * layout->bytes + layout->values + unit % each * (layout->codes / each);
}

// Lines of lower bits to one of higher bits: of codes of 3, 5 and 6 bits; else 0.
static inline int apus_lines_together(int bits) { return bits == 5 ? 4 : bits == 3 || bits == 6 ? 2 : 0; }

// Where a line of the lower bits of a unit begins, and one of the higher bits.
static inline int apus_low_line(int bits, int line) {
    const int together = apus_lines_together(bits);
    return (together ? line + line / together + 1 : line) * 64;
}

static inline int apus_high_line(int bits, int line) { return line * (apus_lines_together(bits) + 1) * 64; }

// The code of an element of a grouped matrix, out of the planes of its unit.
static inline int apus_grouped_code(const apus_grouping *g, const uint8_t *codes, size_t output, size_t input) {
    const int low = g->bits == 8 ? 8 : g->bits < 4 ? 2 : 4, high = g->bits - low;
    const int step = (int)input / 4, place = (int)output * 4 + (int)input % 4, each = 8 / low;
    int code = codes[apus_low_line(g->bits, step / each) + place] >> step % each * low & ((1 << low) - 1);
    if (high) {
        const uint8_t byte = codes[apus_high_line(g->bits, step * high / 8) + place];
        code |= (byte >> step % (8 / high) * high & ((1 << high) - 1)) << low;
    }
    return code;
}

// What it stands for, where that is an integer, and as a float.
static inline int apus_grouped_value(const apus_grouping *g, const uint8_t *codes, size_t output, size_t input) {
    const int code = apus_grouped_code(g, codes, output, input);
    return g->has_table ? g->table[code] : code;
}

static inline float apus_grouped_float(const apus_grouping *g, const uint8_t *codes, size_t output, size_t input) {
    switch (g->codes) {
    case APUS_CODES_FLOATS: return g->floats[apus_grouped_code(g, codes, output, input) & 15];
    case APUS_CODES_E4M3: return apus_float_of_e4m3((uint8_t)apus_grouped_code(g, codes, output, input));
    default: return (float)(apus_grouped_value(g, codes, output, input) - g->zero);
    }
}

static inline float apus_grouped_number(const uint8_t *values, uint8_t type, size_t index) {
    switch (type) {
    case APUS_SCALE_U8: return values[index];
    case APUS_SCALE_I8: return ((const int8_t *)values)[index];
    case APUS_SCALE_F32: return ((const float *)(const void *)values)[index];
    case APUS_SCALE_E4M3: return apus_float_of_e4m3(values[index]);
    case APUS_SCALE_BF16: return apus_float_of_bf16(((const uint16_t *)(const void *)values)[index]);
    default: return apus_float_of_f16(((const uint16_t *)(const void *)values)[index]);
    }
}

// The scale and the offset of the group that an input is in.
static inline void apus_grouped_factors(const apus_grouping *g, const uint8_t *panel, size_t inputs, size_t output,
                                        size_t input, float factors[2]) {
    const apus_block_layout layout = apus_block_layout_of(g);
    const uint8_t *scales = panel + input / layout.inputs * layout.bytes;
    const uint8_t *offsets = scales + layout.groups * APUS_PANEL * layout.scale;
    const uint8_t *halves = offsets + layout.groups * APUS_PANEL * layout.offset;
    const size_t index = input % layout.inputs / g->group * APUS_PANEL + output;
    if (g->scale == APUS_SCALE_ROW) {
        factors[0] = apus_row_scales(panel, &layout, inputs)[output];
        factors[1] = apus_row_scales(panel, &layout, inputs)[APUS_PANEL + output];
        return;
    }
    factors[0] = apus_grouped_number(scales, g->scale, index);
    if (g->scale == APUS_SCALE_E4M3) factors[0] *= apus_row_scales(panel, &layout, inputs)[output];
    if (layout.has_halves) factors[0] *= apus_grouped_number(halves, APUS_SCALE_F16, output);
    factors[1] = 0;
    if (g->offset == APUS_OFFSET_ZERO) factors[1] = -(factors[0] * apus_grouped_number(offsets, APUS_SCALE_F16, index));
    if (g->offset == APUS_OFFSET_OWN) factors[1] = apus_grouped_number(offsets, g->scale, index);
    if (g->offset == APUS_OFFSET_OWN && layout.has_halves) {
        factors[1] *= -apus_grouped_number(halves, APUS_SCALE_F16, APUS_PANEL + output);
    }
}

#endif
