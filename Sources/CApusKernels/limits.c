// The loops that any compiler target has: 128-bit vectors.
#include "limits.h"

#include <string.h>

typedef float vector __attribute__((vector_size(16)));
typedef uint32_t words __attribute__((vector_size(16)));

static float multiply_add(size_t turns) {
    vector sums[8], factor = {0.999f, 0.998f, 0.997f, 0.996f}, term = {0.5f, 0.25f, 0.125f, 1.0f};
    for (int i = 0; i < 8; i++) sums[i] = term * (float)i;
    for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) sums[i] = sums[i] * factor + term;
    }
    vector sum = sums[0];
    for (int i = 1; i < 8; i++) sum += sums[i];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

apus_peak apus_peak_for(apus_peak_kind kind, apus_isa isa) {
    apus_peak peak = {"128-bit float32", 8 * 4 * 2, multiply_add};
    if (!apus_own_peak(kind, isa, &peak)) apus_own_peak(APUS_PEAK_F32, isa, &peak);
    return peak;
}

uint32_t apus_read(const void *memory, size_t bytes) {
    uint32_t digest;
    if (apus_own_read(memory, bytes, &digest)) return digest;
    words sums[8];
    memset(sums, 0, sizeof(sums));
    const size_t part = bytes / APUS_STREAMS;
    for (size_t offset = 0; offset < part; offset += 128) {
        for (size_t stream = 0; stream < APUS_STREAMS; stream++) {
            const char *p = (const char *)memory + stream * part + offset;
            __builtin_prefetch(p + 4096);
            __builtin_prefetch(p + 4096 + 64);
#pragma clang loop unroll(full)
            for (int i = 0; i < 8; i++) {
                words next;
                memcpy(&next, p + 16 * i, 16);
                sums[i] ^= next;
            }
        }
    }
    for (int i = 1; i < 8; i++) sums[0] ^= sums[i];
    return sums[0][0] ^ sums[0][1] ^ sums[0][2] ^ sums[0][3];
}

#if !defined(__x86_64__) && !defined(__aarch64__)
bool apus_own_peak(apus_peak_kind kind, apus_isa isa, apus_peak *peak) {
    (void)kind, (void)isa, (void)peak;
    return false;
}
#endif

#if !defined(__x86_64__)
bool apus_own_read(const void *memory, size_t bytes, uint32_t *digest) {
    (void)memory, (void)bytes, (void)digest;
    return false;
}
#endif
