// Products of floats: activations as they are, and weights that LOAD_W(p, part) widens, one input of a step after the other.
// The includer defines SUFFIX, TYPE, STEP_BYTES, STEP_INPUTS and LOAD_W (product_tile.h).

#define FLOAT_ROWS(task) ((const float *)(task)->packed)
#define ACC vfloat
#define WV vfloat
#define X float
#define XV vfloat
#define LOAD_X SPLAT_X
#define PARTS STEP_INPUTS
#define DOT MULTIPLY_ADD
#define ROWS FLOAT_ROWS
#define RESULT AS_IT_IS
#include "product_tile.h"
#undef FLOAT_ROWS
