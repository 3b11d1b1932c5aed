// AVX2 with FMA and F16C: x86-64 since 2013.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define ELEMENTS avx2
#define HALVES avx2
#define BYTES avx2
#define ATTENTION avx2
#include "avx2.h"
#include "dot_avx2.h"
#include "products.h"
#include "float_products.h"
#include "half_products.h"
#include "grouped_floats.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_avx2
#define TABLE_NAME "avx2"
#include "vector_table.h"

#pragma clang attribute pop
#endif
