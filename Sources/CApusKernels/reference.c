// The scalar reference: the definition of every operation, written to be read.
#include "apus_kernels.h"
#include "half.h"
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

static void store(void *target, apus_dtype type, size_t index, float value) {
    if (type == APUS_BF16) {
        ((uint16_t *)target)[index] = apus_bf16_of_float(value);
    } else {
        ((float *)target)[index] = value;
    }
}

// Activations as products take them: through the norm, and for integer matrices rounded to 8 bits.
// Float: [rows, inputs]. Integer: scales [rows], then int8 [rows, inputs].
static bool is_integer(apus_dtype type) { return type == APUS_I8 || type == APUS_I4; }

static size_t packed_bytes(apus_dtype type, size_t rows, size_t inputs) {
    return rows * (is_integer(type) ? sizeof(float) + inputs : inputs * sizeof(float));
}

static void pack_rows(const apus_activations *task, size_t first, size_t end) {
    const size_t inputs = task->inputs;
    for (size_t row = first; row < end; row++) {
        const float *x = task->x + row * inputs;
        float sum = 0, largest = 0, nothing = 0;
        for (size_t i = 0; i < inputs; i++) sum += x[i] * x[i];
        const float scale = 1 / sqrtf(sum / (float)inputs + task->epsilon);
        for (size_t i = 0; i < inputs; i++) {
            float value = task->norm_weight ? x[i] * scale * task->norm_weight[i] : x[i];
            if (!is_integer(task->type)) ((float *)task->packed)[row * inputs + i] = value;
            largest = fmaxf(largest, fabsf(value));
            nothing += value * 0;
        }
        if (!is_integer(task->type)) continue;
        ((float *)task->packed)[row] = largest / 127 + nothing;
        int8_t *packed = (int8_t *)((float *)task->packed + task->rows) + row * inputs;
        const float inverse = largest > 0 ? 127 / largest : 0;
        for (size_t i = 0; i < inputs; i++) {
            float value = task->norm_weight ? x[i] * scale * task->norm_weight[i] : x[i];
            packed[i] = (int8_t)rintf(fminf(fmaxf(value * inverse, -127), 127));
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
    const size_t padded = apus_panel_inputs(APUS_I4, task->inputs);
    const uint8_t halves = panel[(input / 8 * APUS_PANEL + output) * 4 + input % 4];
    const int32_t multiplier = apus_panel_multipliers(panel, padded)[input / APUS_GROUP * APUS_PANEL + output];
    return ((input % 8 < 4 ? halves & 15 : halves >> 4) - 8) * multiplier;
}

static float product(const apus_linear *task, const uint8_t *panel, size_t row, size_t output) {
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
    const size_t stride = apus_panel_bytes(task->type, task->inputs);
    for (size_t row = 0; row < task->rows; row++) {
        for (size_t output = first * APUS_PANEL; output < end * APUS_PANEL && output < task->outputs; output++) {
            const uint8_t *panel = (const uint8_t *)task->panels + output / APUS_PANEL * stride;
            float value = product(task, panel, row, output % APUS_PANEL);
            if (task->bias) value += task->bias[output];
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

static void rms_norm(const float *x, const float *weight, float epsilon, size_t rows, size_t width, float *y) {
    for (size_t row = 0; row < rows; row++) {
        float sum = 0;
        for (size_t i = 0; i < width; i++) sum += x[row * width + i] * x[row * width + i];
        float scale = 1 / sqrtf(sum / (float)width + epsilon);
        for (size_t i = 0; i < width; i++) y[row * width + i] = x[row * width + i] * scale * weight[i];
    }
}

static void rotary(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim) {
    size_t half = head_dim / 2;
    for (size_t row = 0; row < rows; row++) {
        const float *cosine = cos_sin + row * head_dim, *sine = cosine + half;
        for (size_t head = 0; head < heads; head++, x += head_dim) {
            for (size_t i = 0; i < half; i++) {
                float low = x[i], high = x[i + half];
                x[i] = low * cosine[i] - high * sine[i];
                x[i + half] = high * cosine[i] + low * sine[i];
            }
        }
    }
}

float apus_activate(apus_activation activation, float x) {
    switch (activation) {
    case APUS_SILU: return x / (1 + expf(-x));
    case APUS_GELU: return 0.5f * x * (1 + erff(x * 0.70710678118654752f));
    case APUS_GELU_TANH: return 0.5f * x * (1 + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case APUS_RELU: return x > 0 ? x : 0;
    }
    return x;
}

static void gated_activation(apus_activation activation, float *gate, const float *up, size_t count) {
    for (size_t i = 0; i < count; i++) gate[i] = apus_activate(activation, gate[i]) * up[i];
}

void apus_store_kv(const float *k, const float *v, void *keys, void *values, apus_dtype cache_type,
                   const int32_t *slots, size_t tokens, size_t kv_heads, size_t head_dim) {
    for (size_t token = 0; token < tokens; token++) {
        size_t block = (size_t)slots[token] / APUS_KV_BLOCK, offset = (size_t)slots[token] % APUS_KV_BLOCK;
        for (size_t head = 0; head < kv_heads; head++, k += head_dim, v += head_dim) {
            size_t start = (block * kv_heads + head) * head_dim * APUS_KV_BLOCK;
            for (size_t i = 0; i < head_dim; i++) {
                store(keys, cache_type, start + i * APUS_KV_BLOCK + offset, k[i]);
                store(values, cache_type, start + offset * head_dim + i, v[i]);
            }
        }
    }
}

static size_t attention_scratch(size_t heads_per_kv_head, size_t head_dim) {
    (void)heads_per_kv_head;
    return head_dim;
}

// Softmax over the keys one after the other, the running sum rescaled whenever the maximum grows.
static void attention(const apus_attention *task, size_t token, size_t kv_head) {
    size_t group = task->heads / task->kv_heads, width = task->head_dim;
    size_t context = (size_t)task->positions[token] + 1;
    const int32_t *table = task->block_tables + (size_t)task->sequence[token] * task->table_stride;
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++) {
        const float *q = task->q + (token * task->heads + head) * width;
        float *y = task->y + (token * task->heads + head) * width;
        float maximum = -INFINITY, total = 0;
        for (size_t i = 0; i < width; i++) task->scratch[i] = 0;
        for (size_t key = 0; key < context; key++) {
            size_t block = (size_t)table[key / APUS_KV_BLOCK], offset = key % APUS_KV_BLOCK;
            size_t start = (block * task->kv_heads + kv_head) * width * APUS_KV_BLOCK;
            float score = 0;
            for (size_t i = 0; i < width; i++) {
                score += q[i] * element(task->keys, task->cache_type, start + i * APUS_KV_BLOCK + offset);
            }
            score *= task->scale;
            if (score > maximum) {
                float shrink = expf(maximum - score);
                total *= shrink;
                for (size_t i = 0; i < width; i++) task->scratch[i] *= shrink;
                maximum = score;
            }
            float weight = expf(score - maximum);
            total += weight;
            for (size_t i = 0; i < width; i++) {
                task->scratch[i] += weight * element(task->values, task->cache_type, start + offset * width + i);
            }
        }
        for (size_t i = 0; i < width; i++) y[i] = task->scratch[i] / total;
    }
}

static int32_t argmax(const float *x, size_t count) {
    int32_t best = -1;
    for (size_t i = 0; i < count; i++) {
        if (best < 0 ? x[i] == x[i] : x[i] > x[best]) best = (int32_t)i;
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
    .rms_norm = rms_norm,
    .rotary = rotary,
    .gated_activation = gated_activation,
    .store_kv = apus_store_kv,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .argmax = argmax,
};
