// The scalar reference: the definition of every operation, written to be read.
#include "apus_kernels.h"
#include "grouped.h"
#include "half.h"
#include "kv_block.h"
#include "panels.h"
#include "tables.h"

#include <math.h>

static float element(const void *source, apus_dtype type, size_t index) {
    switch (type) {
    case APUS_F32: return ((const float *)source)[index];
    case APUS_BF16: return apus_float_of_bf16(((const uint16_t *)source)[index]);
    case APUS_F16: return apus_float_of_f16(((const uint16_t *)source)[index]);
    default: return 0;
    }
}

// Activations as products take them: through the norm, and for integer matrices rounded to 8 bits.
// Float: [rows, inputs]. Integer: scales [rows], then int8 [rows, inputs].
static bool is_integer(apus_dtype type) { return type == APUS_I8 || type == APUS_I4; }

// For grouped matrices: scales [rows, spans], then int8 [rows, spans * APUS_GROUPED_SPAN].
static size_t spans_of(size_t inputs) { return apus_up_to(inputs, 256) / APUS_GROUPED_SPAN; }

static size_t packed_bytes(apus_dtype type, size_t rows, size_t inputs) {
    if (type == APUS_GROUPED) return rows * spans_of(inputs) * (sizeof(float) + APUS_GROUPED_SPAN);
    return rows * (is_integer(type) ? sizeof(float) + inputs : inputs * sizeof(float));
}

// What a norm takes from a row, and what it multiplies it with.
struct row_norm {
    float mean, scale;
};

static struct row_norm measure(const apus_norm *norm, const float *x, size_t width) {
    float sum = 0, squares = 0;
    for (size_t i = 0; i < width; i++) sum += x[i];
    const float mean = norm->is_centered ? sum / (float)width : 0;
    for (size_t i = 0; i < width; i++) squares += (x[i] - mean) * (x[i] - mean);
    return (struct row_norm){mean, 1 / sqrtf(squares / (float)width + norm->epsilon)};
}

static float normed(const apus_norm *norm, struct row_norm row, float x, size_t at) {
    return (x - row.mean) * row.scale * norm->weight[at] + (norm->bias ? norm->bias[at] : 0);
}

static void pack_spans(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    const size_t spans = spans_of(task->inputs), each = task->span / APUS_GROUPED_SPAN;
    int8_t *packed = (int8_t *)((float *)task->packed + task->rows * spans) + row * spans * APUS_GROUPED_SPAN;
    for (size_t span = 0; span < spans; span += each) {
        float values[APUS_GROUPED_UNIT] = {0}, largest = 0, nothing = 0;
        for (size_t i = 0; i < task->span && span * APUS_GROUPED_SPAN + i < task->inputs; i++) {
            size_t at = span * APUS_GROUPED_SPAN + i;
            if (task->order) at = (size_t)task->order[at];
            values[i] = task->norm.weight ? normed(&task->norm, norm, x[at], at) : x[at];
            largest = fmaxf(largest, fabsf(values[i]));
            nothing += values[i] * 0;
        }
        const float inverse = largest > 0 ? 127 / largest : 0;
        for (size_t i = 0; i < each; i++) ((float *)task->packed)[row * spans + span + i] = largest / 127 + nothing;
        for (size_t i = 0; i < task->span; i++) {
            packed[span * APUS_GROUPED_SPAN + i] = (int8_t)rintf(fminf(fmaxf(values[i] * inverse, -127), 127));
        }
    }
}

// Multiplies a block with the Hadamard matrix.
static void rotate(float *block) {
    for (size_t half = 1; half < APUS_ROTATION; half *= 2) {
        for (size_t i = 0; i < APUS_ROTATION; i++) {
            if (i & half) continue;
            const float a = block[i], b = block[i + half];
            block[i] = a + b, block[i + half] = a - b;
        }
    }
    for (size_t i = 0; i < APUS_ROTATION; i++) block[i] *= 0.125f;
}

// Inputs [first, first + APUS_ROTATION) that are about to be rounded; how many there are.
static size_t read_block(const apus_activations *task, const float *x, struct row_norm norm, size_t first, float *block) {
    const size_t left = task->inputs - first, count = left < APUS_ROTATION ? left : APUS_ROTATION;
    for (size_t i = 0; i < count; i++) {
        block[i] = task->norm.weight ? normed(&task->norm, norm, x[first + i], first + i) : x[first + i];
    }
    if (task->rotates && count == APUS_ROTATION) rotate(block);
    return count;
}

static void pack_integers(const apus_activations *task, const float *x, struct row_norm norm, size_t row) {
    float block[APUS_ROTATION], largest = 0, nothing = 0;
    for (size_t first = 0; first < task->inputs; first += APUS_ROTATION) {
        const size_t count = read_block(task, x, norm, first, block);
        for (size_t i = 0; i < count; i++) {
            largest = fmaxf(largest, fabsf(block[i]));
            nothing += block[i] * 0;
        }
    }
    ((float *)task->packed)[row] = largest / 127 + nothing;
    int8_t *packed = (int8_t *)((float *)task->packed + task->rows) + row * task->inputs;
    const float inverse = largest > 0 ? 127 / largest : 0;
    for (size_t first = 0; first < task->inputs; first += APUS_ROTATION) {
        const size_t count = read_block(task, x, norm, first, block);
        for (size_t i = 0; i < count; i++) {
            packed[first + i] = (int8_t)rintf(fminf(fmaxf(block[i] * inverse, -127), 127));
        }
    }
}

static void pack_rows(const apus_activations *task, size_t first, size_t end) {
    const size_t inputs = task->inputs;
    for (size_t row = first; row < end; row++) {
        const float *x = task->x + row * inputs;
        const struct row_norm norm = measure(&task->norm, x, inputs);
        if (task->type == APUS_GROUPED) {
            pack_spans(task, x, norm, row);
            continue;
        }
        if (is_integer(task->type)) {
            pack_integers(task, x, norm, row);
            continue;
        }
        for (size_t i = 0; i < inputs; i++) {
            ((float *)task->packed)[row * inputs + i] = task->norm.weight ? normed(&task->norm, norm, x[i], i) : x[i];
        }
    }
}

static size_t linear_scratch(apus_dtype type, size_t inputs) {
    (void)type, (void)inputs;
    return 0;
}

// Element [output, input] of a matrix in panels; of an integer one before its scale.
static float panel_float(const apus_linear *task, const uint8_t *panel, size_t output, size_t input) {
    const size_t pairs = task->type == APUS_BF16 ? 2 : 1;
    return element(panel, task->type, (input / pairs * APUS_PANEL + output) * pairs + input % pairs);
}

static int32_t panel_integer(const apus_linear *task, const uint8_t *panel, size_t output, size_t input) {
    if (task->type == APUS_I8) return ((const int8_t *)panel)[(input / 4 * APUS_PANEL + output) * 4 + input % 4];
    const size_t group = input / APUS_GROUP, step = input % APUS_GROUP / 8;
    const uint8_t halves = apus_i4_values(panel, group)[(step * APUS_PANEL + output) * 4 + input % 4];
    const int32_t grid = apus_i4_grids(panel, group)[output], code = input % 8 < 4 ? halves & 15 : halves >> 4;
    return (code - APUS_GRID_ZERO(grid)) * APUS_GRID_MULTIPLIER(grid);
}

static float grouped_product(const apus_linear *task, const uint8_t *panel, size_t row, size_t output) {
    const apus_grouping *g = task->grouping;
    const apus_block_layout layout = apus_block_layout_of(g);
    const size_t spans = spans_of(task->inputs), group = g->group < APUS_GROUPED_UNIT ? g->group : APUS_GROUPED_UNIT;
    const float *x_scales = (const float *)task->packed + row * spans;
    const int8_t *x = (const int8_t *)((const float *)task->packed + task->rows * spans) + row * spans * APUS_GROUPED_SPAN;
    float sum = 0;
    for (size_t first = 0; first < apus_grouped_inputs(g, task->inputs); first += group) {
        const size_t span = first / APUS_GROUPED_SPAN;
        const uint8_t *codes = apus_grouped_codes(&layout, panel, first / APUS_GROUPED_UNIT);
        int32_t products = 0, total = 0;
        for (size_t i = first; i < first + group; i++) {
            products += x[i] * (apus_grouped_value(g, codes, output, i % APUS_GROUPED_UNIT) - g->zero);
            total += x[i];
        }
        float factors[2];
        apus_grouped_factors(g, panel, task->inputs, output, first, factors);
        sum = fmaf((float)products, factors[0] * x_scales[span], sum);
        if (g->offset != APUS_OFFSET_NONE) sum = fmaf(factors[1], x_scales[span] * (float)total, sum);
    }
    return sum;
}

// With floats that are widened to bfloat16.
static float widened_product(const apus_linear *task, const uint8_t *panel, size_t row, size_t output) {
    const apus_grouping *g = task->grouping;
    const apus_block_layout layout = apus_block_layout_of(g);
    const float *x = (const float *)task->packed + row * task->inputs;
    float sum = 0, factors[2] = {0};
    for (size_t i = 0; i < task->inputs; i++) {
        if (i % g->group == 0) apus_grouped_factors(g, panel, task->inputs, output, i, factors);
        const uint8_t *codes = apus_grouped_codes(&layout, panel, i / APUS_GROUPED_UNIT);
        const float weight = factors[0] * apus_grouped_float(g, codes, output, i % APUS_GROUPED_UNIT);
        sum += x[i] * apus_float_of_bf16(apus_bf16_of_float(weight));
    }
    return sum;
}

static float product(const apus_linear *task, const uint8_t *panel, size_t row, size_t output) {
    if (task->type == APUS_GROUPED && task->grouping->codes != APUS_CODES_INTEGERS) {
        return widened_product(task, panel, row, output);
    }
    if (task->type == APUS_GROUPED) return grouped_product(task, panel, row, output);
    const size_t inputs = task->inputs;
    if (is_integer(task->type)) {
        const int8_t *x = (const int8_t *)((const float *)task->packed + task->rows) + row * inputs;
        int32_t sum = 0;
        for (size_t i = 0; i < inputs; i++) sum += x[i] * panel_integer(task, panel, output, i);
        const float *scales = apus_panel_scales(panel, task->type, apus_panel_inputs(task->type, inputs));
        return (float)sum * (((const float *)task->packed)[row] * scales[output]);
    }
    const float *x = (const float *)task->packed + row * inputs;
    float sum = 0;
    for (size_t i = 0; i < inputs; i++) sum += x[i] * panel_float(task, panel, output, i);
    return sum;
}

static void linear(const apus_linear *task, size_t first, size_t end) {
    const size_t stride = task->type == APUS_GROUPED ? apus_grouped_panel_bytes(task->grouping, task->inputs)
                                                     : apus_panel_bytes(task->type, task->inputs);
    for (size_t row = 0; row < task->rows; row++) {
        for (size_t output = first * APUS_PANEL; output < end * APUS_PANEL && output < task->outputs; output++) {
            const uint8_t *panel = (const uint8_t *)task->panels + output / APUS_PANEL * stride;
            float value = product(task, panel, row, output % APUS_PANEL);
            if (task->bias) value += task->bias[output];
            value *= task->scale;
            float *y = task->y + row * task->y_stride + output;
            *y = task->accumulate ? value + *y : value;
        }
    }
}

static void embedding(const void *table, apus_dtype type, size_t width, const int32_t *tokens, size_t count, float *y) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < width; j++) y[i * width + j] = element(table, type, (size_t)tokens[i] * width + j);
    }
}

static void rotary(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim, size_t turned, bool pairs) {
    const size_t half = turned / 2;
    for (size_t row = 0; row < rows; row++) {
        const float *cosine = cos_sin + row * turned, *sine = cosine + half;
        for (size_t head = 0; head < heads; head++, x += head_dim) {
            for (size_t i = 0; i < half; i++) {
                float *a = x + (pairs ? 2 * i : i), *b = x + (pairs ? 2 * i + 1 : i + half);
                const float low = *a, high = *b;
                *a = low * cosine[i] - high * sine[i];
                *b = high * cosine[i] + low * sine[i];
            }
        }
    }
}

static void norm_rows(const apus_norm *norm, const float *x, float *y, size_t rows, size_t width, size_t sets, float scale,
                      bool accumulate) {
    for (size_t row = 0; row < rows; row++, x += width, y += width) {
        const struct row_norm own = measure(norm, x, width);
        for (size_t i = 0; i < width; i++) {
            const float value = normed(norm, own, x[i], row % sets * width + i) * scale;
            y[i] = accumulate ? y[i] + value : value;
        }
    }
}

static void soft_cap(float *x, float cap, size_t count) {
    for (size_t i = 0; i < count; i++) x[i] = cap * tanhf(x[i] / cap);
}

static float activated(apus_activation activation, float x) {
    switch (activation) {
    case APUS_SILU: return x / (1 + expf(-x));
    case APUS_GELU: return 0.5f * x * erfcf(x * -0.70710678118654752f);
    case APUS_GELU_TANH: return x / (1 + expf(-1.59576912160573072f * (x + 0.044715f * x * x * x)));
    case APUS_RELU: return x < 0 ? 0 : x;
    case APUS_RELU_SQUARED: return x < 0 ? 0 : x * x;
    case APUS_QUICK_GELU: return x / (1 + expf(-1.702f * x));
    case APUS_SIGMOID: return 1 / (1 + expf(-x));
    case APUS_CLAMPED_SWIGLU: return activated(APUS_QUICK_GELU, x < 7 ? x : 7);
    }
    return x;
}

static void activate(apus_activation activation, float *x, size_t count) {
    for (size_t i = 0; i < count; i++) x[i] = activated(activation, x[i]);
}

static void gated_activation(apus_activation activation, float *gate, const float *up, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float clamped = up[i] < -7 ? -6 : up[i] > 7 ? 8 : up[i] + 1;
        gate[i] = activated(activation, gate[i]) * (activation == APUS_CLAMPED_SWIGLU ? clamped : up[i]);
    }
}

static size_t attention_scratch(size_t rows, size_t head_dim) {
    (void)rows;
    return 2 * (2 + head_dim) * sizeof(float);
}

static float key_element(const apus_attention *task, size_t block, size_t token, size_t i) {
    const size_t width = apus_kv_width(task->head_dim);
    const void *keys = (const uint8_t *)task->keys + block * apus_kv_block_bytes(task->cache_type, width);
    const size_t index = apus_key_index(task->cache_type, token, i);
    if (task->cache_type != APUS_I8) return element(keys, task->cache_type, index);
    return ((const int8_t *)keys)[index] * apus_kv_scales(keys, width)[token];
}

static float value_element(const apus_attention *task, size_t block, size_t token, size_t i) {
    const size_t width = apus_kv_width(task->head_dim);
    const void *values = (const uint8_t *)task->values + block * apus_kv_block_bytes(task->cache_type, width);
    const size_t index = apus_value_index(task->cache_type, width, token, i);
    if (task->cache_type != APUS_I8) return element(values, task->cache_type, index);
    return ((const int8_t *)values)[index] * apus_kv_scales(values, width)[token];
}

// Brings a running softmax to a larger maximum.
static void rescale(float *state, size_t width, float maximum) {
    const float shrink = expf(state[0] - maximum);
    for (size_t i = 0; i < 1 + width; i++) state[1 + i] *= shrink;
    state[0] = maximum;
}

// Softmax over the keys of a partition one after the other, the running sum rescaled whenever the maximum grows.
// A state is the maximum, the total and the sums.
static void attend(const apus_attention *task, const apus_attention_tile *tile, size_t token, size_t head,
                   size_t partition, float *state) {
    const size_t width = task->head_dim, context = (size_t)task->positions[token] + 1;
    const int32_t *table = task->block_tables + (size_t)task->sequence[token] * task->table_stride;
    const float *q = task->q + (token * task->heads + head) * width;
    const size_t start = partition * APUS_KV_PARTITION, end = start + APUS_KV_PARTITION;
    const size_t own = apus_first_key(task, token), first = own > start ? own : start;
    state[0] = -INFINITY;
    for (size_t i = 0; i < 1 + width; i++) state[1 + i] = 0;
    for (size_t key = first; key < end && key < context; key++) {
        const size_t block = tile->kv_head * task->blocks + (size_t)table[key / APUS_KV_BLOCK];
        const size_t offset = key % APUS_KV_BLOCK;
        float score = 0;
        for (size_t i = 0; i < width; i++) score += q[i] * key_element(task, block, offset, i);
        score *= task->scale;
        if (task->soft_cap > 0) score = task->soft_cap * tanhf(score / task->soft_cap);
        if (task->slopes) score += task->slopes[head] * ((float)key - (float)(context - 1));
        if (score > state[0]) rescale(state, width, score);
        const float weight = expf(score - state[0]);
        state[1] += weight;
        for (size_t i = 0; i < width; i++) state[2 + i] += weight * value_element(task, block, offset, i);
    }
}

static void merge_states(float *state, float *later, size_t width) {
    if (later[1] == 0) return; // the row ends before
    if (later[0] > state[0]) rescale(state, width, later[0]);
    rescale(later, width, state[0]);
    for (size_t i = 1; i < 2 + width; i++) state[i] += later[i];
}

static void write_result(const apus_attention *task, size_t token, size_t head, float *state) {
    float *y = task->y + (token * task->heads + head) * task->head_dim;
    if (task->sinks) {
        const float sink = task->sinks[head];
        if (sink > state[0]) rescale(state, task->head_dim, sink);
        state[1] += expf(sink - state[0]);
    }
    for (size_t i = 0; i < task->head_dim; i++) y[i] = state[2 + i] / state[1];
}

// The first partition of a tile that a token sees keys of.
static size_t first_partition(const apus_attention *task, const apus_attention_tile *tile, size_t token) {
    const size_t own = apus_first_key(task, token) / APUS_KV_PARTITION;
    return own > tile->first ? own : tile->first;
}

static void attention(const apus_attention *task, const apus_attention_tile *tile) {
    const size_t group = task->heads / task->kv_heads, width = task->head_dim, rows = tile->tokens * group;
    for (size_t row = 0; row < rows; row++) {
        const size_t token = tile->token + row / group, head = tile->kv_head * group + row % group;
        const size_t first = first_partition(task, tile, token);
        float *total = (float *)tile->scratch, *other = total + 2 + width;
        for (size_t partition = first; partition < tile->end; partition++) {
            if (tile->states) {
                float *states = tile->states + (partition - tile->first) * apus_attention_state(rows, width);
                attend(task, tile, token, head, partition, states + row * (2 + width));
            } else {
                attend(task, tile, token, head, partition, partition == first ? total : other);
                if (partition > first) merge_states(total, other, width);
            }
        }
        if (!tile->states) write_result(task, token, head, total);
    }
}

static void merge_attention(const apus_attention *task, const apus_attention_tile *tile) {
    const size_t group = task->heads / task->kv_heads, width = task->head_dim, rows = tile->tokens * group;
    for (size_t row = 0; row < rows; row++) {
        const size_t token = tile->token + row / group, size = apus_attention_state(rows, width);
        const size_t first = first_partition(task, tile, token);
        float *state = tile->states + (first - tile->first) * size + row * (2 + width);
        for (size_t index = 1; index < tile->end - first; index++) merge_states(state, state + index * size, width);
        write_result(task, token, tile->kv_head * group + row % group, state);
    }
}

static void convolve(const apus_convolution *task, size_t first, size_t end) {
    const size_t before = task->taps - 1;
    for (size_t c = first; c < end; c++) {
        float *state = task->state + c;
        for (size_t j = 0; task->begins && j < before; j++) state[j * task->channels] = 0;
        for (size_t t = 0; t < task->tokens; t++) {
            const float x = task->x[t * task->channels + c];
            float sum = 0;
            for (size_t j = 0; j < before; j++) sum += task->weight[j * task->channels + c] * state[j * task->channels];
            sum += task->weight[before * task->channels + c] * x;
            if (task->bias) sum += task->bias[c];
            task->y[t * task->channels + c] = task->has_silu ? activated(APUS_SILU, sum) : sum;
            for (size_t j = 0; j + 1 < before; j++) state[j * task->channels] = state[(j + 1) * task->channels];
            if (before > 0) state[(before - 1) * task->channels] = x;
        }
    }
}

// x / sqrt(sum(x^2) + 1e-6) * scale
static void normalize_length(const float *x, float scale, size_t count, float *y) {
    float squares = 0;
    for (size_t i = 0; i < count; i++) squares += x[i] * x[i];
    for (size_t i = 0; i < count; i++) y[i] = x[i] * (scale / sqrtf(squares + 1e-6f));
}

static void delta_scan(const apus_delta *task, size_t head) {
    const size_t rows = task->key_dim, width = task->value_dim, keys = task->key_heads * rows;
    const size_t values = task->value_heads * width, key_head = head / (task->value_heads / task->key_heads);
    float *state = task->state + head * rows * width, *k = task->scratch, *q = task->scratch + rows;
    for (size_t i = 0; task->begins && i < rows * width; i++) state[i] = 0;
    for (size_t t = 0; t < task->tokens; t++) {
        const float *mixed = task->mixed + t * (2 * keys + values), *v = mixed + 2 * keys + head * width;
        normalize_length(mixed + key_head * rows, 1 / sqrtf((float)rows), rows, q);
        normalize_length(mixed + keys + key_head * rows, 1, rows, k);
        const float a = task->a[t * task->value_heads + head] + task->offset[head];
        const float decay = expf(task->decay[head] * (a > 20 ? a : log1pf(expf(a))));
        const float beta = 1 / (1 + expf(-task->b[t * task->value_heads + head]));
        float *o = task->y + t * values + head * width;
        for (size_t c = 0; c < width; c++) {
            float memory = 0;
            for (size_t i = 0; i < rows; i++) memory += (state[i * width + c] *= decay) * k[i];
            memory = (v[c] - memory) * beta;
            o[c] = 0;
            for (size_t i = 0; i < rows; i++) o[c] += (state[i * width + c] += memory * k[i]) * q[i];
        }
        const apus_norm norm = {.weight = task->norm, .epsilon = task->epsilon};
        const struct row_norm row = measure(&norm, o, width);
        const float *z = task->z + t * values + head * width;
        for (size_t i = 0; i < width; i++) o[i] = normed(&norm, row, o[i], i) * activated(APUS_SILU, z[i]);
    }
}

static int32_t argmax(const float *x, size_t count) {
    int32_t best = -1;
    for (size_t i = 0; i < count; i++) {
        if (!(x[i] < INFINITY)) return -1; // infinite or no number
        if (x[i] > (best < 0 ? -INFINITY : x[best])) best = (int32_t)i;
    }
    return best;
}

const apus_kernels apus_kernels_scalar = {
    .name = "scalar",
    .packed_bytes = packed_bytes,
    .pack_rows = pack_rows,
    .linear_scratch = linear_scratch,
    .linear = linear,
    .embedding = embedding,
    .rotary = rotary,
    .norm_rows = norm_rows,
    .soft_cap = soft_cap,
    .activate = activate,
    .gated_activation = gated_activation,
    .store_kv = apus_store_kv,
    .attention_rows = 1,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .merge_attention = merge_attention,
    .convolve = convolve,
    .delta_scan = delta_scan,
    .argmax = argmax,
};
