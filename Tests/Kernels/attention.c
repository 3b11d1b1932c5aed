#include "checks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv_block.h"

typedef struct {
    apus_dtype type;
    size_t group, kv_heads, head_dim;
    size_t tokens, context; // the last tokens of one sequence
    size_t window;          // keys that each token sees, 0 for all
    bool is_bent;           // scores are capped and sloped, and a sink takes its share
} problem;

static size_t first_key(const problem *p, size_t position) {
    return p->window == 0 || position < p->window ? 0 : position + 1 - p->window;
}

// A cache whose other places hold what is no number, in blocks of a shuffled order.
static apus_attention store(const problem *p) {
    const size_t blocks = (p->context + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK, start = p->context - p->tokens;
    const size_t bytes = blocks * p->kv_heads * apus_kv_block_bytes(p->type, apus_kv_width(p->head_dim));
    const size_t count = p->context * p->kv_heads * p->head_dim;
    void *keys = guarded(bytes, 64), *values = guarded(bytes, 64);
    memset(keys, 0xff, bytes), memset(values, 0xff, bytes);
    int32_t *table = guarded(blocks * sizeof(int32_t), sizeof(int32_t));
    for (size_t i = 0; i < blocks; i++) table[i] = (int32_t)((i + blocks / 2) % blocks);
    int32_t *slots = guarded(p->context * sizeof(int32_t), sizeof(int32_t));
    for (size_t i = 0; i < p->context; i++) {
        slots[i] = table[i / APUS_KV_BLOCK] * APUS_KV_BLOCK + (int32_t)(i % APUS_KV_BLOCK);
    }
    float *k = random_floats(count, 1), *v = random_floats(count, 1);
    // What no token sees is no number either.
    for (size_t i = 0; i < first_key(p, start) * p->kv_heads * p->head_dim; i++) k[i] = v[i] = NAN;
    instruction_sets[0]->store_kv(k, v, keys, values, p->type, blocks, slots, p->context, p->kv_heads, p->head_dim);
    int32_t *positions = guarded(p->tokens * sizeof(int32_t), sizeof(int32_t));
    int32_t *first_keys = guarded(p->tokens * sizeof(int32_t), sizeof(int32_t));
    for (size_t i = 0; i < p->tokens; i++) {
        positions[i] = (int32_t)(start + i);
        first_keys[i] = (int32_t)first_key(p, start + i);
    }
    for (size_t i = 0; i < first_key(p, start) / APUS_KV_BLOCK; i++) table[i] = -1;
    const size_t heads = p->group * p->kv_heads;
    return (apus_attention){.q = random_floats(p->tokens * heads * p->head_dim, 1), .keys = keys, .values = values,
                            .blocks = blocks, .cache_type = p->type, .positions = positions,
                            .first_keys = p->window ? first_keys : NULL,
                            .sequence = guarded(p->tokens * sizeof(int32_t), sizeof(int32_t)), .block_tables = table,
                            .table_stride = blocks, .heads = heads, .kv_heads = p->kv_heads, .head_dim = p->head_dim,
                            .scale = p->is_bent ? 2 : 0.3f, .soft_cap = p->is_bent ? 3 : 0,
                            .slopes = p->is_bent ? random_floats(heads, 0.1f) : NULL,
                            .sinks = p->is_bent ? random_floats(heads, 4) : NULL};
}

// In tiles of up to `most` tokens. With `cuts`, each partition on its own, then merged.
static float *attend(const apus_kernels *kernels, const problem *p, apus_attention task, size_t most, bool cuts) {
    task.y = guarded_floats(p->tokens * task.heads * p->head_dim);
    for (size_t token = 0; token < p->tokens; token += most) {
        const size_t tokens = p->tokens - token < most ? p->tokens - token : most, rows = tokens * p->group;
        const size_t position = p->context - p->tokens + token;
        apus_attention_tile tile = {.token = token, .tokens = tokens,
                                    .first = first_key(p, position) / APUS_KV_PARTITION,
                                    .end = (position + tokens + APUS_KV_PARTITION - 1) / APUS_KV_PARTITION};
        tile.scratch = guarded(kernels->attention_scratch(rows, p->head_dim), 64);
        const size_t size = apus_attention_state(rows, p->head_dim);
        float *states = cuts ? guarded((tile.end - tile.first) * size * sizeof(float), 64) : NULL;
        for (tile.kv_head = 0; tile.kv_head < p->kv_heads; tile.kv_head++) {
            if (!cuts) {
                kernels->attention(&task, &tile);
                continue;
            }
            apus_attention_tile part = tile;
            for (part.first = tile.first; part.first < tile.end; part.first++) {
                part.end = part.first + 1;
                part.states = states + (part.first - tile.first) * size;
                kernels->attention(&task, &part);
            }
            part = tile;
            part.states = states;
            kernels->merge_attention(&task, &part);
        }
    }
    return task.y;
}

static void check(const problem *p) {
    const apus_attention task = store(p);
    const size_t count = p->tokens * task.heads * p->head_dim;
    const float *expected = attend(instruction_sets[0], p, task, 1, false);
    for (size_t set = 0; set < instruction_set_count; set++) {
        const apus_kernels *kernels = instruction_sets[set];
        size_t most = kernels->attention_rows / p->group;
        if (most == 0) most = 1;
        const float *got = attend(kernels, p, task, most, false);
        const float *cut = attend(kernels, p, task, most < 3 ? most : 3, true);
        char what[160];
        snprintf(what, sizeof what, "%s: type %d, %zu x %zu heads of %zu, tokens %zu of %zu, window %zu", kernels->name,
                 p->type, p->kv_heads, p->group, p->head_dim, p->tokens, p->context, p->window);
        const float tolerance = p->type != APUS_F32 && multiplies_pairs(set) ? (p->is_bent ? 0.1f : 0.03f) : 2e-5f;
        require_near(expected, got, count, tolerance, what);
        require(memcmp(got, cut, count * sizeof(float)) == 0, "%s: other bits when it is cut", what);
    }
    release_guarded();
}

void check_attention(void) {
    static const apus_dtype types[] = {APUS_F32, APUS_BF16, APUS_I8};
    static const size_t windows[] = {0, 1, 7, 16, 33};
    for (size_t type = 0; type < 3; type++) {
        // Heads of every kind of size, groups of every size, contexts around blocks and the first of all tokens.
        for (size_t head_dim = 2; head_dim <= 130; head_dim += 3) {
            for (size_t group = 1; group <= 8; group++) {
                const size_t tokens = 1 + (head_dim + group * 5) % 20;
                check(&(problem){.type = types[type], .group = group, .kv_heads = 1 + group % 2, .head_dim = head_dim,
                                 .tokens = tokens, .context = tokens + head_dim % 3 * 15,
                                 .window = windows[(head_dim + group) % 5], .is_bent = head_dim % 4 == 2});
            }
        }
        // Over the end of a partition.
        for (size_t window = 0; window < 5; window++) {
            for (size_t context = 510; context < 540; context += 9) {
                check(&(problem){.type = types[type], .group = 1 + context % 3, .kv_heads = 1, .head_dim = 20,
                                 .tokens = 20, .context = context, .window = windows[window],
                                 .is_bent = context % 2 == 0});
            }
        }
        check(&(problem){.type = types[type], .group = 2, .kv_heads = 1, .head_dim = 8, .tokens = 5, .context = 1100,
                         .window = 513});
    }
}
