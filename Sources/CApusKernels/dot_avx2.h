// Products of bytes without VNNI: widened to pairs of 16 bits, whose products are added exactly.
#define I8_OFFSET 0
#define FEW_AT_ONCE 1
#define TILED_INTEGERS 0

INLINE vint dot_i8(vint sum, vint x, vint w) {
    __m256i even_x = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)x, 8), 8);
    __m256i even_w = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)w, 8), 8);
    __m256i odd_x = _mm256_srai_epi16((__m256i)x, 8), odd_w = _mm256_srai_epi16((__m256i)w, 8);
    return sum + (vint)_mm256_madd_epi16(even_x, even_w) + (vint)_mm256_madd_epi16(odd_x, odd_w);
}

// Two products of at most 15 * 127 fit 16 bits.
INLINE vint dot_u4(vint sum, vint x, vint w) {
    __m256i pairs = _mm256_maddubs_epi16((__m256i)w, (__m256i)x);
    return sum + (vint)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

INLINE vint dot_u8(vint sum, vint x, vint w) {
    __m256i even_x = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)x, 8), 8), odd_x = _mm256_srai_epi16((__m256i)x, 8);
    __m256i even_w = (__m256i)((vint)w & 0x00ff00ff), odd_w = _mm256_srli_epi16((__m256i)w, 8);
    return sum + (vint)_mm256_madd_epi16(even_x, even_w) + (vint)_mm256_madd_epi16(odd_x, odd_w);
}
INLINE vint look_up(vint codes, const uint8_t table[16]) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vint)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), (__m256i)codes);
}
