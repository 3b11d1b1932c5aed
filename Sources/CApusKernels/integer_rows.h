// Activations rounded to 8 bits, as the integer products read them: a scale for each row, then the values in one of
// three forms.
//
//   with I8_OFFSET  [rows][inputs + 64]             unsigned where the processor multiplies unsigned by signed bytes
//   signed          [rows][inputs + 64]             for few rows of a 4-bit matrix; and each group's sum, negated
//   tiled           signed, as tile registers take them (tile_registers.h)

typedef enum { OFFSET_ROWS, SIGNED_ROWS, TILED_ROWS } integer_form;

typedef struct {
    integer_form form;
    float *scales;
    uint8_t *values;
    int32_t *negated; // [rows][groups], for SIGNED_ROWS
    size_t count;     // of rows
    size_t bytes;     // of all
} integer_rows;

// Without memory, it counts the bytes.
static integer_rows integer_rows_of(apus_dtype type, const void *packed, size_t rows, size_t inputs) {
    const size_t padded = apus_panel_inputs(type, inputs), scales = apus_round_up(rows * sizeof(float), 64);
    const size_t values = apus_round_up(rows * row_stride(type, inputs, 1), 64);
    integer_rows result = {.form = OFFSET_ROWS, .count = rows, .scales = (float *)packed, .bytes = scales + values};
    if (packed) result.values = (uint8_t *)packed + scales;
    if (type == APUS_I4 && rows <= FEW_ROWS) {
        result.form = SIGNED_ROWS;
        if (packed) result.negated = (int32_t *)(void *)(result.values + values);
        result.bytes += rows * (padded / APUS_GROUP) * sizeof(int32_t);
    }
#if TILED_INTEGERS
    else if (rows > FEW_ROWS) {
        result.form = TILED_ROWS;
        result.bytes = scales + tiled_bytes(rows, padded);
    }
#endif
    return result;
}

INLINE integer_rows rows_of(const apus_linear *task) {
    return integer_rows_of(task->type, task->packed, task->rows, task->inputs);
}

static void place_integers(const integer_rows *rows, size_t row, size_t first, size_t padded, const int8_t values[64]) {
    switch (rows->form) {
    case OFFSET_ROWS:
        for (size_t i = 0; i < 64; i++) rows->values[row * (padded + 64) + first + i] = (uint8_t)(values[i] + I8_OFFSET);
        break;
    case SIGNED_ROWS:
        memcpy(rows->values + row * (padded + 64) + first, values, 64);
        for (size_t group = 0; group < 64; group += APUS_GROUP) {
            int32_t total = 0;
            for (size_t i = 0; i < APUS_GROUP; i++) total += values[group + i];
            rows->negated[row * (padded / APUS_GROUP) + (first + group) / APUS_GROUP] = -total;
        }
        break;
    case TILED_ROWS:
#if TILED_INTEGERS
        memcpy(rows->values + tiled_place(rows->count, padded, row, first), values, 64);
#endif
        break;
    }
}
