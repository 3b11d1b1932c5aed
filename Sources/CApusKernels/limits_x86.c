// Peaks of x86-64: AVX2, AVX-512, their dot products, and AMX's tiles. Throughputs are in Intel's and AMD's tables;
// here they are measured.
#if defined(__x86_64__)
#include "limits.h"

#include <immintrin.h>

#define TURNS(statement)                                             \
    for (size_t turn = 0; turn < turns; turn++) {                    \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < APUS_CHAINS; i++) { statement; } \
    }

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

// 14 sums and two factors fill the 16 registers.
#define AVX2_CHAINS 14

static float peak_avx2_f32(size_t turns) {
    __m256 sums[AVX2_CHAINS], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.5f);
    for (int i = 0; i < AVX2_CHAINS; i++) sums[i] = _mm256_set1_ps((float)i);
    for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < AVX2_CHAINS; i++) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
    }
    for (int i = 1; i < AVX2_CHAINS; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm256_cvtss_f32(sums[0]);
}

// Processors before VNNI: bytes to pairs of 16 bits, those to 32, then the sum.
static float peak_avx2_pairs(size_t turns) {
    __m256i sums[AVX2_CHAINS - 1], x = _mm256_set1_epi8(3), w = _mm256_set1_epi8(-2), ones = _mm256_set1_epi16(1);
    for (int i = 0; i < AVX2_CHAINS - 1; i++) sums[i] = _mm256_set1_epi32(i);
    for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < AVX2_CHAINS - 1; i++) {
            // Keeps the product from being computed once and for all.
            __asm__ volatile("" : "+x"(x));
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), ones));
        }
    }
    for (int i = 1; i < AVX2_CHAINS - 1; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    return (float)_mm256_extract_epi32(sums[0], 0);
}

static uint32_t read_avx2(const void *memory, size_t bytes) {
    __m256i sums[8];
    for (int i = 0; i < 8; i++) sums[i] = _mm256_setzero_si256();
    const size_t part = bytes / APUS_STREAMS;
    for (size_t offset = 0; offset < part; offset += 256) {
        for (size_t stream = 0; stream < APUS_STREAMS; stream++) {
            const char *p = (const char *)memory + stream * part + offset;
            for (int line = 0; line < 4; line++) _mm_prefetch(p + 4096 + 64 * line, _MM_HINT_T0);
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; i++) {
                sums[i] = _mm256_xor_si256(sums[i], _mm256_load_si256((const __m256i *)(p + 32 * i)));
            }
        }
    }
    for (int i = 1; i < 8; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    return (uint32_t)_mm256_extract_epi32(sums[0], 0) ^ (uint32_t)_mm256_extract_epi32(sums[0], 5);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,avxvnni"))), apply_to = function)

static float peak_avx2_vnni(size_t turns) {
    __m256i sums[AVX2_CHAINS], x = _mm256_set1_epi8(3), w = _mm256_set1_epi8(-2);
    for (int i = 0; i < AVX2_CHAINS; i++) sums[i] = _mm256_set1_epi32(i);
    for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < AVX2_CHAINS; i++) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], x, w);
    }
    for (int i = 1; i < AVX2_CHAINS; i++) sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    return (float)_mm256_extract_epi32(sums[0], 0);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)

static float peak_avx512_f32(size_t turns) {
    __m512 sums[APUS_CHAINS], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.5f);
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = _mm512_set1_ps((float)i);
    TURNS(sums[i] = _mm512_fmadd_ps(sums[i], factor, term))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}

static uint32_t read_avx512(const void *memory, size_t bytes) {
    __m512i sums[8];
    for (int i = 0; i < 8; i++) sums[i] = _mm512_setzero_si512();
    const size_t part = bytes / APUS_STREAMS;
    for (size_t offset = 0; offset < part; offset += 512) {
        for (size_t stream = 0; stream < APUS_STREAMS; stream++) {
            const char *p = (const char *)memory + stream * part + offset;
            for (int line = 0; line < 8; line++) _mm_prefetch(p + 4096 + 64 * line, _MM_HINT_T0);
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; i++) sums[i] = _mm512_xor_si512(sums[i], _mm512_load_si512(p + 64 * i));
        }
    }
    for (int i = 1; i < 8; i++) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    return (uint32_t)_mm512_reduce_or_epi32(sums[0]);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bf16"))), apply_to = function)

static float peak_avx512_bf16(size_t turns) {
    // 0x3f7f is just below 1, 0xbf00 is -0.5.
    __m512 sums[APUS_CHAINS];
    __m512bh x = (__m512bh)_mm512_set1_epi16(0x3f7f), w = (__m512bh)_mm512_set1_epi32(0x3f00bf00);
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = _mm512_set1_ps((float)i);
    TURNS(sums[i] = _mm512_dpbf16_ps(sums[i], x, w))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vnni"))), apply_to = function)

static float peak_avx512_vnni(size_t turns) {
    __m512i sums[APUS_CHAINS], x = _mm512_set1_epi32(0x03030303), w = _mm512_set1_epi32((int)0xfefefefe);
    for (int i = 0; i < APUS_CHAINS; i++) sums[i] = _mm512_set1_epi32(i);
    TURNS(sums[i] = _mm512_dpbusd_epi32(sums[i], x, w))
    for (int i = 1; i < APUS_CHAINS; i++) sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    return (float)_mm512_reduce_or_epi32(sums[0]);
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,amx-int8"))), apply_to = function)

struct peak_tiles {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

// Sums of zero; factors of both signs, since multiplying zeros takes less power and so may run faster than real work.
static void fill_tiles(void) {
    struct peak_tiles tiles = {.palette = 1};
    for (int i = 0; i < 8; i++) tiles.row_bytes[i] = 64, tiles.rows[i] = 16;
    _tile_loadconfig(&tiles);
    uint16_t factors[16 * 32];
    for (uint32_t i = 0; i < 16 * 32; i++) factors[i] = (uint16_t)(0x3c00 | (i * 2654435761u >> 16 & 0x80ff));
    _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
    _tile_loadd(4, factors, 64), _tile_loadd(5, factors, 64), _tile_loadd(6, factors, 64), _tile_loadd(7, factors, 64);
}

static float peak_amx_bf16(size_t turns) {
    fill_tiles();
    for (size_t turn = 0; turn < turns; turn++) {
        _tile_dpbf16ps(0, 4, 6), _tile_dpbf16ps(1, 4, 7), _tile_dpbf16ps(2, 5, 6), _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return 0;
}

static float peak_amx_int8(size_t turns) {
    fill_tiles();
    for (size_t turn = 0; turn < turns; turn++) {
        _tile_dpbssd(0, 4, 6), _tile_dpbssd(1, 4, 7), _tile_dpbssd(2, 5, 6), _tile_dpbssd(3, 5, 7);
    }
    _tile_release();
    return 0;
}

#pragma clang attribute pop

static bool float_peak(apus_isa isa, apus_peak *peak) {
    if (isa >= APUS_ISA_AVX512 && apus_kernels_for(APUS_ISA_AVX512)) {
        *peak = (apus_peak){"vfmadd213ps zmm", APUS_CHAINS * 16 * 2, peak_avx512_f32};
    } else if (isa >= APUS_ISA_AVX2 && apus_kernels_for(APUS_ISA_AVX2)) {
        *peak = (apus_peak){"vfmadd213ps ymm", AVX2_CHAINS * 8 * 2, peak_avx2_f32};
    } else {
        return false;
    }
    return true;
}

static bool bf16_peak(apus_isa isa, apus_peak *peak) {
    if (isa >= APUS_ISA_AMX_BF16 && apus_kernels_for(APUS_ISA_AMX_BF16)) {
        *peak = (apus_peak){"tdpbf16ps", 4 * 16 * 16 * 32 * 2, peak_amx_bf16};
    } else if (isa >= APUS_ISA_AVX512_BF16 && apus_kernels_for(APUS_ISA_AVX512_BF16)) {
        *peak = (apus_peak){"vdpbf16ps zmm", APUS_CHAINS * 32 * 2, peak_avx512_bf16};
    } else {
        return false;
    }
    return true;
}

static bool int8_peak(apus_isa isa, apus_peak *peak) {
    // Whoever has AMX's bfloat16 and may use its tiles has the int8 products if the processor says so.
    if (isa >= APUS_ISA_AMX_BF16 && apus_kernels_for(APUS_ISA_AMX_BF16) && __builtin_cpu_supports("amx-int8")) {
        *peak = (apus_peak){"tdpbssd", 4 * 16 * 16 * 64 * 2, peak_amx_int8};
    } else if (isa >= APUS_ISA_AVX512 && apus_kernels_for(APUS_ISA_AVX512) && __builtin_cpu_supports("avx512vnni")) {
        *peak = (apus_peak){"vpdpbusd zmm", APUS_CHAINS * 64 * 2, peak_avx512_vnni};
    } else if (isa >= APUS_ISA_AVX2 && apus_kernels_for(APUS_ISA_AVX2) && __builtin_cpu_supports("avxvnni")) {
        *peak = (apus_peak){"vpdpbusd ymm", AVX2_CHAINS * 32 * 2, peak_avx2_vnni};
    } else if (isa >= APUS_ISA_AVX2 && apus_kernels_for(APUS_ISA_AVX2)) {
        *peak = (apus_peak){"vpmaddubsw ymm", (AVX2_CHAINS - 1) * 32 * 2, peak_avx2_pairs};
    } else {
        return false;
    }
    return true;
}

bool apus_own_peak(apus_peak_kind kind, apus_isa isa, apus_peak *peak) {
    switch (kind) {
    case APUS_PEAK_F32: return float_peak(isa, peak);
    case APUS_PEAK_BF16: return bf16_peak(isa, peak);
    case APUS_PEAK_INT8: return int8_peak(isa, peak);
    }
    return false;
}

bool apus_own_read(const void *memory, size_t bytes, uint32_t *digest) {
    if (apus_kernels_for(APUS_ISA_AVX512)) {
        *digest = read_avx512(memory, bytes);
    } else if (apus_kernels_for(APUS_ISA_AVX2)) {
        *digest = read_avx2(memory, bytes);
    } else {
        return false;
    }
    return true;
}
#endif
