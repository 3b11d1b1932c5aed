// Writing keys and values into the cache.
#include "half.h"
#include "kv_block.h"
#include "tables.h"

#include <math.h>

// The step of bytes that reach the largest of `count` values; not a number if one of them is none.
static float byte_scale(const float *x, size_t count) {
    float largest = 0, nothing = 0;
    for (size_t i = 0; i < count; i++) {
        const float magnitude = fabsf(x[i]);
        largest = magnitude > largest ? magnitude : largest;
        nothing += x[i] * 0;
    }
    return largest / 127 + nothing;
}

static int8_t byte_of(float value) {
    if (!(value > -127)) return -127;
    return (int8_t)rintf(value < 127 ? value : 127);
}

// Writes one token's row into its place: element i goes to `first + i / 2 * pair + i % 2 * second`.
static void store_row(const float *x, size_t head_dim, size_t width, void *block, apus_dtype type, size_t token,
                      size_t first, size_t pair, size_t second) {
    float inverse = 0;
    if (type == APUS_I8) {
        const float scale = byte_scale(x, head_dim);
        apus_kv_scales(block, width)[token] = scale;
        inverse = scale > 0 ? 1 / scale : 0;
    }
    for (size_t i = 0; i < width; i++) {
        const float value = i < head_dim ? x[i] : 0;
        const size_t index = first + i / 2 * pair + i % 2 * second;
        switch (type) {
        case APUS_F32: ((float *)block)[index] = value; break;
        case APUS_BF16: ((uint16_t *)block)[index] = apus_bf16_of_float(value); break;
        default: ((int8_t *)block)[index] = byte_of(value * inverse); break;
        }
    }
}

void apus_store_kv(const float *k, const float *v, void *keys, void *values, apus_dtype type, size_t blocks,
                   const int32_t *slots, size_t tokens, size_t kv_heads, size_t head_dim) {
    const size_t width = apus_kv_width(head_dim), bytes = apus_kv_block_bytes(type, width);
    for (size_t row = 0; row < tokens; row++) {
        const size_t block = (size_t)slots[row] / APUS_KV_BLOCK, token = (size_t)slots[row] % APUS_KV_BLOCK;
        for (size_t head = 0; head < kv_heads; head++, k += head_dim, v += head_dim) {
            const size_t start = (head * blocks + block) * bytes;
            const size_t key = apus_key_index(type, token, 0), value = apus_value_index(type, width, token, 0);
            store_row(k, head_dim, width, (uint8_t *)keys + start, type, token, key,
                      apus_key_index(type, token, 2) - key, apus_key_index(type, token, 1) - key);
            store_row(v, head_dim, width, (uint8_t *)values + start, type, token, value,
                      apus_value_index(type, width, token, 2) - value, apus_value_index(type, width, token, 1) - value);
        }
    }
}

size_t apus_kv_bytes(apus_dtype cache_type, size_t head_dim) {
    return apus_kv_block_bytes(cache_type, apus_kv_width(head_dim));
}

size_t apus_attention_state(size_t rows, size_t head_dim) {
    return (rows + 15) / 16 * 16 * (2 + apus_kv_width(head_dim));
}
