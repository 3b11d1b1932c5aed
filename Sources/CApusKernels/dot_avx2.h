// Products of bytes without VNNI: widened to pairs of 16 bits, whose products are added exactly.
#define I8_OFFSET 0
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
