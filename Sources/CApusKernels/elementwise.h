// What is done to each row or element: embedding, norm, rotary embedding, gated activation, argmax.

static void embedding(const void *table, apus_dtype type, size_t width, const int32_t *tokens, size_t count, float *y) {
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

static void rotary(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim) {
    size_t half = head_dim / 2;
    for (size_t row = 0; row < rows; row++, cos_sin += head_dim) {
        const float *cosine = cos_sin, *sine = cos_sin + half;
        for (size_t head = 0; head < heads; head++, x += head_dim) {
            size_t i = 0;
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

static void norm_heads(float *x, const float *weight, float epsilon, size_t rows, size_t heads, size_t head_dim) {
    for (size_t head = 0; head < rows * heads; head++, x += head_dim) {
        const float scale = norm_scale(x, head_dim, epsilon);
        size_t i = 0;
        for (; i + LANES <= head_dim; i += LANES) store(x + i, load(x + i) * scale * load(weight + i));
        for (; i < head_dim; i++) x[i] = x[i] * scale * weight[i];
    }
}

static void gated_activation(apus_activation activation, float *gate, const float *up, size_t count) {
    size_t i = 0;
    if (activation == APUS_SILU) {
        for (; i + LANES <= count; i += LANES) {
            vfloat x = load(gate + i);
            store(gate + i, x / (exponential(-x) + 1.0f) * load(up + i));
        }
        if (i < count) { // the last elements go through the same arithmetic, whatever the count
            float x[LANES] = {}, y[LANES] = {};
            memcpy(x, gate + i, (count - i) * sizeof(float));
            memcpy(y, up + i, (count - i) * sizeof(float));
            store(x, load(x) / (exponential(-load(x)) + 1.0f) * load(y));
            memcpy(gate + i, x, (count - i) * sizeof(float));
        }
        return;
    }
    for (; i < count; i++) gate[i] = apus_activate(activation, gate[i]) * up[i];
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
static int32_t argmax(const float *x, size_t count) {
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
