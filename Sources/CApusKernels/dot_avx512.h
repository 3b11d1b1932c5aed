// Products of bytes without VNNI, as in dot_avx2.h.
#define I8_OFFSET 0
#define FEW_AT_ONCE 1
#define TILED_INTEGERS 0

INLINE vint dot_i8(vint sum, vint x, vint w) {
    __m512i even_x = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)x, 8), 8);
    __m512i even_w = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)w, 8), 8);
    __m512i odd_x = _mm512_srai_epi16((__m512i)x, 8), odd_w = _mm512_srai_epi16((__m512i)w, 8);
    return sum + (vint)_mm512_madd_epi16(even_x, even_w) + (vint)_mm512_madd_epi16(odd_x, odd_w);
}
INLINE vint dot_u4(vint sum, vint x, vint w) {
    __m512i pairs = _mm512_maddubs_epi16((__m512i)w, (__m512i)x);
    return sum + (vint)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

INLINE vint dot_u8(vint sum, vint x, vint w) {
    __m512i even_x = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)x, 8), 8), odd_x = _mm512_srai_epi16((__m512i)x, 8);
    __m512i even_w = (__m512i)((vint)w & 0x00ff00ff), odd_w = _mm512_srli_epi16((__m512i)w, 8);
    return sum + (vint)_mm512_madd_epi16(even_x, even_w) + (vint)_mm512_madd_epi16(odd_x, odd_w);
}
INLINE vint look_up(vint codes, const uint8_t table[16]) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vint)_mm512_shuffle_epi8(_mm512_broadcast_i32x4(entries), (__m512i)codes);
}
