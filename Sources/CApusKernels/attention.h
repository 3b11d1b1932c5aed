// Attention over key-value blocks. A row is a query head of a token. Each partition of its keys is summed up on its
// own, all of its scores first; partitions are merged in order (Dao et al., arXiv 2205.14135, with long blocks). So
// what a row sees never depends on how its prompt was cut, on the rows beside it, or on the number of threads.
//
// The includer may define PAIR_PRODUCTS, a header with products of pairs of halves.
#include "kv_block.h"

// Query rows of a tile: enough to use what is loaded often, few enough for scores to stay in the second-level cache.
#define ATTENTION_ROWS 96
// Floats from one row's scores to the next's: a line more than there are, since rows a power of two apart would fall on
// the same few places of the first-level cache.
#define SCORE_STRIDE (APUS_KV_PARTITION + 16)
#define PARTITION_BLOCKS (APUS_KV_PARTITION / APUS_KV_BLOCK)
// Blocks that products take at a time: as many as stay in the first-level cache while all rows pass by.
#define BLOCK_RUN 8

#if LANES == 16
#define QUERY_TILE 12
#elif LANES == 8
#define QUERY_TILE 6
#else
#define QUERY_TILE 4
#endif
#define COLUMN_TILE 2

// A tile's place in the calling thread's scratch memory.
struct attention_work {
    const apus_attention *task;
    const apus_attention_tile *tile;
    size_t rows, group, width; // width: head_dim, padded
    size_t context;            // keys that the tile's first token sees
    void *queries;             // [capacity, width] floats or halves
    float *scores;             // [capacity, SCORE_STRIDE]; weights take their place, as floats or halves
    float *states[2];          // of apus_attention_state() floats
    void *rest;                // a block: values of tokens that a row sees, zeros for others
    uint16_t *wide;            // [BLOCK_RUN, APUS_KV_BLOCK, width]: bytes as halves
    float *key_scales, *value_scales; // [APUS_KV_PARTITION]
};

// Keys or values of `count` of a partition's blocks, from block `first` on, and what will be needed next.
struct blocks {
    size_t first, count;
    const void *at[BLOCK_RUN], *ahead[BLOCK_RUN];
};

// What a tile of attention_product.h works on: `steps` in each of some blocks, `step_bytes` apart.
struct block_product {
    const void *x;
    const uint8_t *at[BLOCK_RUN][COLUMN_TILE], *ahead[BLOCK_RUN][COLUMN_TILE];
    float *y;
    size_t x_stride, y_stride, blocks, steps, step_bytes;
    bool accumulate;
};

// Keys of a partition that a token of the tile sees.
INLINE size_t valid_keys(const struct attention_work *work, size_t partition, size_t token) {
    const size_t context = work->context + token, start = partition * APUS_KV_PARTITION;
    if (context <= start) return 0;
    return context - start < APUS_KV_PARTITION ? context - start : APUS_KV_PARTITION;
}

#ifdef PAIR_PRODUCTS
#define STORE_HALVES(p, v) store_halves(p, v)
#else
#define STORE_HALVES(p, v) ((void)(p), (void)(v))
#endif
#include "attention_softmax.h"

#define SUFFIX f32
#define X float
#define STEP_X 1
#define WV vfloat
#define LOAD_W LOAD_FLOATS
#define XV vfloat
#define LOAD_X SPLAT_X
#define PARTS 1
#define DOT MULTIPLY_ADD
#include "attention_product.h"

#ifdef PAIR_PRODUCTS
#define PAIRS 1
#include PAIR_PRODUCTS
#else
#define PAIRS 0
#define SUFFIX bf16
#define X float
#define STEP_X 2
#define WV vfloat
#define LOAD_W load_half
#define XV vfloat
#define LOAD_X SPLAT_X
#define PARTS 2
#define DOT MULTIPLY_ADD
#include "attention_product.h"
#endif

#ifndef BEGIN_PRODUCTS
#define BEGIN_PRODUCTS(work) ((void)(work))
#define END_PRODUCTS() ((void)0)
#endif

#include "attention_work.h"
#include "attention_blocks.h"

static void add_values(const struct attention_work *work, const struct blocks *values, size_t token, size_t tokens,
                       float *sums) {
    if (work->task->cache_type == APUS_F32) {
        add_values_f32(work, values, token * work->group, tokens * work->group, sums);
    } else {
        add_values_bf16(work, values, token * work->group, tokens * work->group, sums);
    }
}

// Adds the values of blocks that not all tokens see entirely: whole ones for all tokens that end in the same block, and
// to each token what it sees of that.
static void add_last_values(const struct attention_work *work, const struct blocks *values, size_t partition,
                            float *sums) {
    const bool halves = work->task->cache_type != APUS_F32;
    const size_t tokens = work->tile->tokens;
    for (size_t token = 0, end; token < tokens; token = end) {
        const size_t seen = valid_keys(work, partition, token) / APUS_KV_BLOCK;
        for (end = token + 1; end < tokens && valid_keys(work, partition, end) / APUS_KV_BLOCK == seen;) end++;
        struct blocks own = *values;
        own.count = seen > values->first ? seen - values->first : 0;
        if (own.count > 0) add_values(work, &own, token, end - token, sums);
        for (size_t each = token; each < end; each++) {
            const size_t valid = valid_keys(work, partition, each) % APUS_KV_BLOCK;
            if (valid == 0) continue;
            copy_values(values->at[seen - values->first], halves, work->width, valid, work->rest);
            const struct blocks rest = {.first = seen, .count = 1, .at = {work->rest}, .ahead = {work->rest}};
            add_values(work, &rest, each, 1, sums);
        }
    }
}

static void find_scores(const struct attention_work *work, size_t partition, size_t blocks) {
    for (size_t first = 0; first < blocks; first += BLOCK_RUN) {
        struct blocks keys;
        find_blocks(work, true, partition, first, blocks, &keys);
        if (work->task->cache_type == APUS_F32) {
            scores_f32(work, &keys);
            continue;
        }
        if (work->task->cache_type == APUS_I8) {
            read_scales(work, &keys, work->key_scales);
            widen_blocks(work, &keys);
        }
        scores_bf16(work, &keys);
    }
}

static void find_value_scales(const struct attention_work *work, size_t partition, size_t blocks) {
    for (size_t first = 0; first < blocks; first += BLOCK_RUN) {
        struct blocks values;
        find_blocks(work, false, partition, first, blocks, &values);
        read_scales(work, &values, work->value_scales);
    }
}

static void find_weights(const struct attention_work *work, size_t partition, const struct state *state) {
    const apus_dtype type = work->task->cache_type;
    for (size_t row = 0; row < work->rows; row++) {
        const size_t valid = valid_keys(work, partition, row / work->group);
        float *scores = work->scores + row * SCORE_STRIDE;
        if (valid == 0) continue;
        if (type == APUS_I8) {
            weigh_row(PAIRS, work->key_scales, work->value_scales, scores, valid, state, row);
        } else if (type == APUS_BF16 && PAIRS) {
            weigh_row(true, NULL, NULL, scores, valid, state, row);
        } else {
            weigh_row(false, NULL, NULL, scores, valid, state, row);
        }
    }
}

static void attend_partition(const struct attention_work *work, size_t partition, const struct state *state) {
    const size_t tokens = work->tile->tokens, common = valid_keys(work, partition, 0) / APUS_KV_BLOCK;
    const size_t blocks = (valid_keys(work, partition, tokens - 1) + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK;
    const bool bytes = work->task->cache_type == APUS_I8;
    find_scores(work, partition, blocks);
    if (bytes) find_value_scales(work, partition, blocks);
    find_weights(work, partition, state);
    memset(state->sums, 0, attention_capacity(work->rows) * work->width * sizeof(float));
    struct blocks values;
    for (size_t first = 0; first < common; first += BLOCK_RUN) {
        find_blocks(work, false, partition, first, common, &values);
        if (bytes) widen_blocks(work, &values);
        add_values(work, &values, 0, tokens, state->sums);
    }
    if (common == blocks) return;
    find_blocks(work, false, partition, common, blocks, &values);
    if (bytes) widen_blocks(work, &values);
    add_last_values(work, &values, partition, state->sums);
}

// Adds the sums of a partition for those rows that see keys of it.
static void merge_states(const struct attention_work *work, const struct state *state, const struct state *later,
                         size_t partition) {
    for (size_t row = 0; row < work->rows; row++) {
        if (valid_keys(work, partition, row / work->group) == 0) continue;
        merge_row(state, later, row, work->width);
    }
}

static void write_results(const struct attention_work *work, const struct state *state) {
    const apus_attention *task = work->task;
    for (size_t row = 0; row < work->rows; row++) {
        const size_t head = work->tile->kv_head * work->group + row % work->group;
        float *y = task->y + ((work->tile->token + row / work->group) * task->heads + head) * task->head_dim;
        const float *sums = state->sums + row * work->width, inverse = 1 / state->totals[row];
        for (size_t i = 0; i < task->head_dim; i++) y[i] = sums[i] * inverse;
    }
}

static struct attention_work attention_begin(const apus_attention *task, const apus_attention_tile *tile) {
    const size_t group = task->heads / task->kv_heads;
    size_t bytes;
    struct attention_work work = attention_layout(tile->tokens * group, task->head_dim, tile->scratch, &bytes);
    work.task = task;
    work.tile = tile;
    work.group = group;
    work.context = (size_t)task->positions[tile->token] + 1;
    return work;
}

static void attention(const apus_attention *task, const apus_attention_tile *tile) {
    struct attention_work work = attention_begin(task, tile);
    const size_t size = apus_attention_state(work.rows, task->head_dim);
    const bool pairs = PAIRS && task->cache_type != APUS_F32;
    pack_queries(&work, pairs);
    if (pairs) BEGIN_PRODUCTS(&work);
    const struct state total = state_at(work.states[0], work.rows);
    for (size_t partition = tile->first; partition < tile->end; partition++) {
        float *memory = tile->states ? tile->states + (partition - tile->first) * size
                                     : work.states[partition > tile->first];
        const struct state state = state_at(memory, work.rows);
        attend_partition(&work, partition, &state);
        if (!tile->states && partition > tile->first) merge_states(&work, &total, &state, partition);
    }
    if (pairs) END_PRODUCTS();
    if (!tile->states) write_results(&work, &total);
}

static void merge_attention(const apus_attention *task, const apus_attention_tile *tile) {
    struct attention_work work = attention_begin(task, tile);
    const size_t size = apus_attention_state(work.rows, task->head_dim);
    const struct state total = state_at(tile->states, work.rows);
    for (size_t partition = tile->first + 1; partition < tile->end; partition++) {
        const struct state state = state_at(tile->states + (partition - tile->first) * size, work.rows);
        merge_states(&work, &total, &state, partition);
    }
    write_results(&work, &total);
}
