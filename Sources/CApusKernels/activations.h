// Activations as they are read on their way into products, through the norm if there is one.

// What a norm takes from a row, and what it multiplies it with.
struct row_norm {
    float mean, scale;
};

INLINE float sum_of_squares(const float *x, float mean, size_t width) {
    vfloat sums = {};
    float tail = 0;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) sums += (load(x + i) - mean) * (load(x + i) - mean);
    for (; i < width; i++) tail += (x[i] - mean) * (x[i] - mean);
    return sum(sums) + tail;
}

INLINE float mean_of(const float *x, size_t width) {
    vfloat sums = {};
    float tail = 0;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) sums += load(x + i);
    for (; i < width; i++) tail += x[i];
    return (sum(sums) + tail) / (float)width;
}

INLINE struct row_norm measure(const apus_norm *norm, const float *x, size_t width) {
    if (!norm->weight) return (struct row_norm){0, 1};
    const float mean = norm->is_centered ? mean_of(x, width) : 0;
    const float squares = norm->is_centered ? sum_of_squares(x, mean, width) : sum_of_squares(x, 0, width);
    return (struct row_norm){mean, 1 / sqrtf(squares / (float)width + norm->epsilon)};
}

// Elements [at, at + LANES) of a row, and one of it; `at` is their place among the weights.
INLINE vfloat normed(const apus_norm *norm, struct row_norm row, vfloat value, size_t at) {
    value = (value - row.mean) * row.scale * load(norm->weight + at);
    return norm->bias ? value + load(norm->bias + at) : value;
}

INLINE float normed_one(const apus_norm *norm, struct row_norm row, float value, size_t at) {
    value = (value - row.mean) * row.scale * norm->weight[at];
    return norm->bias ? value + norm->bias[at] : value;
}

// Values of a row [first, first + 64), zeros past its end.
INLINE void read_row(const apus_activations *task, const float *x, struct row_norm row, size_t first, float values[64]) {
    const apus_norm *norm = &task->norm;
    size_t count = first < task->inputs ? task->inputs - first : 0;
    if (count >= 64) {
        for (size_t i = 0; i < 64; i += LANES) {
            vfloat value = load(x + first + i);
            store(values + i, norm->weight ? normed(norm, row, value, first + i) : value);
        }
        return;
    }
    for (size_t i = 0; i < 64; i++) {
        values[i] = i < count ? x[first + i] : 0;
        if (i < count && norm->weight) values[i] = normed_one(norm, row, values[i], first + i);
    }
}
