// Products with matrices of bfloat16, whose values are widened to floats.
#define SUFFIX bf16
#define LINEAR HALF(linear_bf16)
#define LINEAR_RAW HALF(linear_raw_bf16)
#define TYPE APUS_BF16
#define STEP_BYTES 64
#define STEP_INPUTS 2
#define LOAD_W load_half
#include "float_product.h"
