// Products of bytes by VPDPBUSD (Intel SDM volume 2), which takes unsigned by signed ones.
#define I8_OFFSET 128

INLINE vint dot_i8(vint sum, vint x, vint w) {
    return (vint)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}
INLINE vint dot_u4(vint sum, vint x, vint w) {
    return (vint)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}
