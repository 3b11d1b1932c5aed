// Activations for grouped matrices, rounded to 8 bits with a scale for each 32 or 64 inputs. A row is the values, a scale for each
// 32, and for each 16, 32 and 64 inputs the sums of values, as integers and times their scale.

typedef struct {
    size_t units; // of APUS_GROUPED_UNIT inputs
    size_t stride;
    uint8_t *rows;
} grouped_rows;

typedef int8_t narrow_signed __attribute__((vector_size(LANES)));

// The inputs of the longest block of a panel.
#define GROUPED_INPUTS 256
// Scales of a unit, and sums, of all sizes together.
#define GROUPED_SPANS (APUS_GROUPED_UNIT / APUS_GROUPED_SPAN)
#define GROUPED_SUMS 7

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

// Of 16, 32 or 64 inputs each, first to last; those of 64 only where these have one scale.
INLINE int32_t *grouped_sums(const grouped_rows *rows, size_t row, size_t size) {
    const size_t before = size == 16 ? 0 : size == 32 ? 4 : 6;
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

// Rounds `span` inputs from `first` on, which have one scale.
INLINE void round_span(const size_t span, const grouped_rows *rows, size_t row, size_t first, const float *values) {
    vfloat most = {}, nothing = {}; // `nothing` stays zero unless a value is infinite or no number
    for (size_t i = 0; i < span; i += LANES) {
        most = maximum(most, maximum(load(values + i), -load(values + i)));
        nothing += load(values + i) * 0.0f;
    }
    const float largest = largest_of(most);
    const float inverse = largest > 0 ? 127 / largest : 0, scale = largest / 127 + sum(nothing);
    int32_t sums[APUS_GROUPED_UNIT / 16] = {0};
    for (size_t i = 0; i < span; i += LANES) {
        // Adding and subtracting 1.5 * 2^23 rounds to the nearest even.
        const vfloat value = minimum(maximum(load(values + i) * inverse, splat(-127)), splat(127));
        const vint integers = __builtin_convertvector((value + 12582912.0f) - 12582912.0f, vint);
        const narrow_signed bytes = __builtin_convertvector(integers, narrow_signed);
        memcpy(grouped_values(rows, row) + first + i, &bytes, sizeof bytes);
        sums[i / 16] += __builtin_reduce_add(integers);
    }
    for (size_t size = 16; size <= span; size *= 2) {
        for (size_t i = 0; i < span / size; i++) {
            if (size > 16) sums[i] = sums[2 * i] + sums[2 * i + 1];
            grouped_sums(rows, row, size)[first / size + i] = sums[i];
            grouped_totals(rows, row, size)[first / size + i] = scale * (float)sums[i];
        }
    }
    for (size_t i = 0; i < span; i += APUS_GROUPED_SPAN) grouped_scales(rows, row)[(first + i) / APUS_GROUPED_SPAN] = scale;
}

static void pack_grouped(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    for (size_t unit = 0; unit < rows.units; unit++) {
        const size_t first = unit * APUS_GROUPED_UNIT;
        float values[64] ALIGNED;
        if (task->order) {
            read_in_order(task, x, norm, first, values);
        } else {
            read_row(task, x, norm, first, values);
        }
        if (task->span == APUS_GROUPED_UNIT) {
            round_span(APUS_GROUPED_UNIT, &rows, row, first, values);
        } else {
            for (size_t at = 0; at < APUS_GROUPED_UNIT; at += APUS_GROUPED_SPAN) {
                round_span(APUS_GROUPED_SPAN, &rows, row, first + at, values + at);
            }
        }
    }
}

// A panel, widened.
static size_t grouped_scratch(size_t inputs) {
    return apus_round_up(inputs, GROUPED_INPUTS) / APUS_GROUPED_UNIT * WIDE_MOST;
}
