// AVX-512 with VNNI and dot products of bfloat16 pairs: Zen 4, Cooper Lake, Sapphire Rapids.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16"))), \
    apply_to = function)

#define ELEMENTS avx512
#define HALVES avx512_bf16
#define BYTES avx512_vnni
#define ATTENTION avx512_bf16
#include "avx512.h"
#define TILED_INTEGERS 0
#include "dot_vnni.h"
#include "bf16_avx512.h"
#define OWN_BF16
#include "products.h"
#include "dot_bf16.h"
#include "grouped_floats.h"
#include "linear.h"
#define PAIR_PRODUCTS "attention_pairs.h"
#include "attention.h"

#define TABLE apus_kernels_avx512_bf16
#define TABLE_NAME "avx512-bf16"
#include "vector_table.h"

#pragma clang attribute pop
#endif
