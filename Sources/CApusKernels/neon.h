// Vectors of four floats and products of bytes by SDOT, for every arm64 table over dot products.
#define LANES 4
#define LOAD_F16 load_f16
#define ROW_TILE 4
#define PANEL_TILE 1
#define STREAMS 2
#define STREAM_ROWS 1
#define I8_OFFSET 0
#define FEW_AT_ONCE 4
#define TILED_INTEGERS 0
#include "vector.h"

INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }

INLINE vint dot_i8(vint sum, vint x, vint w) {
    return (vint)vdotq_s32((int32x4_t)sum, (int8x16_t)x, (int8x16_t)w);
}
INLINE vint dot_u4(vint sum, vint x, vint w) { return dot_i8(sum, x, w); }
// The highest bit of a weight would be its sign.
INLINE vint dot_u8(vint sum, vint x, vint w) {
    const vint high = w >> 7 & 0x01010101;
    return dot_i8(sum, x, w & 0x7f7f7f7f) + (dot_i8((vint){}, x, high) << 7);
}
INLINE vint look_up(vint codes, const uint8_t table[16]) { return (vint)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)codes); }
