// NEON with dot products of bytes and of bfloat16 pairs: arm64 of 2021 and later.
#if defined(__aarch64__)
#include <arm_neon.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("dotprod,bf16"))), apply_to = function)

#define ELEMENTS portable
#define HALVES neon_bf16
#define BYTES neon_dot
#define ATTENTION neon_bf16
#include "neon.h"

INLINE void store_halves(uint16_t *p, vfloat v) {
    for (int i = 0; i < LANES; i++) p[i] = apus_bf16_of_float(v[i]);
}
// BFDOT (Arm Architecture Reference Manual, C7.2) rounds in its own way; every row count uses it.
INLINE vfloat dot_halves(vfloat sum, vint x, vint w) {
    return (vfloat)vbfdotq_f32((float32x4_t)sum, (bfloat16x8_t)x, (bfloat16x8_t)w);
}

#define OWN_BF16
#include "products.h"
#include "dot_bf16.h"
#include "grouped_floats.h"
#include "linear.h"
#define PAIR_PRODUCTS "attention_pairs.h"
#include "attention.h"

#define TABLE apus_kernels_neon_bf16
#define TABLE_NAME "neon-bf16"
#include "vector_table.h"

#pragma clang attribute pop
#endif
