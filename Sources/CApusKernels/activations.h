// Activations as they are read on their way into products, through the norm if there is one.

// Values of a row [first, first + 64), zeros past its end.
INLINE void read_row(const apus_activations *task, const float *x, float scale, size_t first, float values[64]) {
    size_t count = first < task->inputs ? task->inputs - first : 0;
    if (count >= 64) {
        for (size_t i = 0; i < 64; i += LANES) {
            vfloat value = load(x + first + i);
            if (task->norm_weight) value = value * scale * load(task->norm_weight + first + i);
            store(values + i, value);
        }
        return;
    }
    for (size_t i = 0; i < 64; i++) {
        values[i] = i < count ? x[first + i] : 0;
        if (i < count && task->norm_weight) values[i] = values[i] * scale * task->norm_weight[first + i];
    }
}

INLINE float norm_scale(const float *x, size_t width, float epsilon) {
    vfloat sums = {};
    float tail = 0;
    size_t i = 0;
    for (; i + LANES <= width; i += LANES) sums += load(x + i) * load(x + i);
    for (; i < width; i++) tail += x[i] * x[i];
    return 1 / sqrtf((sum(sums) + tail) / (float)width + epsilon);
}

