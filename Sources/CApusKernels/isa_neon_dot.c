// NEON with dot products of bytes: arm64 of 2018 and later.
#if defined(__aarch64__)
#include <arm_neon.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define ELEMENTS portable
#define HALVES portable
#define BYTES neon_dot
#define ATTENTION portable
#include "neon.h"
#include "products.h"
#include "integer_products.h"
#include "grouped_product.h"
#include "linear.h"

#define TABLE apus_kernels_neon_dot
#define TABLE_NAME "neon-dot"
#include "vector_table.h"

#pragma clang attribute pop
#endif
