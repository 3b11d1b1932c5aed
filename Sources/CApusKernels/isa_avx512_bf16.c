// AVX-512 with dot products of bfloat16 pairs: Zen 4, Cooper Lake, Sapphire Rapids. Activations are rounded to
// bfloat16 once per product, and each lane of a sum adds pairs of inputs (vdpbf16ps: Intel SDM volume 2).
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
                             apply_to = function)

#include "avx512.h"
#define ROW_TILE 6
#define OWN_BF16_PRODUCT

INLINE vfloat dot_bf16(vfloat sums, __m512i x, __m512i w) {
    return (vfloat)_mm512_dpbf16_ps((__m512)sums, (__m512bh)x, (__m512bh)w);
}

#define SUFFIX bf16
#define X uint16_t
#define W uint16_t
#define XV __m512i
#define WV __m512i
#define STEP 32
#define LOAD_X _mm512_loadu_si512
#define LOAD_W _mm512_loadu_si512
#define DOT dot_bf16
#include "linear_rows.h"

INLINE size_t bf16_stride(size_t inputs) { return (inputs + 31) / 32 * 32; }

static size_t bf16_workspace(size_t rows, size_t inputs) { return rows * bf16_stride(inputs) * sizeof(uint16_t); }

static void bf16_pack(const apus_linear *task, size_t first, size_t end) {
    size_t stride = bf16_stride(task->inputs);
    for (size_t row = first; row < end; row++) {
        const float *x = task->x + row * task->inputs;
        uint16_t *packed = (uint16_t *)task->packed + row * stride;
        for (size_t i = 0; i < stride; i += 16) {
            size_t left = i < task->inputs ? task->inputs - i : 0;
            __mmask16 mask = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
            _mm256_storeu_si256((__m256i *)(packed + i),
                                (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i)));
        }
    }
}

#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_avx512_bf16
#define TABLE_NAME "avx512-bf16"
#include "vector_table.h"

#pragma clang attribute pop
#endif
