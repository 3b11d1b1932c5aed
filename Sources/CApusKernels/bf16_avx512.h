// bfloat16 by AVX-512 BF16.
INLINE void store_halves(uint16_t *p, vfloat v) {
    _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh((__m512)v));
}
// VDPBF16PS (Intel SDM volume 2).
INLINE vfloat dot_halves(vfloat sum, vint x, vint w) {
    return (vfloat)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}
