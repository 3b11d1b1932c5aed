// Rounding of groups of APUS_GROUP floats to integers. Every instruction set gives the same bits.
#ifndef APUS_QUANTIZER_H
#define APUS_QUANTIZER_H

#include "apus_kernels.h"

typedef struct {
    // The largest absolute value.
    float (*largest)(const float *values);
    // Values divided by the scale, whose inverse is given, from -127 to 127.
    void (*to_i8)(const float *values, float inverse, int8_t *integers);
    // Codes from 0 to 15 of sixteen outputs, [inputs][16] at 64-byte alignment, and for each group of inputs a grid: those multipliers
    // and zeros that lose least (APUS_GRID). Values are multiplied with `inverses` first and change; there is room for whole
    // groups. With `spread`, [inputs][inputs], an input's error is taken from each that follows, as often as it says.
    void (*to_i4)(float *values, size_t inputs, const float *inverses, const float *spread, uint8_t *codes, uint8_t *grids);
    // APUS_ROTATION values, in place.
    void (*rotate)(float *values);
    // moments[i][j] += the sum over rows of row[i] * row[j], for j >= i / 16 * 16; `width` is a multiple of 16.
    void (*add_moments)(const float *rows, size_t count, size_t width, float *moments);
} apus_quantizer;

// That of an instruction set; NULL if this machine lacks it.
const apus_quantizer *apus_quantizer_for(apus_isa isa);
// The fastest of this machine.
const apus_quantizer *apus_quantizer_of_machine(void);

#endif
