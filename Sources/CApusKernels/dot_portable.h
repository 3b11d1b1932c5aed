// Products of bytes by shifts and 32-bit multiplications.
#define I8_OFFSET 0
#define FEW_AT_ONCE 1
#define TILED_INTEGERS 0

INLINE vint dot_i8(vint sum, vint x, vint w) {
    sum += (x << 24 >> 24) * (w << 24 >> 24);
    sum += (x << 16 >> 24) * (w << 16 >> 24);
    sum += (x << 8 >> 24) * (w << 8 >> 24);
    return sum + (x >> 24) * (w >> 24);
}
INLINE vint dot_u4(vint sum, vint x, vint w) { return dot_i8(sum, x, w); }
INLINE vint dot_u8(vint sum, vint x, vint w) {
    sum += (x << 24 >> 24) * (w & 255);
    sum += (x << 16 >> 24) * (w >> 8 & 255);
    sum += (x << 8 >> 24) * (w >> 16 & 255);
    return sum + (x >> 24) * (w >> 24 & 255);
}
INLINE vint look_up(vint codes, const uint8_t table[16]) {
    uint8_t bytes[LANES * 4];
    memcpy(bytes, &codes, sizeof bytes);
    for (int i = 0; i < LANES * 4; i++) bytes[i] = table[bytes[i]];
    memcpy(&codes, bytes, sizeof bytes);
    return codes;
}
