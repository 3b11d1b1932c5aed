// What is done to each row or element: embedding, norm, rotary embedding, activations, argmax.

void ELEMENT(embedding)(const void *table, apus_dtype type, size_t width, const int32_t *tokens, size_t count, float *y) {
    for (size_t i = 0; i < count; i++, y += width) {
        size_t start = (size_t)tokens[i] * width;
        const uint16_t *halves = (const uint16_t *)table + start;
        switch (type) {
        case APUS_F32: memcpy(y, (const float *)table + start, width * sizeof(float)); break;
        case APUS_BF16:
            for (size_t j = 0; j < width; j++) y[j] = apus_float_of_bf16(halves[j]);
            break;
        case APUS_F16:
            for (size_t j = 0; j < width; j++) y[j] = apus_float_of_f16(halves[j]);
            break;
        default: break;
        }
    }
}

void ELEMENT(rotary)(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim, size_t turned, bool pairs) {
    const size_t half = turned / 2;
    for (size_t row = 0; row < rows; row++, cos_sin += turned) {
        const float *cosine = cos_sin, *sine = cos_sin + half;
        for (size_t head = 0; head < heads; head++, x += head_dim) {
            size_t i = 0;
            for (; pairs && i < half; i++) {
                const float even = x[2 * i], odd = x[2 * i + 1];
                x[2 * i] = even * cosine[i] - odd * sine[i];
                x[2 * i + 1] = odd * cosine[i] + even * sine[i];
            }
            for (; i + LANES <= half; i += LANES) {
                vfloat low = load(x + i), high = load(x + i + half);
                store(x + i, low * load(cosine + i) - high * load(sine + i));
                store(x + i + half, high * load(cosine + i) + low * load(sine + i));
            }
            for (; i < half; i++) {
                float low = x[i], high = x[i + half];
                x[i] = low * cosine[i] - high * sine[i];
                x[i + half] = high * cosine[i] + low * sine[i];
            }
        }
    }
}

void ELEMENT(norm_rows)(const apus_norm *norm, const float *x, float *y, size_t rows, size_t width, size_t sets, float scale,
                      bool accumulate) {
    for (size_t row = 0; row < rows; row++, x += width, y += width) {
        const struct row_norm own = measure(norm, x, width);
        const size_t start = row % sets * width;
        size_t i = 0;
        for (; i + LANES <= width; i += LANES) {
            const vfloat value = normed(norm, own, load(x + i), start + i) * scale;
            store(y + i, accumulate ? load(y + i) + value : value);
        }
        for (; i < width; i++) {
            const float value = normed_one(norm, own, x[i], start + i) * scale;
            y[i] = accumulate ? y[i] + value : value;
        }
    }
}

void ELEMENT(soft_cap)(float *x, float cap, size_t count) {
    for (size_t i = 0; i < count; i += LANES) {
        const size_t here = count - i < LANES ? count - i : LANES;
        float values[LANES] = {};
        memcpy(values, x + i, here * sizeof(float));
        store(values, hyperbolic_tangent(load(values) / cap) * cap);
        memcpy(x + i, values, here * sizeof(float));
    }
}

// x = activation(x), times `up` if there is one. The last elements go through the same arithmetic, whatever the count.
INLINE void activate_all(const apus_activation activation, float *x, const float *up, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const vfloat value = activated(activation, load(x + i));
        store(x + i, up ? value * factor_beside(activation, load(up + i)) : value);
    }
    if (i == count) return;
    float values[LANES] = {}, factors[LANES] = {};
    memcpy(values, x + i, (count - i) * sizeof(float));
    if (up) memcpy(factors, up + i, (count - i) * sizeof(float));
    const vfloat value = activated(activation, load(values));
    store(values, up ? value * factor_beside(activation, load(factors)) : value);
    memcpy(x + i, values, (count - i) * sizeof(float));
}

INLINE void activate_by(apus_activation activation, float *x, const float *up, size_t count) {
    switch (activation) {
    case APUS_SILU: activate_all(APUS_SILU, x, up, count); break;
    case APUS_GELU: activate_all(APUS_GELU, x, up, count); break;
    case APUS_GELU_TANH: activate_all(APUS_GELU_TANH, x, up, count); break;
    case APUS_RELU: activate_all(APUS_RELU, x, up, count); break;
    case APUS_RELU_SQUARED: activate_all(APUS_RELU_SQUARED, x, up, count); break;
    case APUS_QUICK_GELU: activate_all(APUS_QUICK_GELU, x, up, count); break;
    case APUS_SIGMOID: activate_all(APUS_SIGMOID, x, up, count); break;
    case APUS_CLAMPED_SWIGLU: activate_all(APUS_CLAMPED_SWIGLU, x, up, count); break;
    }
}

void ELEMENT(activate)(apus_activation activation, float *x, size_t count) { activate_by(activation, x, NULL, count); }

void ELEMENT(gated_activation)(apus_activation activation, float *gate, const float *up, size_t count) {
    activate_by(activation, gate, up, count);
}

// Values that argmax() looks at before it asks whether the largest was among them.
#define ARGMAX_BLOCK (64 * LANES)
#define ARGMAX_CHAINS 4

// Raises `largest` to the largest of ARGMAX_BLOCK values. False if one of them is not below +infinity.
INLINE bool find_largest(const float *x, float *largest) {
    vfloat best[ARGMAX_CHAINS];
    vint below[ARGMAX_CHAINS];
    UNROLLED for (int c = 0; c < ARGMAX_CHAINS; c++) best[c] = splat(*largest), below[c] = ~(vint){};
    for (size_t i = 0; i < ARGMAX_BLOCK; i += ARGMAX_CHAINS * LANES) {
        UNROLLED for (int c = 0; c < ARGMAX_CHAINS; c++) {
            const vfloat value = load(x + i + (size_t)c * LANES);
            best[c] = larger(value, best[c]);
            below[c] &= value < splat(INFINITY);
        }
    }
    UNROLLED for (int c = 1; c < ARGMAX_CHAINS; c++) {
        best[0] = larger(best[c], best[0]);
        below[0] &= below[c];
    }
    bool all = true;
    for (int lane = 0; lane < LANES; lane++) {
        if (best[0][lane] > *largest) *largest = best[0][lane];
        all &= below[0][lane] != 0;
    }
    return all;
}

// Memory is read once: only the block that raised the largest value last is read again, for its place.
int32_t ELEMENT(argmax)(const float *x, size_t count) {
    float largest = -INFINITY;
    size_t block = count, i = 0;
    for (; i + ARGMAX_BLOCK <= count; i += ARGMAX_BLOCK) {
        const float before = largest;
        if (!find_largest(x + i, &largest)) return -1;
        if (largest > before) block = i;
    }
    size_t best = count;
    for (; i < count; i++) {
        if (!(x[i] < INFINITY)) return -1;
        if (x[i] > largest) largest = x[i], best = i;
    }
    if (best < count) return (int32_t)best;
    for (i = block; i < count; i++) {
        if (x[i] == largest) return (int32_t)i;
    }
    return -1;
}

#include "recurrence.h"
