// Where things lie in a panel: 16 outputs, their inputs padded with zeros to whole steps.
//
//   F32   [inputs][16]                    a step is one input
//   F16   [inputs][16]
//   BF16  [inputs / 2][16][2]             a step is a pair of inputs (what VDPBF16PS, BFDOT and TDPBF16PS take)
//   I8    [inputs / 4][16][4]             a step is four inputs (VPDPBUSD, SDOT, TDPBSSD), then scales and sums
//   I4    [inputs / 8][16][4]             low halves are the first four inputs, high halves the next four, as value + 8;
//         [inputs / 32][16]               multipliers; then scales and sums
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

// Bytes of a panel's elements, before multipliers and scales. `padded` is apus_panel_inputs().
static inline size_t apus_panel_data(apus_dtype type, size_t padded) {
    switch (type) {
    case APUS_F32: return padded * 64;
    case APUS_BF16:
    case APUS_F16: return padded * 32;
    case APUS_I8: return padded * 16;
    case APUS_I4: return padded * 8;
    case APUS_GROUPED: break;
    }
    return 0;
}

static inline const uint8_t *apus_panel_multipliers(const void *panel, size_t padded) {
    return (const uint8_t *)panel + padded * 8;
}

static inline const float *apus_panel_scales(const void *panel, apus_dtype type, size_t padded) {
    size_t multipliers = type == APUS_I4 ? padded / APUS_GROUP * APUS_PANEL : 0;
    return (const float *)(const void *)((const uint8_t *)panel + apus_panel_data(type, padded) + multipliers);
}

static inline const int32_t *apus_panel_sums(const void *panel, apus_dtype type, size_t padded) {
    return (const int32_t *)(const void *)(apus_panel_scales(panel, type, padded) + APUS_PANEL);
}

// How far to look ahead of a place in one of some panels: at its end, in the panel of the next tile that it is read from.
// For few rows: where so many panels, or `next` after them, have what is read so far behind `offset` of their `bytes`.
static inline const uint8_t *stream_ahead(const uint8_t *panel, const uint8_t *next, size_t offset, size_t distance,
                                          size_t bytes) {
    return offset + distance < bytes ? panel + offset + distance : next + (offset + distance - bytes) % bytes;
}

// What follows some panels: the next ones of the call, or what comes after it.
static inline const uint8_t *panels_after(const apus_linear *task, const uint8_t *panel, size_t stride, size_t panels,
                                          size_t left) {
    return left > panels || !task->next ? panel + panels * stride : (const uint8_t *)task->next;
}

static inline size_t look_ahead(size_t offset, size_t distance, int panels, size_t stride) {
    return distance + (offset + distance < stride ? 0 : (size_t)(panels - 1) * stride);
}

#endif
