#include "apus_quantizer.h"

#include <math.h>
#include <string.h>

typedef float wide __attribute__((vector_size(64)));
typedef int32_t wide_int __attribute__((vector_size(64)));

// Vectors wider than the processor's never leave a function: they are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#include "rotation.h"

#define SUFFIX plain
#include "quantize_groups.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define SUFFIX avx2
#include "quantize_groups.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define SUFFIX avx512
#include "quantize_groups.h"
#pragma clang attribute pop
#endif

const apus_quantizer *apus_quantizer_for(apus_isa isa) {
    if (!apus_kernels_for(isa)) return NULL;
#if defined(__x86_64__)
    if (isa >= APUS_ISA_AVX512) return &quantizer_avx512;
    if (isa >= APUS_ISA_AVX2) return &quantizer_avx2;
#endif
    return &quantizer_plain;
}

const apus_quantizer *apus_quantizer_of_machine(void) {
    const apus_quantizer *quantizer = apus_quantizer_for(APUS_ISA_AVX512);
    if (!quantizer) quantizer = apus_quantizer_for(APUS_ISA_AVX2);
    return quantizer ? quantizer : &quantizer_plain;
}
