// Attention over key-value blocks. A row is a query head of a token. Each partition of its keys is summed up on its
// own, all of its scores first; partitions are merged in order (Dao et al., arXiv 2205.14135, with long blocks). So
// what a row sees never depends on how its prompt was cut, on the rows beside it, or on the number of threads.
//
// The includer may define PAIR_PRODUCTS, a header with products of pairs of halves.
#include "kv_block.h"

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

_Static_assert(APUS_KV_PARTITION % APUS_KV_BLOCK == 0, "partitions are whole blocks");
_Static_assert(APUS_KV_BLOCK % LANES == 0 && APUS_KV_BLOCK % 2 == 0, "blocks are whole vectors and pairs");
_Static_assert(ATTENTION_ROWS % 16 == 0, "states and tile registers hold rows in sixteens");

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

// Keys or blocks [first, end) of a partition; none if end is 0.
struct span {
    size_t first, end;
};

// The first key that a token of the tile sees.
INLINE size_t first_key(const struct attention_work *work, size_t token) {
    return apus_first_key(work->task, work->tile->token + token);
}

// Keys of a partition that a token of the tile sees.
INLINE struct span seen_keys(const struct attention_work *work, size_t partition, size_t token) {
    const size_t context = work->context + token, start = partition * APUS_KV_PARTITION;
    const size_t first = first_key(work, token);
    if (context <= start || first >= start + APUS_KV_PARTITION) return (struct span){0, 0};
    return (struct span){.first = first > start ? first - start : 0,
                         .end = context - start < APUS_KV_PARTITION ? context - start : APUS_KV_PARTITION};
}

INLINE bool same(struct span a, struct span b) { return a.first == b.first && a.end == b.end; }

// Blocks [first, end) of a partition of which a token sees every key.
INLINE struct span whole_blocks(struct span seen) {
    return (struct span){.first = (seen.first + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK, .end = seen.end / APUS_KV_BLOCK};
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

// Adds the values of a block that a token sees only some of, if it is among these.
static void add_some_values(const struct attention_work *work, const struct blocks *values, size_t block, size_t token,
                            struct span seen, float *sums) {
    if (block < values->first || block >= values->first + values->count) return;
    const size_t start = block * APUS_KV_BLOCK;
    const size_t first = seen.first > start ? seen.first - start : 0;
    const size_t end = seen.end - start < APUS_KV_BLOCK ? seen.end - start : APUS_KV_BLOCK;
    copy_values(values->at[block - values->first], work->task->cache_type != APUS_F32, work->width, first, end,
                work->rest);
    const struct blocks rest = {.first = block, .count = 1, .at = {work->rest}, .ahead = {work->rest}};
    add_values(work, &rest, token, 1, sums);
}

// Adds the values of blocks that not all tokens see entirely: whole ones for all tokens that see the same of those, and to
// each token what it sees of the blocks where its keys begin and end. Block after block for each of them.
static void add_edge_values(const struct attention_work *work, const struct blocks *values, size_t partition,
                            float *sums) {
    const size_t tokens = work->tile->tokens;
    const bool begins_late = work->task->first_keys || work->task->window;
    for (size_t token = 0, end; token < tokens; token = end) {
        const struct span whole = whole_blocks(seen_keys(work, partition, token));
        for (end = token + 1; end < tokens && same(whole_blocks(seen_keys(work, partition, end)), whole);) end++;
        for (size_t each = token; begins_late && each < end; each++) {
            const struct span seen = seen_keys(work, partition, each);
            if (seen.first % APUS_KV_BLOCK == 0) continue;
            add_some_values(work, values, seen.first / APUS_KV_BLOCK, each, seen, sums);
        }
        const size_t skipped = whole.first > values->first ? whole.first - values->first : 0;
        const size_t reached = whole.end > values->first ? whole.end - values->first : 0;
        struct blocks own = *values;
        own.first += skipped;
        own.count = reached < values->count ? reached : values->count;
        if (own.count > skipped) {
            own.count -= skipped;
            for (size_t i = 0; skipped > 0 && i < own.count; i++) {
                own.at[i] = values->at[skipped + i];
                own.ahead[i] = values->ahead[skipped + i];
            }
            add_values(work, &own, token, end - token, sums);
        }
        for (size_t each = token; each < end; each++) {
            const struct span seen = seen_keys(work, partition, each);
            const size_t block = seen.end / APUS_KV_BLOCK;
            if (seen.end % APUS_KV_BLOCK == 0) continue;
            if (seen.first % APUS_KV_BLOCK != 0 && seen.first / APUS_KV_BLOCK == block) continue; // added already
            add_some_values(work, values, block, each, seen, sums);
        }
    }
}

static void find_scores(const struct attention_work *work, size_t partition, struct span blocks) {
    for (size_t first = blocks.first; first < blocks.end; first += BLOCK_RUN) {
        struct blocks keys;
        find_blocks(work, true, partition, first, blocks.end, &keys);
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

static void find_value_scales(const struct attention_work *work, size_t partition, struct span blocks) {
    for (size_t first = blocks.first; first < blocks.end; first += BLOCK_RUN) {
        struct blocks values;
        find_blocks(work, false, partition, first, blocks.end, &values);
        read_scales(work, &values, work->value_scales);
    }
}

static size_t head_of(const struct attention_work *work, size_t row) {
    return work->tile->kv_head * work->group + row % work->group;
}

static void find_weights(const struct attention_work *work, size_t partition, const struct state *state) {
    const apus_attention *task = work->task;
    const apus_dtype type = task->cache_type;
    const bool is_bent = task->soft_cap > 0 || task->slopes;
    const float *key_scales = is_bent ? NULL : work->key_scales;
    for (size_t row = 0; row < work->rows; row++) {
        const size_t token = row / work->group;
        const struct span seen = seen_keys(work, partition, token);
        float *scores = work->scores + row * SCORE_STRIDE;
        if (seen.end == 0) continue;
        if (is_bent) {
            const struct bend bend = {.key_scales = type == APUS_I8 ? work->key_scales : NULL,
                                      .cap = task->soft_cap,
                                      .slope = task->slopes ? task->slopes[head_of(work, row)] : 0,
                                      .distance = (int)(partition * APUS_KV_PARTITION) - (int)(work->context + token - 1)};
            bend_scores(&bend, scores, seen);
        }
        if (type == APUS_I8) {
            weigh_row(PAIRS, key_scales, work->value_scales, scores, seen, state, row);
        } else if (type == APUS_BF16 && PAIRS) {
            weigh_row(true, NULL, NULL, scores, seen, state, row);
        } else {
            weigh_row(false, NULL, NULL, scores, seen, state, row);
        }
    }
}

// Blocks of a partition of which a token of the tile sees a key, and those of which all tokens see every key.
static void find_extent(const struct attention_work *work, size_t partition, struct span *all, struct span *common) {
    *all = (struct span){.first = PARTITION_BLOCKS, .end = 0};
    *common = (struct span){.first = 0, .end = PARTITION_BLOCKS};
    for (size_t token = 0; token < work->tile->tokens; token++) {
        const struct span seen = seen_keys(work, partition, token), whole = whole_blocks(seen);
        const size_t first = seen.first / APUS_KV_BLOCK, end = (seen.end + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK;
        if (whole.first > common->first) common->first = whole.first;
        if (whole.end < common->end) common->end = whole.end;
        if (seen.end == 0) continue;
        if (first < all->first) all->first = first;
        if (end > all->end) all->end = end;
    }
    if (common->first >= common->end) common->first = common->end = all->first;
}

static void add_all_edge_values(const struct attention_work *work, size_t partition, struct span blocks, float *sums) {
    for (size_t first = blocks.first; first < blocks.end; first += BLOCK_RUN) {
        struct blocks values;
        find_blocks(work, false, partition, first, blocks.end, &values);
        if (work->task->cache_type == APUS_I8) widen_blocks(work, &values);
        add_edge_values(work, &values, partition, sums);
    }
}

static void attend_partition(const struct attention_work *work, size_t partition, const struct state *state) {
    struct span all, common;
    find_extent(work, partition, &all, &common);
    const bool bytes = work->task->cache_type == APUS_I8;
    find_scores(work, partition, all);
    if (bytes) find_value_scales(work, partition, all);
    find_weights(work, partition, state);
    memset(state->sums, 0, attention_capacity(work->rows) * work->width * sizeof(float));
    add_all_edge_values(work, partition, (struct span){.first = all.first, .end = common.first}, state->sums);
    for (size_t first = common.first; first < common.end; first += BLOCK_RUN) {
        struct blocks values;
        find_blocks(work, false, partition, first, common.end, &values);
        if (bytes) widen_blocks(work, &values);
        add_values(work, &values, 0, work->tile->tokens, state->sums);
    }
    add_all_edge_values(work, partition, (struct span){.first = common.end, .end = all.end}, state->sums);
}

// Adds the sums of a partition for those rows that see keys of it; of rows that see none before, they are all there is.
static void merge_states(const struct attention_work *work, const struct state *state, const struct state *later,
                         size_t partition) {
    for (size_t row = 0; row < work->rows; row++) {
        const size_t token = row / work->group;
        if (seen_keys(work, partition, token).end == 0) continue;
        if (first_key(work, token) < partition * APUS_KV_PARTITION) {
            merge_row(state, later, row, work->width);
        } else {
            copy_row(state, later, row, work->width);
        }
    }
}

static void write_results(const struct attention_work *work, const struct state *state) {
    const apus_attention *task = work->task;
    for (size_t row = 0; row < work->rows; row++) {
        const size_t head = head_of(work, row);
        float *y = task->y + ((work->tile->token + row / work->group) * task->heads + head) * task->head_dim;
        const float *sums = state->sums + row * work->width, total = state->totals[row];
        const float inverse = task->sinks ? share_beside(task->sinks[head] * LOG2_E, state->peaks[row], total) : 1 / total;
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

void ATTEND(attention)(const apus_attention *task, const apus_attention_tile *tile) {
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

void ATTEND(merge_attention)(const apus_attention *task, const apus_attention_tile *tile) {
    struct attention_work work = attention_begin(task, tile);
    const size_t size = apus_attention_state(work.rows, task->head_dim);
    const struct state total = state_at(tile->states, work.rows);
    for (size_t partition = tile->first + 1; partition < tile->end; partition++) {
        const struct state state = state_at(tile->states + (partition - tile->first) * size, work.rows);
        merge_states(&work, &total, &state, partition);
    }
    write_results(&work, &total);
}
