// Where things lie in a panel: 16 outputs, their inputs padded with zeros to whole steps.
//
//   F32   [inputs][16]                    a step is one input
//   F16   [inputs][16]
//   BF16  [inputs / 2][16][2]             a step is a pair of inputs (what VDPBF16PS, BFDOT and TDPBF16PS take)
//   I8    [inputs / 4][16][4]             a step is four inputs (VPDPBUSD, SDOT, TDPBSSD), then scales and sums
//   I4    [inputs / 128] of              in the order in which a row is multiplied: processors fetch ahead what is read so
//         [4][16]                        a grid for each 32 inputs (APUS_GRID)
//         [16][16][4]                    codes; low halves are the first four inputs of a step, high halves the next four
//         then scales and sums
//   scales: float [16]; sums: int32 [16], the sum of an output's integers (with their multipliers)
#ifndef APUS_PANELS_H
#define APUS_PANELS_H

#include "apus_kernels.h"
#include "grouped.h"

static inline size_t apus_round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

// Inputs of a panel, padding included.
static inline size_t apus_panel_inputs(apus_dtype type, size_t inputs) {
    return apus_round_up(inputs, type == APUS_I4 ? 128 : type == APUS_I8 ? 64 : 32);
}

// Bytes of a group of 4-bit codes, and of four of them with their grids.
#define APUS_I4_GROUP (APUS_GROUP / 2 * APUS_PANEL)
#define APUS_I4_BLOCK (4 * (APUS_I4_GROUP + APUS_PANEL))

// Bytes of a panel's elements, before scales. `padded` is apus_panel_inputs().
static inline size_t apus_panel_data(apus_dtype type, size_t padded) {
    switch (type) {
    case APUS_F32: return padded * 64;
    case APUS_BF16:
    case APUS_F16: return padded * 32;
    case APUS_I8: return padded * 16;
    case APUS_I4: return padded / 128 * APUS_I4_BLOCK;
    case APUS_GROUPED: break;
    }
    return 0;
}

static inline const uint8_t *apus_i4_grids(const void *panel, size_t group) {
    return (const uint8_t *)panel + group / 4 * APUS_I4_BLOCK + group % 4 * APUS_PANEL;
}

static inline const uint8_t *apus_i4_values(const void *panel, size_t group) {
    return (const uint8_t *)panel + group / 4 * APUS_I4_BLOCK + 4 * APUS_PANEL + group % 4 * APUS_I4_GROUP;
}

static inline const float *apus_panel_scales(const void *panel, apus_dtype type, size_t padded) {
    return (const float *)(const void *)((const uint8_t *)panel + apus_panel_data(type, padded));
}

static inline const int32_t *apus_panel_sums(const void *panel, apus_dtype type, size_t padded) {
    return (const int32_t *)(const void *)(apus_panel_scales(panel, type, padded) + APUS_PANEL);
}

// How far to look ahead of a place in one of some panels: at its end, in the panel of the next tile that it is read from.
static inline size_t look_ahead(size_t offset, size_t distance, int panels, size_t stride) {
    return distance + (offset + distance < stride ? 0 : (size_t)(panels - 1) * stride);
}

#endif
