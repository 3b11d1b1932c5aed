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

// Down to a whole number, of what is from 0 to 2^23.
static inline wide NAME(whole)(wide value) {
    return __builtin_convertvector(__builtin_convertvector(value, wide_int), wide);
}

// The multipliers and zeros that lose least of a group of sixteen outputs, of those that span it; code c stands for (c - zero) *
// multiplier, which has to fit into 8 bits for every code.
static inline void NAME(fit)(const wide *values, wide *multiplier, wide *zero) {
    wide low = {}, high = {}, least = (wide){} + INFINITY;
    for (int i = 0; i < APUS_GROUP; i++) {
        low = NAME(select)(values[i] < low, values[i], low);
        high = NAME(select)(values[i] > high, values[i], high);
    }
    const wide span = NAME(rounded)((high - low) * (1 / 15.0f), 1, 15);
    *multiplier = (wide){} + 1, *zero = (wide){} + 8;
    for (int wider = 0; wider <= 1; wider++) {
        const wide step = NAME(rounded)(span + (float)wider, 1, 15), inverse = 1 / step;
        const wide from = 15 - NAME(whole)(127 * inverse), to = NAME(whole)(128 * inverse);
        wide place = NAME(rounded)(-low * inverse, 0, 15), error = {};
        place = NAME(select)(place > from, place, from);
        place = NAME(select)(place < to, place, to);
        for (int i = 0; i < APUS_GROUP; i++) {
            const wide code = NAME(rounded)(values[i] * inverse + place, 0, 15);
            const wide off = values[i] - (code - place) * step;
            error += off * off;
        }
        const wide_int better = error < least;
        least = NAME(select)(better, error, least);
        *multiplier = NAME(select)(better, step, *multiplier);
        *zero = NAME(select)(better, place, *zero);
    }
}

static inline void NAME(store_codes)(uint8_t *target, wide codes) {
    typedef uint8_t narrow __attribute__((vector_size(16)));
    const narrow bytes = __builtin_convertvector(__builtin_convertvector(codes, wide_int), narrow);
    memcpy(target, &bytes, sizeof bytes);
}

static void NAME(to_i4)(float *inputs, size_t count, const float *inverses, const float *spread, uint8_t *codes, uint8_t *grids) {
    wide *values = (wide *)(void *)inputs;
    const wide inverse = NAME(load)(inverses);
    const size_t padded = (count + APUS_GROUP - 1) / APUS_GROUP * APUS_GROUP;
    for (size_t i = 0; i < padded; i++) values[i] = i < count ? values[i] * inverse : (wide){};
    for (size_t first = 0; first < padded; first += APUS_GROUP) {
        wide step, zero;
        NAME(fit)(values + first, &step, &zero);
        const wide inverse_step = 1 / step;
        for (size_t i = first; i < first + APUS_GROUP; i++) {
            const wide code = NAME(rounded)(values[i] * inverse_step + zero, 0, 15);
            NAME(store_codes)(codes + i * APUS_PANEL, code);
            if (!spread || i >= count) continue;
            const wide error = values[i] - (code - zero) * step;
            const float *row = spread + i * count;
            for (size_t j = i + 1; j < count; j++) values[j] -= error * row[j];
        }
        NAME(store_codes)(grids + first / APUS_GROUP * APUS_PANEL, step + 16 * zero);
    }
}

static void NAME(add_moments)(const float *rows, size_t count, size_t width, float *moments) {
    for (size_t i = 0; i < width; i++) {
        for (size_t j = i / 16 * 16; j < width; j += 16) {
            wide sum = NAME(load)(moments + i * width + j);
            for (size_t row = 0; row < count; row++) sum += rows[row * width + i] * NAME(load)(rows + row * width + j);
            memcpy(moments + i * width + j, &sum, sizeof sum);
        }
    }
}

static inline void NAME(rotate)(float *values) { apus_rotate(values); }

static const apus_quantizer NAME(quantizer) = {NAME(largest), NAME(to_i8), NAME(to_i4), NAME(rotate), NAME(add_moments)};

#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
