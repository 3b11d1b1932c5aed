// Vectors of 8 floats, for every table over AVX2.
#define LANES 8
#define LOAD_F16 load_f16
#define ROW_TILE 6
#define PANEL_TILE 1
#define STREAMS 4
#define STREAM_ROWS 1
#define LOOK_UP_FLOATS look_up_floats
#include "vector.h"

INLINE vfloat look_up_floats(vint codes, const float table[16]) {
    const vfloat low = (vfloat)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)codes);
    const vfloat high = (vfloat)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), (__m256i)codes);
    return (vfloat)_mm256_blendv_ps((__m256)low, (__m256)high, (__m256)(codes << 28));
}

INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
