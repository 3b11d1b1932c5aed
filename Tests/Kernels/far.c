#define _GNU_SOURCE
#include "checks.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kv_block.h"

// Addresses without memory behind them until they are touched.
static uint8_t *reserve(size_t bytes) {
    uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(p != MAP_FAILED, "the machine refuses %zu bytes of addresses", bytes);
    return p;
}

static const size_t far = (size_t)1 << 31;

static void check_embedding(const apus_kernels *kernels, apus_dtype type) {
    const size_t width = 65537, token = far / width + 100, size = type == APUS_F32 ? 4 : 2;
    const size_t bytes = (token + 1) * width * size;
    uint8_t *table = reserve(bytes);
    float *values = random_floats(width, 1), *got = guarded_floats(width);
    apus_convert(values, APUS_F32, table + token * width * size, type, width);
    const int32_t tokens[] = {(int32_t)token};
    kernels->embedding(table, type, width, tokens, 1, got);
    require_near(values, got, width, 0x1p-8f, "far embedding");
    munmap(table, bytes);
    release_guarded();
}

// A block whose elements are further away than 32 bits count, and one in the second head of as many.
static void check_cache(const apus_kernels *kernels, apus_dtype type) {
    const size_t head_dim = 128, kv_heads = 2, tokens = 5, blocks = far / (APUS_KV_BLOCK * head_dim) + 3;
    const size_t bytes = blocks * kv_heads * apus_kv_block_bytes(type, apus_kv_width(head_dim));
    uint8_t *keys = reserve(bytes), *values = reserve(bytes);
    float *k = random_floats(tokens * kv_heads * head_dim, 1), *v = random_floats(tokens * kv_heads * head_dim, 1);
    float *q = random_floats(tokens * kv_heads * head_dim, 1), *results[2];
    int32_t positions[5] = {0, 1, 2, 3, 4}, sequence[5] = {0}, slots[5];
    void *scratch = guarded(kernels->attention_scratch(tokens, head_dim), 64);
    for (int place = 0; place < 2; place++) {
        const int32_t table[] = {place == 0 ? 1 : (int32_t)blocks - 1};
        for (int32_t i = 0; i < 5; i++) slots[i] = table[0] * APUS_KV_BLOCK + i;
        kernels->store_kv(k, v, keys, values, type, blocks, slots, tokens, kv_heads, head_dim);
        results[place] = guarded_floats(tokens * kv_heads * head_dim);
        const apus_attention task = {.q = q, .keys = keys, .values = values, .blocks = blocks, .cache_type = type,
                                     .positions = positions, .sequence = sequence, .block_tables = table,
                                     .table_stride = 1, .heads = kv_heads, .kv_heads = kv_heads, .head_dim = head_dim,
                                     .scale = 0.1f, .y = results[place]};
        for (size_t token = 0; token < tokens; token++) {
            for (size_t head = 0; head < kv_heads; head++) {
                const apus_attention_tile tile = {.token = token, .tokens = 1, .kv_head = head, .end = 1,
                                                  .scratch = scratch};
                kernels->attention(&task, &tile);
            }
        }
    }
    require(memcmp(results[0], results[1], tokens * kv_heads * head_dim * sizeof(float)) == 0,
            "%s: a far block gives other bits", kernels->name);
    munmap(keys, bytes), munmap(values, bytes);
    release_guarded();
}

// The last panel of many, into the last of rows that are far apart.
static void check_product(const apus_kernels *kernels, apus_dtype type) {
    const size_t inputs = 256, rows = 3, stride = far / 2 + 16, bytes = apus_panel_bytes(type, inputs);
    const size_t panel = far / bytes + 2, outputs = (panel + 1) * APUS_PANEL;
    const apus_matrix matrix = {.rows = random_floats(APUS_PANEL * inputs, 1), .outputs = APUS_PANEL, .inputs = inputs,
                                .type = APUS_F32};
    uint8_t *panels = reserve((panel + 1) * bytes);
    float *y = (float *)(void *)reserve(((rows - 1) * stride + outputs) * sizeof(float));
    apus_pack_panel(&matrix, type, 0, panels + panel * bytes);
    apus_activations activations = {.x = random_floats(rows * inputs, 1), .rows = rows, .inputs = inputs, .type = type};
    activations.packed = guarded(kernels->packed_bytes(type, rows, inputs), 64);
    kernels->pack_rows(&activations, 0, rows);
    apus_linear task = {.panels = panels, .type = type, .packed = activations.packed, .y = y, .y_stride = stride,
                        .rows = rows, .inputs = inputs, .outputs = outputs, .scale = 1};
    task.scratch = guarded(kernels->linear_scratch(type, inputs), 64);
    kernels->linear(&task, panel, panel + 1);
    float *near = guarded_floats(rows * APUS_PANEL);
    task.panels = panels + panel * bytes, task.y = near, task.y_stride = task.outputs = APUS_PANEL;
    kernels->linear(&task, 0, 1);
    for (size_t row = 0; row < rows; row++) {
        require(near[row * APUS_PANEL] != 0 && memcmp(near + row * APUS_PANEL, y + row * stride + panel * APUS_PANEL,
                                                      APUS_PANEL * sizeof(float)) == 0,
                "%s: far products of type %d have other bits", kernels->name, type);
    }
    munmap(panels, (panel + 1) * bytes), munmap(y, ((rows - 1) * stride + outputs) * sizeof(float));
    release_guarded();
}

void check_far_places(void) {
    for (size_t set = 0; set < instruction_set_count; set++) {
        const apus_kernels *kernels = instruction_sets[set];
        for (int type = 0; type < 3; type++) check_embedding(kernels, (apus_dtype)type);
        check_cache(kernels, APUS_F32);
        check_cache(kernels, APUS_BF16);
        check_cache(kernels, APUS_I8);
        for (int type = 0; type < 5; type++) check_product(kernels, (apus_dtype)type);
    }
}
