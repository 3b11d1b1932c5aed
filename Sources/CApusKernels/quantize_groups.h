// The functions of an apus_quantizer. The includer defines SUFFIX. Products and sums stay apart, in one order, so that the
// bits are the same with and without instructions that fuse them.
#pragma clang fp contract(off)

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

static inline wide NAME(load)(const float *p) {
    wide value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline wide NAME(select)(wide_int mask, wide a, wide b) {
    return (wide)((mask & (wide_int)a) | (~mask & (wide_int)b));
}

// The nearest integer within bounds; what is no number becomes the lower one. Adding and subtracting 1.5 * 2^23 rounds to
// the nearest even on every processor, which rintf() does fast on some only.
static inline wide NAME(rounded)(wide value, float low, float high) {
    value = NAME(select)(value > low, value, (wide){} + low);
    value = NAME(select)(value < high, value, (wide){} + high);
    return (value + 12582912.0f) - 12582912.0f;
}

static inline float NAME(total)(wide v) {
    float values[16];
    memcpy(values, &v, sizeof values);
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) values[i] += values[i + half];
    }
    return values[0];
}

// As integers, whose order has infinity and what is no number at the end.
static inline float NAME(largest)(const float *values) {
    const wide_int sign = (wide_int){} + 0x7fffffff;
    wide_int a = (wide_int)NAME(load)(values) & sign, b = (wide_int)NAME(load)(values + 16) & sign;
    a = (wide_int)NAME(select)(a > b, (wide)a, (wide)b);
    int32_t sizes[16];
    memcpy(sizes, &a, sizeof sizes);
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) sizes[i] = sizes[i] > sizes[i + half] ? sizes[i] : sizes[i + half];
    }
    float largest;
    memcpy(&largest, sizes, sizeof largest);
    return largest;
}

static inline void NAME(to_i8)(const float *values, float inverse, int8_t *integers) {
    for (int i = 0; i < APUS_GROUP; i += 16) {
        wide value = NAME(rounded)(NAME(load)(values + i) * inverse, -127, 127);
        typedef int8_t narrow __attribute__((vector_size(16)));
        narrow bytes = __builtin_convertvector(__builtin_convertvector(value, wide_int), narrow);
        memcpy(integers + i, &bytes, sizeof bytes);
    }
}

static inline uint8_t NAME(to_i4)(const float *values, float scale, uint8_t *integers) {
    memset(integers, 8, APUS_GROUP);
    if (!(scale > 0)) return 1;
    const wide a = NAME(load)(values), b = NAME(load)(values + 16);
    float steps = ceilf(NAME(largest)(values) / (7.5f * scale));
    int middle = steps > 1 ? steps < 15 ? (int)steps : 15 : 1, best = middle;
    float least = INFINITY;
    for (int candidate = middle > 2 ? middle - 2 : 1; candidate <= middle + 1 && candidate <= 15; candidate++) {
        const float step = scale * (float)candidate, inverse = 1 / step;
        const wide off_a = a - NAME(rounded)(a * inverse, -8, 7) * step, off_b = b - NAME(rounded)(b * inverse, -8, 7) * step;
        const float error = NAME(total)(off_a * off_a + off_b * off_b);
        if (error < least) least = error, best = candidate;
    }
    const float inverse = 1 / (scale * (float)best);
    for (int i = 0; i < APUS_GROUP; i += 16) {
        wide value = NAME(rounded)(NAME(load)(values + i) * inverse, -8, 7) + 8;
        typedef uint8_t narrow __attribute__((vector_size(16)));
        narrow bytes = __builtin_convertvector(__builtin_convertvector(value, wide_int), narrow);
        memcpy(integers + i, &bytes, sizeof bytes);
    }
    return (uint8_t)best;
}

static inline void NAME(rotate)(float *values) { apus_rotate(values); }

static const apus_quantizer NAME(quantizer) = {NAME(largest), NAME(to_i8), NAME(to_i4), NAME(rotate)};

#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
