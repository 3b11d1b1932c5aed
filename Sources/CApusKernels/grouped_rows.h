// Activations for grouped matrices, rounded to 8 bits with a scale for each APUS_GROUPED_SPAN inputs. A row is the values,
// the scales, and for each 16 and 32 inputs the sums of values, as integers and times their scale.

typedef struct {
    size_t units; // of APUS_GROUPED_UNIT inputs
    size_t stride;
    uint8_t *rows;
} grouped_rows;

typedef int8_t narrow_signed __attribute__((vector_size(LANES)));

// The inputs of the longest block of a panel.
#define GROUPED_INPUTS 256
// Scales of a unit, and sums, of both sizes together.
#define GROUPED_SPANS (APUS_GROUPED_UNIT / APUS_GROUPED_SPAN)
#define GROUPED_SUMS 6

// A widened unit: codes as bytes [16][16][4], then scales [groups][16], then offsets.
#define WIDE_CODES (APUS_GROUPED_UNIT * APUS_PANEL)
#define WIDE_MOST (WIDE_CODES + 2 * 4 * APUS_PANEL * 4)

INLINE grouped_rows grouped_rows_of(const void *packed, size_t inputs) {
    const size_t padded = apus_round_up(inputs, GROUPED_INPUTS), units = padded / APUS_GROUPED_UNIT;
    // A line more, as in row_stride.
    const size_t bytes = padded + units * (GROUPED_SPANS + 2 * GROUPED_SUMS) * sizeof(float);
    return (grouped_rows){.units = units, .stride = apus_round_up(bytes, 64) + 64, .rows = (uint8_t *)packed};
}

INLINE int8_t *grouped_values(const grouped_rows *rows, size_t row) { return (int8_t *)(rows->rows + row * rows->stride); }

INLINE float *grouped_scales(const grouped_rows *rows, size_t row) {
    return (float *)(void *)(grouped_values(rows, row) + rows->units * APUS_GROUPED_UNIT);
}

// Of 16 or 32 inputs each, first to last.
INLINE int32_t *grouped_sums(const grouped_rows *rows, size_t row, size_t size) {
    const size_t before = size == 16 ? 0 : 4;
    return (int32_t *)(void *)(grouped_scales(rows, row) + rows->units * GROUPED_SPANS) + before * rows->units;
}

INLINE float *grouped_totals(const grouped_rows *rows, size_t row, size_t size) {
    return (float *)(void *)(grouped_sums(rows, row, size) + GROUPED_SUMS * rows->units);
}

// Values of a row [first, first + 64) in another order.
static void read_in_order(const apus_activations *task, const float *x, struct row_norm row, size_t first,
                          float values[64]) {
    for (size_t i = 0; i < 64; i++) {
        values[i] = 0;
        if (first + i >= task->inputs) continue;
        const size_t at = (size_t)task->order[first + i];
        values[i] = task->norm.weight ? normed_one(&task->norm, row, x[at], at) : x[at];
    }
}

INLINE void round_span(const grouped_rows *rows, size_t row, size_t first, const float *values, float *scale) {
    vfloat most = {}, nothing = {}; // `nothing` stays zero unless a value is infinite or no number
    for (size_t i = 0; i < APUS_GROUPED_SPAN; i += LANES) {
        most = maximum(most, maximum(load(values + i), -load(values + i)));
        nothing += load(values + i) * 0.0f;
    }
    const float largest = __builtin_reduce_max(most);
    const float inverse = largest > 0 ? 127 / largest : 0;
    *scale = largest / 127 + sum(nothing);
    int32_t sums[2] = {0};
    for (size_t i = 0; i < APUS_GROUPED_SPAN; i += LANES) {
        // Adding and subtracting 1.5 * 2^23 rounds to the nearest even.
        const vfloat value = minimum(maximum(load(values + i) * inverse, splat(-127)), splat(127));
        const vint integers = __builtin_convertvector((value + 12582912.0f) - 12582912.0f, vint);
        const narrow_signed bytes = __builtin_convertvector(integers, narrow_signed);
        memcpy(grouped_values(rows, row) + first + i, &bytes, sizeof bytes);
        sums[i / 16] += __builtin_reduce_add(integers);
    }
    for (size_t i = 0; i < 2; i++) {
        grouped_sums(rows, row, 16)[first / 16 + i] = sums[i];
        grouped_totals(rows, row, 16)[first / 16 + i] = *scale * (float)sums[i];
    }
    grouped_sums(rows, row, 32)[first / 32] = sums[0] + sums[1];
    grouped_totals(rows, row, 32)[first / 32] = *scale * (float)(sums[0] + sums[1]);
}

static void pack_grouped(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    float *scales = grouped_scales(&rows, row);
    for (size_t unit = 0; unit < rows.units; unit++) {
        const size_t first = unit * APUS_GROUPED_UNIT;
        float values[64];
        if (task->order) {
            read_in_order(task, x, norm, first, values);
        } else {
            read_row(task, x, norm, first, values);
        }
        for (size_t at = 0; at < APUS_GROUPED_UNIT; at += APUS_GROUPED_SPAN) {
            round_span(&rows, row, first + at, values + at, scales + (first + at) / APUS_GROUPED_SPAN);
        }
    }
}

// A panel, widened.
static size_t grouped_scratch(size_t inputs) {
    return apus_round_up(inputs, GROUPED_INPUTS) / APUS_GROUPED_UNIT * WIDE_MOST;
}
