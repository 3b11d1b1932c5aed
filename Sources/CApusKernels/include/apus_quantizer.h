// Rounding of groups of APUS_GROUP floats to integers. Every instruction set gives the same bits.
#ifndef APUS_QUANTIZER_H
#define APUS_QUANTIZER_H

#include "apus_kernels.h"

typedef struct {
    // The largest absolute value.
    float (*largest)(const float *values);
    // Values divided by the scale, whose inverse is given, from -127 to 127.
    void (*to_i8)(const float *values, float inverse, int8_t *integers);
    // Integers from 0 to 15, standing for integer - 8 times the scale and the multiplier that is returned: the one from 1
    // to 15 that loses least.
    uint8_t (*to_i4)(const float *values, float scale, uint8_t *integers);
    // APUS_ROTATION values, in place.
    void (*rotate)(float *values);
} apus_quantizer;

// That of an instruction set; NULL if this machine lacks it.
const apus_quantizer *apus_quantizer_for(apus_isa isa);
// The fastest of this machine.
const apus_quantizer *apus_quantizer_of_machine(void);

#endif
