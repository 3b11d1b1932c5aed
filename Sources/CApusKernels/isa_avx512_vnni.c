// AVX-512 with VNNI: Cascade Lake, Ice Lake.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
    apply_to = function)

#define ELEMENTS avx512
#define HALVES avx512
#define BYTES avx512_vnni
#define ATTENTION avx512
#include "avx512.h"
#define TILED_INTEGERS 0
#include "dot_vnni.h"
#include "products.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"

#define TABLE apus_kernels_avx512_vnni
#define TABLE_NAME "avx512-vnni"
#include "vector_table.h"

#pragma clang attribute pop
#endif
