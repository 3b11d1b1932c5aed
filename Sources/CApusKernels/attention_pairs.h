// Products of pairs of halves by the instruction of dot_bf16.h: queries and weights are rounded to bfloat16.
#define SUFFIX bf16
#define X uint16_t
#define STEP_X 2
#define WV vint
#define LOAD_W LOAD_BYTES
#define XV vint
#define LOAD_X LOAD_FOUR
#define PARTS 1
#define DOT dot_halves
#include "attention_product.h"
