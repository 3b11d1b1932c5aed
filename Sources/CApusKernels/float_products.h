// Products with matrices of float32 and float16.
#define SUFFIX f32
#define LINEAR ELEMENT(linear_f32)
#define LINEAR_RAW ELEMENT(linear_raw_f32)
#define TYPE APUS_F32
#define STEP_BYTES 64
#define STEP_INPUTS 1
#define LOAD_W LOAD_FLOATS
#include "float_product.h"

#define SUFFIX f16
#define LINEAR ELEMENT(linear_f16)
#define TYPE APUS_F16
#define STEP_BYTES 32
#define STEP_INPUTS 1
#define LOAD_W LOAD_HALVES
#include "float_product.h"
