// Vectors of LANES floats by compiler extension, for whichever instruction set the including file turned on.
// The includer defines LANES (4, 8 or 16), LOAD_F16(p), which widens LANES halves to floats.
#include <math.h>
#include <string.h>

#include "half.h"
#include "shared.h"
#include "tables.h"

typedef float vfloat __attribute__((vector_size(LANES * 4)));
typedef int32_t vint __attribute__((vector_size(LANES * 4)));
typedef float vfloat4 __attribute__((vector_size(16)));
typedef float vfloat_unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef float vfloat4_unaligned __attribute__((vector_size(16), aligned(4), may_alias));

// What is stored across the border of two lines is not there yet when it is loaded again at once.
#define ALIGNED __attribute__((aligned(64)))
#define INLINE static inline __attribute__((always_inline))
// A tile's sums stay in registers only if all its loops are unrolled.
#define UNROLLED _Pragma("clang loop unroll(full)")
// What is read after this is read once `sum` is there and not before, where it would take registers from other sums.
#if defined(__x86_64__)
#define IN_TURN(sum) __asm__ volatile("" : "+v"(sum)::"memory")
#else
#define IN_TURN(sum) __asm__ volatile("" : "+w"(sum)::"memory")
#endif

INLINE vfloat load(const float *p) { return *(const vfloat_unaligned *)p; }
INLINE void store(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
// Subtracting a zero changes nothing, so that the compiler leaves it out; adding one would change -0.
INLINE vfloat splat(float value) { return value - (vfloat){}; }

// Adds the halves until four lanes are left.
INLINE vfloat4 fold(vfloat v) {
#if LANES == 16
    typedef float vfloat8 __attribute__((vector_size(32)));
    vfloat8 w = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    return __builtin_shufflevector(w, w, 0, 1, 2, 3) + __builtin_shufflevector(w, w, 4, 5, 6, 7);
#elif LANES == 8
    return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
    return v;
#endif
}

INLINE float sum(vfloat v) {
    vfloat4 w = fold(v);
    return (w[0] + w[1]) + (w[2] + w[3]);
}

// The largest lane; none of those that are no numbers, unless there are no others.
INLINE float largest_of(vfloat v) {
#if LANES == 16
    typedef float vfloat8 __attribute__((vector_size(32)));
    const vfloat8 w = __builtin_elementwise_max(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7),
                                                __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
#else
    const vfloat w = v;
#endif
#if LANES >= 8
    const vfloat4 four = __builtin_elementwise_max(__builtin_shufflevector(w, w, 0, 1, 2, 3), __builtin_shufflevector(w, w, 4, 5, 6, 7));
#else
    const vfloat4 four = w;
#endif
    const vfloat4 two = __builtin_elementwise_max(four, __builtin_shufflevector(four, four, 2, 3, 0, 1));
    return __builtin_elementwise_max(two, __builtin_shufflevector(two, two, 1, 0, 3, 2))[0];
}

// a where the mask is set, b elsewhere.
INLINE vfloat pick(vint mask, vfloat a, vfloat b) { return (vfloat)((mask & (vint)a) | (~mask & (vint)b)); }
INLINE vfloat minimum(vfloat a, vfloat b) { return __builtin_elementwise_min(a, b); }
INLINE vfloat maximum(vfloat a, vfloat b) { return __builtin_elementwise_max(a, b); }

#define LOG2_E 1.44269504088896341f

// e^x to about one unit in the last place for x in [-87, 88], clamped outside: x = n ln 2 + r with |r| <= ln 2 / 2, a
// polynomial of degree 6 in r (Taylor's, its last terms fitted by Cephes' expf), and n put into the exponent.
INLINE vfloat exponential(vfloat x) {
    x = minimum(maximum(x, splat(-87.0f)), splat(88.0f));
    const float shift = 12582912.0f; // 1.5 * 2^23: adding and subtracting it rounds to an integer
    vfloat n = x * LOG2_E + shift;
    n = n - shift;
    vfloat r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    vfloat p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    vint exponent = (__builtin_convertvector(n, vint) + 127) << 23;
    return p * (vfloat)exponent;
}

// Entries of a table of 16 floats, by the lowest four bits of codes.
#ifndef LOOK_UP_FLOATS
#define LOOK_UP_FLOATS look_up_floats
INLINE vfloat look_up_floats(vint codes, const float table[16]) {
    vfloat result;
    for (int lane = 0; lane < LANES; lane++) result[lane] = table[codes[lane] & 15];
    return result;
}
#endif

#include "functions.h"
