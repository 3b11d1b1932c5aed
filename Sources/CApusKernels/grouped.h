// Where things lie in a panel of a grouped matrix: blocks of inputs one after the other, each with the codes of 16 outputs,
// then its scales and offsets. A block has 256 inputs where scales have a half for so many, else 128 or 64.
//
//   codes    for each 64 inputs, planes of 4, 2 and 1 bits as the bits of a code need them (or bytes): lines of 64 bytes,
//            which hold one byte for each of 4 inputs of the 16 outputs, [16][4]. A line of 4 bits has 8 inputs, the first
//            four in the low halves; one of 2 bits has 16 inputs, one of 1 bit has 32, in the same way.
//   scales   [groups of the block][16], then offsets [groups][16], then halves [16] of scales and of offsets
//
// Scales of a whole row stand behind the last block: float [16], and [16] offsets.
#ifndef APUS_GROUPED_LAYOUT_H
#define APUS_GROUPED_LAYOUT_H

#include "apus_kernels.h"

static inline size_t apus_up_to(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

typedef struct {
    size_t inputs, groups; // of a block
    size_t codes;          // bytes of its codes
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
    const size_t widths[] = {2, 2, 4, 1, 1, 0};
    layout.scale = widths[g->scale];
    layout.offset = g->offset == APUS_OFFSET_OWN ? layout.scale : g->offset == APUS_OFFSET_ZERO ? 2 : 0;
    if (g->scale == APUS_SCALE_ROW) layout.offset = 0;
    size_t values = layout.groups * APUS_PANEL * (layout.scale + layout.offset);
    if (layout.has_halves) values += (g->offset == APUS_OFFSET_OWN ? 2 : 1) * APUS_PANEL * 2;
    layout.bytes = layout.codes + apus_up_to(values, 64);
    return layout;
}

static inline size_t apus_grouped_inputs(const apus_grouping *g, size_t inputs) {
    return apus_up_to(inputs, apus_block_layout_of(g).inputs);
}

// The floats behind the last block of a panel.
static inline const float *apus_row_scales(const uint8_t *panel, const apus_block_layout *layout, size_t inputs) {
    return (const float *)(const void *)(panel + (inputs + layout->inputs - 1) / layout->inputs * layout->bytes);
}

#endif
