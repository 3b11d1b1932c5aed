// The tables of this build, and the scalar pieces that vector kernels share.
#ifndef APUS_TABLES_H
#define APUS_TABLES_H

#include "apus_kernels.h"

extern const apus_kernels apus_kernels_scalar, apus_kernels_portable;
#if defined(__x86_64__)
extern const apus_kernels apus_kernels_avx2, apus_kernels_avx2_vnni;
extern const apus_kernels apus_kernels_avx512, apus_kernels_avx512_vnni, apus_kernels_avx512_bf16;
extern const apus_kernels apus_kernels_amx_bf16;
#endif
#if defined(__aarch64__)
extern const apus_kernels apus_kernels_neon_dot, apus_kernels_neon_bf16;
#endif

void apus_store_kv(const float *k, const float *v, void *keys, void *values, apus_dtype type, size_t blocks,
                   const int32_t *slots, size_t tokens, size_t kv_heads, size_t head_dim);

#endif
