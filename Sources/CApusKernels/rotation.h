// The orthonormal Hadamard transform of blocks of inputs: it spreads outliers before values are rounded, and the product of
// two rotated vectors is that of the vectors (after QuaRot, arXiv 2404.00456). Additions in one order and an exact factor,
// so that the bits are the same on every instruction set.
#ifndef APUS_ROTATION_H
#define APUS_ROTATION_H

#include <string.h>

#include "apus_kernels.h"

typedef float rotation_lanes __attribute__((vector_size(64)));

// Lanes whose places differ in one bit, added where it is 0 and subtracted where it is 1.
#define ROTATE_LANES(v, h)                                                                                             \
    __builtin_shufflevector(v, v, 0 ^ h, 1 ^ h, 2 ^ h, 3 ^ h, 4 ^ h, 5 ^ h, 6 ^ h, 7 ^ h, 8 ^ h, 9 ^ h, 10 ^ h, 11 ^ h,   \
                            12 ^ h, 13 ^ h, 14 ^ h, 15 ^ h) +                                                          \
        v * (rotation_lanes){ROTATE_SIGNS(0, h), ROTATE_SIGNS(4, h), ROTATE_SIGNS(8, h), ROTATE_SIGNS(12, h)}
#define ROTATE_SIGN(i, h) ((i) & h ? -1.0f : 1.0f)
#define ROTATE_SIGNS(i, h) ROTATE_SIGN(i, h), ROTATE_SIGN(i + 1, h), ROTATE_SIGN(i + 2, h), ROTATE_SIGN(i + 3, h)

// Of APUS_ROTATION values.
static inline __attribute__((always_inline)) void apus_rotate(float *values) {
    rotation_lanes v[4];
    memcpy(v, values, sizeof v);
    for (int i = 0; i < 4; i++) {
        v[i] = ROTATE_LANES(v[i], 1);
        v[i] = ROTATE_LANES(v[i], 2);
        v[i] = ROTATE_LANES(v[i], 4);
        v[i] = ROTATE_LANES(v[i], 8);
    }
    const rotation_lanes a = v[0] + v[1], b = v[0] - v[1], c = v[2] + v[3], d = v[2] - v[3];
    v[0] = (a + c) * 0.125f, v[1] = (b + d) * 0.125f, v[2] = (a - c) * 0.125f, v[3] = (b - d) * 0.125f;
    memcpy(values, v, sizeof v);
}

#undef ROTATE_LANES
#undef ROTATE_SIGN
#undef ROTATE_SIGNS

#endif
