// Products of bytes by VPDPBUSD (Intel SDM volume 2), which takes unsigned by signed ones.
#define I8_OFFSET 128
#define FEW_AT_ONCE 4

INLINE vint dot_i8(vint sum, vint x, vint w) {
    return (vint)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}
INLINE vint dot_u4(vint sum, vint x, vint w) {
    return (vint)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}
INLINE vint dot_u8(vint sum, vint x, vint w) { return dot_u4(sum, x, w); }
INLINE vint look_up(vint codes, const uint8_t table[16]) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vint)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(entries), (__m512i)codes);
}
