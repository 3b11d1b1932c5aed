// bfloat16 by AVX-512 BF16.
INLINE void store_halves(uint16_t *p, vfloat v) {
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh((__m512)v));
}
// VDPBF16PS (Intel SDM volume 2).
INLINE vfloat dot_halves(vfloat sum, vint x, vint w) {
    return (vfloat)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}
// VCVTNE2PS2BF16 puts one vector's halves behind the other's.
#define PAIR_HALVES pair_halves
INLINE vint pair_halves(vfloat low, vfloat high) {
    static const uint16_t turns[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
    return (vint)_mm512_permutexvar_epi16(_mm512_loadu_si512(turns), both);
}
