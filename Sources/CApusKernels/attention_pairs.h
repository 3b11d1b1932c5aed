// Products of pairs of halves by VDPBF16PS, as in dot_bf16.h: queries and weights are rounded to bfloat16.
#define SUFFIX bf16
#define X uint16_t
#define STEP_X 2
#define WV __m512i
#define LOAD_W load_step
#define XV __m512i
#define LOAD_X load_half_pair
#define DOT dot_half_pair
#include "attention_product.h"
