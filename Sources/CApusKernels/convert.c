#include "apus_kernels.h"
#include "half.h"

static float load(const void *source, apus_dtype type, size_t index) {
    switch (type) {
    case APUS_F32: return ((const float *)source)[index];
    case APUS_BF16: return apus_float_of_bf16(((const uint16_t *)source)[index]);
    case APUS_F16: return apus_float_of_f16(((const uint16_t *)source)[index]);
    default: return 0;
    }
}

void apus_convert(const void *source, apus_dtype from, void *target, apus_dtype to, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float value = load(source, from, i);
        switch (to) {
        case APUS_F32: ((float *)target)[i] = value; break;
        case APUS_BF16: ((uint16_t *)target)[i] = apus_bf16_of_float(value); break;
        case APUS_F16: ((uint16_t *)target)[i] = apus_f16_of_float(value); break;
        default: break;
        }
    }
}
