#include "interleave.h"

typedef uint32_t quad __attribute__((vector_size(16)));
typedef uint32_t quad_unaligned __attribute__((vector_size(16), aligned(1), may_alias));

// Four dwords of four rows, turned into four outputs of four steps.
static inline void transpose(const uint8_t *rows, size_t row_bytes, quad result[4]) {
    quad a = *(const quad_unaligned *)rows, b = *(const quad_unaligned *)(rows + row_bytes);
    quad c = *(const quad_unaligned *)(rows + 2 * row_bytes), d = *(const quad_unaligned *)(rows + 3 * row_bytes);
    quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    result[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    result[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    result[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    result[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// Rows often lie a multiple of 4096 bytes apart, where a first-level cache has room for eight lines: so four rows at a time
// give a whole line each.
static void interleave_quads(const uint8_t *rows, size_t row_bytes, size_t first, size_t dwords, const uint8_t *next,
                             uint8_t *target) {
    for (size_t line = first; line < dwords; line += 16) {
        for (size_t r = 0; r < APUS_PANEL; r += 4) {
            for (size_t j = r; next && j < r + 4; j++) __builtin_prefetch(next + (line + j) * 64, 0, 2);
            for (size_t i = line; i < line + 16 && i < dwords; i += 4) {
                quad columns[4];
                transpose(rows + r * row_bytes + i * 4, row_bytes, columns);
                for (size_t j = 0; j < 4; j++) *(quad *)(void *)(target + (i + j) * 64 + r * 4) = columns[j];
            }
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void interleave_wide(const uint8_t *rows, size_t row_bytes, size_t dwords,
                                                               const uint8_t *next, uint8_t *target) {
    size_t line = 0;
    for (; line + 16 <= dwords; line += 16) {
        apus_interleave_lines(rows + line * 4, row_bytes, next ? next + line * 64 : NULL, target + line * 64);
    }
    interleave_quads(rows, row_bytes, line, dwords, next, target);
}
#endif

void apus_interleave(const uint8_t *rows, size_t row_bytes, size_t dwords, const uint8_t *next, uint8_t *target) {
#if defined(__x86_64__)
    static _Atomic int is_wide = -1;
    if (is_wide < 0) is_wide = apus_kernels_for(APUS_ISA_AVX512) != NULL;
    if (is_wide) return interleave_wide(rows, row_bytes, dwords, next, target);
#endif
    interleave_quads(rows, row_bytes, 0, dwords, next, target);
}
