// bfloat16 products by VDPBF16PS (Intel SDM volume 2): activations are rounded to bfloat16 once, and each lane of a sum
// adds a pair of inputs at a time.

static size_t bf16_bytes(size_t rows, size_t inputs) { return rows * row_stride(APUS_BF16, inputs, 2) * 2; }

static void pack_bf16(const apus_activations *task, const float *x, float scale, size_t row) {
    const size_t padded = apus_panel_inputs(APUS_BF16, task->inputs);
    uint16_t *packed = (uint16_t *)task->packed + row * row_stride(APUS_BF16, task->inputs, 2);
    float values[64];
    for (size_t first = 0; first < padded; first += 64) {
        read_row(task, x, scale, first, values);
        for (size_t i = 0; i < 64 && first + i < padded; i += 16) {
            _mm256_storeu_si256((__m256i *)(packed + first + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(values + i)));
        }
    }
}

INLINE __m512i load_step(const uint8_t *p) { return _mm512_loadu_si512(p); }
INLINE __m512i load_half_pair(const uint16_t *p) {
    int32_t two;
    memcpy(&two, p, 4);
    return _mm512_set1_epi32(two);
}
INLINE vfloat dot_half_pair(vfloat sum, __m512i x, __m512i w) {
    return (vfloat)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}

#define HALF_ROWS(task) ((const uint16_t *)(task)->packed)
#define SUFFIX bf16
#define TYPE APUS_BF16
#define ACC vfloat
#define STEP_BYTES 64
#define STEP_INPUTS 2
#define WV __m512i
#define LOAD_W load_step
#define X uint16_t
#define STEP_X 2
#define XV __m512i
#define LOAD_X load_half_pair
#define DOT dot_half_pair
#define ROWS HALF_ROWS
#define RESULT AS_IT_IS
#include "product_tile.h"
