// Products of bytes by shifts and 32-bit multiplications.
#define I8_OFFSET 0
#define TILED_INTEGERS 0

INLINE vint dot_i8(vint sum, vint x, vint w) {
    sum += (x << 24 >> 24) * (w << 24 >> 24);
    sum += (x << 16 >> 24) * (w << 16 >> 24);
    sum += (x << 8 >> 24) * (w << 8 >> 24);
    return sum + (x >> 24) * (w >> 24);
}
INLINE vint dot_u4(vint sum, vint x, vint w) { return dot_i8(sum, x, w); }
