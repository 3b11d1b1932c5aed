// Turning rows into the columns of a panel.
#ifndef APUS_INTERLEAVE_H
#define APUS_INTERLEAVE_H

#include <stddef.h>
#include <stdint.h>

#include "apus_kernels.h"

// Writes `dwords` dwords of sixteen rows, which lie `row_bytes` apart, as [dwords][16], 64-byte aligned; `dwords` is a
// multiple of 4. As many bytes from `next` on are asked for meanwhile, unless it is NULL: memory gives most in the order of
// its addresses.
void apus_interleave(const uint8_t *rows, size_t row_bytes, size_t dwords, const uint8_t *next, uint8_t *target);

#if defined(__x86_64__)
#include <immintrin.h>

// One line of each row, all sixteen in registers.
__attribute__((always_inline, target("avx512f"))) static inline void apus_interleave_lines(
    const uint8_t *rows, size_t row_bytes, const uint8_t *next, uint8_t *target) {
    __m512i a[16], b[16];
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; r++) {
        if (next) __builtin_prefetch(next + r * 64, 0, 2);
        a[r] = _mm512_loadu_si512(rows + (size_t)r * row_bytes);
    }
    // Pairs of rows, then fours; each lane of 128 bits has four steps of four rows.
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; r += 2) {
        b[r] = _mm512_unpacklo_epi32(a[r], a[r + 1]);
        b[r + 1] = _mm512_unpackhi_epi32(a[r], a[r + 1]);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < 16; r += 4) {
        a[r] = _mm512_unpacklo_epi64(b[r], b[r + 2]);
        a[r + 1] = _mm512_unpackhi_epi64(b[r], b[r + 2]);
        a[r + 2] = _mm512_unpacklo_epi64(b[r + 1], b[r + 3]);
        a[r + 3] = _mm512_unpackhi_epi64(b[r + 1], b[r + 3]);
    }
    // a[4g + s] has step 4l + s of rows 4g to 4g + 3 in lane l.
#pragma clang loop unroll(full)
    for (int s = 0; s < 4; s++) {
        const __m512i low = _mm512_shuffle_i32x4(a[s], a[4 + s], 0x88);
        const __m512i high = _mm512_shuffle_i32x4(a[s], a[4 + s], 0xdd);
        const __m512i low2 = _mm512_shuffle_i32x4(a[8 + s], a[12 + s], 0x88);
        const __m512i high2 = _mm512_shuffle_i32x4(a[8 + s], a[12 + s], 0xdd);
        _mm512_store_si512(target + s * 64, _mm512_shuffle_i32x4(low, low2, 0x88));
        _mm512_store_si512(target + (4 + s) * 64, _mm512_shuffle_i32x4(high, high2, 0x88));
        _mm512_store_si512(target + (8 + s) * 64, _mm512_shuffle_i32x4(low, low2, 0xdd));
        _mm512_store_si512(target + (12 + s) * 64, _mm512_shuffle_i32x4(high, high2, 0xdd));
    }
}
#endif

#endif
