// AVX-512 without VNNI or bfloat16: Skylake servers.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), \
    apply_to = function)

#define ELEMENTS avx512
#define HALVES avx512
#define BYTES avx512
#define ATTENTION avx512
#include "avx512.h"
#include "dot_avx512.h"
#include "products.h"
#include "float_products.h"
#include "half_products.h"
#include "grouped_floats.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_avx512
#define TABLE_NAME "avx512"
#include "vector_table.h"

#pragma clang attribute pop
#endif
