// What products of 8-bit and 4-bit panels share: scales, and the widening of 4 bits to 8.
#include "integer_rows.h"

// 4-bit panels that are widened together.
#define WIDENED 4

INLINE vint load_ints(const int32_t *p) { return (vint)load((const float *)(const void *)p); }

INLINE vfloat scaled(float row_scale, const float *scales, vint sum) {
    return __builtin_convertvector(sum, vfloat) * (row_scale * load(scales));
}

INLINE vint load_grids(const uint8_t *p) {
    typedef uint8_t narrow __attribute__((vector_size(LANES)));
    narrow bytes;
    memcpy(&bytes, p, LANES);
    return __builtin_convertvector(bytes, vint);
}

// (code - zero) * multiplier for the four bytes of every lane, whose low bits are right even where 15 * 15 has no sign. Two bytes are
// multiplied as one number: that has 8 bits.
INLINE vint widened(vint values, vint multiplier_twice, vint zero) {
    typedef uint16_t vshort __attribute__((vector_size(LANES * 4)));
    typedef int8_t vchar __attribute__((vector_size(LANES * 4)));
    return (vint)((vchar)((vshort)values * (vshort)multiplier_twice) - (vchar)zero);
}

// Widens groups [first, first + count) of some panels, each to [count * 8][16][4]. All panels at once, so that memory has
// several streams to follow.
INLINE void widen_panels(const uint8_t *panel, int panels, size_t stride, size_t first, size_t count, uint8_t *target,
                         size_t target_stride) {
    for (size_t group = first; group < first + count; group++) {
        const size_t place = (size_t)(apus_i4_values(panel, group) - panel);
        const size_t ahead = look_ahead(place, 2 * APUS_I4_BLOCK, panels, stride);
        for (int p = 0; p < panels; p++) {
            const uint8_t *steps = panel + (size_t)p * stride + place;
            const uint8_t *grids = apus_i4_grids(panel + (size_t)p * stride, group);
            uint8_t *wide = target + (size_t)p * target_stride + (group - first) * APUS_GROUP * APUS_PANEL;
            if (group % 4 == 0) __builtin_prefetch(grids + ahead);
            for (int v = 0; v < VECTORS; v++) {
                const vint grid = load_grids(grids + v * LANES), multiplier = grid & 15;
                const vint twice = multiplier | multiplier << 16, once = multiplier * (grid >> 4);
                const vint zero = once | once << 8 | once << 16 | once << 24;
                UNROLLED for (size_t step = 0; step < APUS_GROUP / 8; step++) {
                    const uint8_t *source = steps + step * 64 + v * LANES * 4;
                    uint8_t *low = wide + step * 128 + v * LANES * 4;
                    const vint halves = load_bytes(source);
                    if (v == 0) __builtin_prefetch(source + ahead);
                    store((float *)(void *)low, (vfloat)widened(halves & 0x0f0f0f0f, twice, zero));
                    store((float *)(void *)(low + 64), (vfloat)widened(halves >> 4 & 0x0f0f0f0f, twice, zero));
                }
            }
        }
    }
}
