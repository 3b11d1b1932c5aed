// Vectors of 8 floats, for every table over AVX2.
#define LANES 8
#define LOAD_F16 load_f16
#define ROW_TILE 6
#define PANEL_TILE 1
#define STREAMS 4
#define STREAM_ROWS 1
#include "vector.h"

INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
