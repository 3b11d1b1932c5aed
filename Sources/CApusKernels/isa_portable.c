// 128-bit vectors that any compiler target has: SSE2 on x86-64, NEON on arm64.
#define ELEMENTS portable
#define HALVES portable
#define BYTES portable
#define ATTENTION portable
#define LANES 4
#define LOAD_F16 load_f16
#include "vector.h"

#if defined(__aarch64__)
#include <arm_neon.h>
INLINE vfloat load_f16(const uint16_t *p) { return (vfloat)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
#define ROW_TILE 4
#else
INLINE vfloat load_f16(const uint16_t *p) {
    return (vfloat){apus_float_of_f16(p[0]), apus_float_of_f16(p[1]), apus_float_of_f16(p[2]), apus_float_of_f16(p[3])};
}
#define ROW_TILE 2
#endif
#define PANEL_TILE 1
#define STREAMS 2
#define STREAM_ROWS 1

#include "dot_portable.h"
#include "products.h"
#include "float_products.h"
#include "half_products.h"
#include "grouped_floats.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_portable
#define TABLE_NAME "portable"
#include "vector_table.h"
