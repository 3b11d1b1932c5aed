// What a machine can do at most: reading memory, and multiplying and adding with each type's best instruction.
// Benchmarks hold the kernels against it. Every function works on the calling thread alone.
#ifndef APUS_LIMITS_H
#define APUS_LIMITS_H

#include "apus_kernels.h"

// What the products of a type are made of.
typedef enum { APUS_PEAK_F32 = 0, APUS_PEAK_BF16 = 1, APUS_PEAK_INT8 = 2 } apus_peak_kind;

typedef struct {
    const char *instruction; // by its mnemonic
    double operations;       // multiplications and additions of one turn
    float (*run)(size_t turns);
} apus_peak;

// The loop for a kind of product by the best instruction that both this machine and `isa` have. A machine without
// instructions for the kind computes it in float32, and so does the loop.
apus_peak apus_peak_for(apus_peak_kind kind, apus_isa isa);

// Reads `bytes` (a multiple of 4096) from 64-byte aligned memory with the widest vectors of this machine.
// Returns a digest, so that no compiler leaves the reading out.
uint32_t apus_read(const void *memory, size_t bytes);

#endif
