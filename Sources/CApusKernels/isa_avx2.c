// AVX2 with FMA and F16C: x86-64 since 2013.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define LANES 8
#define LOAD_BF16 load_bf16
#define LOAD_F16 load_f16
#include "vector.h"

INLINE vfloat load_bf16(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return (vfloat)_mm256_slli_epi32(wide, 16);
}
INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

#define ROW_TILE 2
#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_avx2
#define TABLE_NAME "avx2"
#include "vector_table.h"

#pragma clang attribute pop
#endif
