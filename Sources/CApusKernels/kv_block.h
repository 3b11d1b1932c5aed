// Where keys and values of one key-value head lie in a block of APUS_KV_BLOCK tokens.
//
// A block's head is APUS_KV_BLOCK rows of head_dim elements, padded with zeros to a multiple of 16. Keys stand side by
// side, so that a vector holds one element of each; values one below the other. Halves and bytes lie in pairs of what
// is added up, as products of pairs take them. The blocks of a head follow each other, so that a sequence whose blocks
// do is read in one stream.
//
//            keys                       values
// float32    [head_dim][16]             [16][head_dim]
// bfloat16   [head_dim / 2][16][2]      [16 / 2][head_dim][2]
// int8       as bfloat16, then a float32 scale for each of the 16 tokens
#ifndef APUS_KV_BLOCK_H
#define APUS_KV_BLOCK_H

#include "apus_kernels.h"

// Elements of a row of a block.
static inline size_t apus_kv_width(size_t head_dim) { return (head_dim + 15) / 16 * 16; }

// Bytes of a block of one head, keys or values.
static inline size_t apus_kv_block_bytes(apus_dtype type, size_t width) {
    switch (type) {
    case APUS_F32: return APUS_KV_BLOCK * width * 4;
    case APUS_BF16: return APUS_KV_BLOCK * width * 2;
    default: return APUS_KV_BLOCK * (width + sizeof(float));
    }
}

static inline size_t apus_key_index(apus_dtype type, size_t token, size_t i) {
    return type == APUS_F32 ? i * APUS_KV_BLOCK + token : (i / 2 * APUS_KV_BLOCK + token) * 2 + i % 2;
}

static inline size_t apus_value_index(apus_dtype type, size_t width, size_t token, size_t i) {
    return type == APUS_F32 ? token * width + i : (token / 2 * width + i) * 2 + token % 2;
}

// The scales of a block of bytes.
static inline float *apus_kv_scales(const void *block, size_t width) {
    return (float *)(void *)((uint8_t *)block + APUS_KV_BLOCK * width);
}

#endif
