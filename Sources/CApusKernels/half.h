// Conversions between float32 and the 16-bit formats, bit by bit. IEEE 754-2019 section 3.6; bfloat16 is the upper
// half of a float32.
#ifndef APUS_HALF_H
#define APUS_HALF_H

#include <stdint.h>
#include <string.h>

static inline float apus_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t apus_bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float apus_float_of_bf16(uint16_t value) { return apus_float_of_bits((uint32_t)value << 16); }

static inline uint16_t apus_bf16_of_float(float value) {
    uint32_t bits = apus_bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40); // keep a NaN a NaN
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static inline float apus_float_of_f16(uint16_t value) {
    uint32_t sign = (uint32_t)(value & 0x8000) << 16;
    uint32_t exponent = value >> 10 & 0x1f;
    uint32_t fraction = value & 0x3ff;
    if (exponent == 0x1f) return apus_float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent != 0) return apus_float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float magnitude = (float)fraction * 0x1p-24f; // subnormal or zero
    return sign ? -magnitude : magnitude;
}

static inline uint16_t apus_f16_of_float(float value) {
    uint32_t bits = apus_bits_of_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return sign | 0x7e00;
    if (bits >= 0x477ff000u) return sign | 0x7c00; // rounds past the largest half
    if (bits < 0x38800000u) {
        // Adding 0.5 leaves the subnormal half in the low bits of the sum, rounded to nearest even.
        float sum = apus_float_of_bits(bits) + 0.5f;
        return (uint16_t)(sign | (apus_bits_of_float(sum) - 0x3f000000u));
    }
    return (uint16_t)(sign | ((bits - 0x38000000u + 0xfffu + (bits >> 13 & 1)) >> 13));
}

// Of 8 bits: a sign, 4 of an exponent, 3 behind the point (Micikevicius et al., arXiv 2209.05433).
static inline float apus_float_of_e4m3(uint8_t code) {
    const uint32_t sign = (uint32_t)(code & 0x80) << 24, rest = code & 0x7f;
    if (rest == 0x7f) return apus_float_of_bits(sign | 0x7fc00000u);
    if (rest < 8) return (code & 0x80 ? -1.0f : 1.0f) * (float)rest * 0x1p-9f;
    return apus_float_of_bits(sign | ((rest << 20) + (120u << 23)));
}

#endif
