// Peaks of arm64: multiply-add, and the dot products of later extensions where the system reports them.
#if defined(__aarch64__)
#include "limits.h"

#include <arm_neon.h>

#if defined(__linux__)
#include <sys/auxv.h>
// Bits of the kernel's Documentation/arch/arm64/elf_hwcaps.rst.
static bool has_dot_products(void) { return getauxval(AT_HWCAP) >> 20 & 1; }
static bool has_bf16(void) { return getauxval(AT_HWCAP2) >> 14 & 1; }
#else
// Every Mac with Apple silicon has the one; not all have the other.
static bool has_dot_products(void) { return true; }
static bool has_bf16(void) { return false; }
#endif

#define TURNS(statement)                                             \
    for (size_t turn = 0; turn < turns; turn++) {                    \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < APUS_CHAINS; i++) { statement; } \
    }

static float peak_f32(size_t turns) {
    float32x4_t sums[APUS_CHAINS], x = vdupq_n_f32(0.999f), w = vdupq_n_f32(-0.5f);
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = vdupq_n_f32((float)i);
    TURNS(sums[i] = vfmaq_f32(sums[i], x, w))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = vaddq_f32(sums[0], sums[i]);
    return vgetq_lane_f32(sums[0], 0);
}

__attribute__((target("dotprod"))) static float peak_int8(size_t turns) {
    int32x4_t sums[APUS_CHAINS];
    int8x16_t x = vdupq_n_s8(3), w = vdupq_n_s8(-2);
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = vdupq_n_s32(i);
    TURNS(sums[i] = vdotq_s32(sums[i], x, w))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = veorq_s32(sums[0], sums[i]);
    return (float)vgetq_lane_s32(sums[0], 0);
}

__attribute__((target("bf16"))) static float peak_bf16(size_t turns) {
    float32x4_t sums[APUS_CHAINS];
    bfloat16x8_t x = vreinterpretq_bf16_u16(vdupq_n_u16(0x3f7f)), w = vreinterpretq_bf16_u16(vdupq_n_u16(0xbf00));
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = vdupq_n_f32((float)i);
    TURNS(sums[i] = vbfmmlaq_f32(sums[i], x, w))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = vaddq_f32(sums[0], sums[i]);
    return vgetq_lane_f32(sums[0], 0);
}

bool apus_own_peak(apus_peak_kind kind, apus_isa isa, apus_peak *peak) {
    (void)isa;
    switch (kind) {
    case APUS_PEAK_F32: *peak = (apus_peak){"fmla", APUS_CHAINS * 4 * 2, peak_f32}; return true;
    case APUS_PEAK_BF16:
        if (has_bf16()) *peak = (apus_peak){"bfmmla", APUS_CHAINS * 16 * 2, peak_bf16};
        return has_bf16();
    case APUS_PEAK_INT8:
        if (has_dot_products()) *peak = (apus_peak){"sdot", APUS_CHAINS * 16 * 2, peak_int8};
        return has_dot_products();
    }
    return false;
}
#endif
