// AVX2 with VNNI: x86-64 of 2021 and later without AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)

#define ELEMENTS avx2
#define HALVES avx2
#define BYTES avx2_vnni
#define ATTENTION avx2
#include "avx2.h"
#define I8_OFFSET 128
#define FEW_AT_ONCE 4
#define TILED_INTEGERS 0

INLINE vint dot_i8(vint sum, vint x, vint w) {
    return (vint)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)w);
}
INLINE vint dot_u4(vint sum, vint x, vint w) {
    return (vint)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)w, (__m256i)x);
}
INLINE vint dot_u8(vint sum, vint x, vint w) { return dot_u4(sum, x, w); }
INLINE vint look_up(vint codes, const uint8_t table[16]) {
    const __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (vint)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), (__m256i)codes);
}

#include "products.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"

#define TABLE apus_kernels_avx2_vnni
#define TABLE_NAME "avx2-vnni"
#include "vector_table.h"

#pragma clang attribute pop
#endif
