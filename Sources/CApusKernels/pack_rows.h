// Brings activations into the form that the product with a type of matrix takes.

static void pack_floats(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const size_t padded = apus_panel_inputs(task->type, task->inputs);
    float *packed = (float *)task->packed + row * row_stride(task->type, task->inputs, 4), values[64] ALIGNED;
    for (size_t first = 0; first < padded; first += 64) {
        read_row(task, x, norm, first, values);
        memcpy(packed + first, values, (padded - first < 64 ? padded - first : 64) * sizeof(float));
    }
}

// Values [first, first + 64) of a row that is about to be rounded.
INLINE void read_rotated(const apus_activations *task, const float *x, struct row_norm norm, size_t first, float values[64]) {
    read_row(task, x, norm, first, values);
    if (task->rotates && first + APUS_ROTATION <= task->inputs) apus_rotate(values);
}

static void pack_integers(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const size_t padded = apus_panel_inputs(task->type, task->inputs);
    float values[64] ALIGNED;
    vfloat most = {}, nothing = {}; // `nothing` stays zero unless a value is infinite or no number
    for (size_t first = 0; first < padded; first += 64) {
        read_rotated(task, x, norm, first, values);
        for (size_t i = 0; i < 64; i += LANES) {
            most = maximum(most, maximum(load(values + i), -load(values + i)));
            nothing += load(values + i) * 0.0f;
        }
    }
    const float largest = largest_of(most), inverse = largest > 0 ? 127 / largest : 0;
    const integer_rows rows = integer_rows_of(task->type, task->packed, task->rows, task->inputs);
    rows.scales[row] = largest / 127 + sum(nothing);
    for (size_t first = 0; first < padded; first += 64) {
        int8_t rounded[64];
        read_rotated(task, x, norm, first, values);
        for (size_t i = 0; i < 64; i++) rounded[i] = (int8_t)rintf(fminf(fmaxf(values[i] * inverse, -127), 127));
        place_integers(&rows, row, first, padded, rounded);
    }
}

static size_t packed_bytes(apus_dtype type, size_t rows, size_t inputs) {
#ifdef OWN_BF16
    if (type == APUS_BF16) return bf16_bytes(rows, inputs);
#endif
    if (type == APUS_GROUPED) return rows * grouped_rows_of(NULL, inputs).stride;
    if (type == APUS_I8 || type == APUS_I4) return integer_rows_of(type, NULL, rows, inputs).bytes;
    return rows * row_stride(type, inputs, sizeof(float)) * sizeof(float);
}

static void pack_rows(const apus_activations *task, size_t first, size_t end) {
    for (size_t row = first; row < end; row++) {
        const float *x = task->x + row * task->inputs;
        // Other threads have just written much of it; a norm asks for all of it by itself, before anything is rounded.
        for (size_t i = 0; i < task->inputs && !task->norm.weight; i += 16) __builtin_prefetch(x + i);
        const struct row_norm norm = measure(&task->norm, x, task->inputs);
#ifdef OWN_BF16
        if (task->type == APUS_BF16) {
            pack_bf16(task, x, norm, row);
            continue;
        }
#endif
        if (task->type == APUS_GROUPED) {
            pack_grouped(task, x, norm, row);
        } else if (task->type == APUS_I8 || task->type == APUS_I4) {
            pack_integers(task, x, norm, row);
        } else {
            pack_floats(task, x, norm, row);
        }
    }
}
