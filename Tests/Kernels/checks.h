// The checks of the kernels, each for every size that a kernel treats in its own way.
#ifndef CHECKS_H
#define CHECKS_H

#include "apus_kernels.h"
#include "guarded.h"

// Those of this machine, the scalar reference first.
extern const apus_kernels *instruction_sets[APUS_ISA_COUNT];
extern apus_isa instruction_set_numbers[APUS_ISA_COUNT];
extern size_t instruction_set_count;

// Whether products of bfloat16 round activations to 8 bits.
bool multiplies_pairs(size_t set);

void check_products(void);
void check_elementwise(void);
void check_attention(void);
// Places that are further away than 32 bits count.
void check_far_places(void);

#endif
