// Vectors of 16 floats, for every table over AVX-512.
#define LANES 16
#define LOAD_F16 load_f16
#define ROW_TILE 12
#define PANEL_TILE 2
#define STREAMS 4
#define STREAM_ROWS 4
#define LOOK_UP_FLOATS look_up_floats
#include "vector.h"

INLINE vfloat look_up_floats(vint codes, const float table[16]) {
    return (vfloat)_mm512_permutexvar_ps((__m512i)codes, _mm512_loadu_ps(table));
}

INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
