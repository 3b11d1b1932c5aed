// Which instruction sets this machine has.
#include "tables.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

// The kernel hands out AMX's tile registers only to a process that asks (Documentation/arch/x86/xstate.rst).
static bool request_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#elif defined(__x86_64__)
static bool request_tiles(void) { return false; }
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

// Bits of arch/arm64/include/uapi/asm/hwcap.h.
static bool has_dot(void) { return getauxval(AT_HWCAP) >> 20 & 1; }
static bool has_bf16(void) { return getauxval(AT_HWCAP2) >> 14 & 1; }
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static bool has(const char *feature) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(feature, &value, &size, NULL, 0) == 0 && value != 0;
}
static bool has_dot(void) { return has("hw.optional.arm.FEAT_DotProd"); }
static bool has_bf16(void) { return has("hw.optional.arm.FEAT_BF16"); }
#elif defined(__aarch64__)
static bool has_dot(void) { return false; }
static bool has_bf16(void) { return false; }
#endif

const apus_kernels *apus_kernels_for(apus_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    bool avx2_vnni = avx2 && __builtin_cpu_supports("avxvnni");
    bool avx512_vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    bool avx512_bf16 = avx512_vnni && __builtin_cpu_supports("avx512bf16");
#endif
    switch (isa) {
    case APUS_ISA_SCALAR: return &apus_kernels_scalar;
    case APUS_ISA_PORTABLE: return &apus_kernels_portable;
#if defined(__x86_64__)
    case APUS_ISA_AVX2: return avx2 ? &apus_kernels_avx2 : NULL;
    case APUS_ISA_AVX2_VNNI: return avx2_vnni ? &apus_kernels_avx2_vnni : NULL;
    case APUS_ISA_AVX512: return avx512 ? &apus_kernels_avx512 : NULL;
    case APUS_ISA_AVX512_VNNI: return avx512_vnni ? &apus_kernels_avx512_vnni : NULL;
    case APUS_ISA_AVX512_BF16: return avx512_bf16 ? &apus_kernels_avx512_bf16 : NULL;
    case APUS_ISA_AMX_BF16: {
        bool amx = avx512_bf16 && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
                   __builtin_cpu_supports("amx-int8");
        return amx && request_tiles() ? &apus_kernels_amx_bf16 : NULL;
    }
#endif
#if defined(__aarch64__)
    case APUS_ISA_NEON_DOT: return has_dot() ? &apus_kernels_neon_dot : NULL;
    case APUS_ISA_NEON_BF16: return has_dot() && has_bf16() ? &apus_kernels_neon_bf16 : NULL;
#endif
    default: return NULL;
    }
}
