// Products of pairs of halves by the instruction of dot_bf16.h: queries and weights are rounded to bfloat16.
#define SUFFIX bf16
#define X uint16_t
#define STEP_X 2
#define WV vint
#define LOAD_W load_bytes
#define XV vint
#define LOAD_X load_half_pair
#define DOT dot_halves
#include "attention_product.h"
