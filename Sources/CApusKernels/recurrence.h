// What depends on all tokens before: each state is brought forward token by token, so that where a prompt is cut changes
// nothing.

void ELEMENT(convolve)(const apus_convolution *task, size_t first, size_t end) {
    const size_t channels = task->channels, before = task->taps - 1;
    for (size_t c = first; task->begins && c < end; c++) {
        for (size_t j = 0; j < before; j++) task->state[j * channels + c] = 0;
    }
    for (size_t t = 0; t < task->tokens; t++) {
        for (size_t c = first; c < end; c += LANES) {
            const size_t here = end - c < LANES ? end - c : LANES;
            float values[LANES] = {}, weights[LANES] = {};
            vfloat sum = {};
            for (size_t j = 0; j < task->taps; j++) {
                // Inputs before the first token are the state's.
                const float *x = t + j < before ? task->state + (t + j) * channels : task->x + (t + j - before) * channels;
                memcpy(values, x + c, here * sizeof(float));
                memcpy(weights, task->weight + j * channels + c, here * sizeof(float));
                sum += load(values) * load(weights);
            }
            if (task->bias) {
                memcpy(values, task->bias + c, here * sizeof(float));
                sum += load(values);
            }
            store(values, task->has_silu ? activated(APUS_SILU, sum) : sum);
            memcpy(task->y + t * channels + c, values, here * sizeof(float));
        }
    }
    for (size_t j = 0; j < before; j++) {
        const size_t t = task->tokens + j;
        const float *x = t < before ? task->state + t * channels : task->x + (t - before) * channels;
        memmove(task->state + j * channels + first, x + first, (end - first) * sizeof(float));
    }
}

// x / sqrt(sum(x^2) + 1e-6) * scale
INLINE void normalize_length(const float *x, float scale, size_t count, float *y) {
    const float factor = scale / sqrtf(sum_of_squares(x, 0, count) + 1e-6f);
    for (size_t i = 0; i < count; i++) y[i] = x[i] * factor;
}

// Columns of a state that stay in registers while all rows pass by.
#define STATE_VECTORS 2

INLINE void advance_columns(const size_t vectors, const float *k, const float *q, float decay, float beta, size_t rows,
                            size_t width, float *state, const float *v, float *o) {
    vfloat memory[STATE_VECTORS], out[STATE_VECTORS];
    for (size_t c = 0; c < vectors; c++) memory[c] = out[c] = (vfloat){};
    for (size_t i = 0; i < rows; i++) {
        for (size_t c = 0; c < vectors; c++) {
            const vfloat s = load(state + i * width + c * LANES) * decay;
            store(state + i * width + c * LANES, s);
            memory[c] += s * k[i];
        }
    }
    for (size_t c = 0; c < vectors; c++) memory[c] = (load(v + c * LANES) - memory[c]) * beta;
    for (size_t i = 0; i < rows; i++) {
        for (size_t c = 0; c < vectors; c++) {
            const vfloat s = load(state + i * width + c * LANES) + memory[c] * k[i];
            store(state + i * width + c * LANES, s);
            out[c] += s * q[i];
        }
    }
    for (size_t c = 0; c < vectors; c++) store(o + c * LANES, out[c]);
}

void ELEMENT(delta_scan)(const apus_delta *task, size_t head) {
    const size_t rows = task->key_dim, width = task->value_dim, keys = task->key_heads * rows;
    const size_t values = task->value_heads * width, stride = 2 * keys + values;
    const size_t key_head = head / (task->value_heads / task->key_heads);
    float *state = task->state + head * rows * width, *k = task->scratch, *q = task->scratch + rows;
    if (task->begins) memset(state, 0, rows * width * sizeof(float));
    for (size_t t = 0; t < task->tokens; t++) {
        const float *mixed = task->mixed + t * stride;
        normalize_length(mixed + key_head * rows, 1 / sqrtf((float)rows), rows, q);
        normalize_length(mixed + keys + key_head * rows, 1, rows, k);
        const float *v = mixed + 2 * keys + head * width;
        const float a = task->a[t * task->value_heads + head] + task->offset[head];
        const float decay = expf(task->decay[head] * (a > 20 ? a : log1pf(expf(a))));
        const float beta = 1 / (1 + expf(-task->b[t * task->value_heads + head]));
        float *o = task->y + t * values + head * width;
        size_t c = 0;
        for (; c + STATE_VECTORS * LANES <= width; c += STATE_VECTORS * LANES) {
            advance_columns(STATE_VECTORS, k, q, decay, beta, rows, width, state + c, v + c, o + c);
        }
        for (; c + LANES <= width; c += LANES) {
            advance_columns(1, k, q, decay, beta, rows, width, state + c, v + c, o + c);
        }
        for (; c < width; c++) {
            float memory = 0, out = 0;
            for (size_t i = 0; i < rows; i++) memory += (state[i * width + c] *= decay) * k[i];
            memory = (v[c] - memory) * beta;
            for (size_t i = 0; i < rows; i++) out += (state[i * width + c] += memory * k[i]) * q[i];
            o[c] = out;
        }
        const apus_norm norm = {.weight = task->norm, .epsilon = task->epsilon};
        const struct row_norm row = measure(&norm, o, width);
        const float *z = task->z + t * values + head * width;
        for (size_t i = 0; i < width; i++) o[i] = normed_one(&norm, row, o[i], i);
        for (size_t i = 0; i < width; i += LANES) {
            const size_t here = width - i < LANES ? width - i : LANES;
            float gates[LANES] = {};
            memcpy(gates, z + i, here * sizeof(float));
            store(gates, activated(APUS_SILU, load(gates)));
            for (size_t j = 0; j < here; j++) o[i + j] *= gates[j];
        }
    }
}
