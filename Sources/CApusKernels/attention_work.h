// A tile's scratch memory, and the queries that are packed into it.

static size_t attention_capacity(size_t rows) { return (rows + 15) / 16 * 16; }

static struct state state_at(float *memory, size_t rows) {
    const size_t capacity = attention_capacity(rows);
    return (struct state){.peaks = memory, .totals = memory + capacity, .sums = memory + 2 * capacity};
}

// Hands out scratch memory, 64-byte aligned. Without any, it counts the bytes.
INLINE void *take(void *scratch, size_t *used, size_t bytes) {
    void *result = scratch ? (uint8_t *)scratch + *used : NULL;
    *used += (bytes + 63) / 64 * 64;
    return result;
}

// 16 rows more than there are: a tile register may read as many beyond a token's own.
static struct attention_work attention_layout(size_t rows, size_t head_dim, void *scratch, size_t *used) {
    const size_t capacity = attention_capacity(rows) + 16, width = apus_kv_width(head_dim);
    struct attention_work work = {.rows = rows, .width = width};
    *used = 0;
    work.queries = take(scratch, used, capacity * width * 4);
    work.scores = (float *)take(scratch, used, capacity * SCORE_STRIDE * 4);
    work.states[0] = (float *)take(scratch, used, apus_attention_state(rows, head_dim) * 4);
    work.states[1] = (float *)take(scratch, used, apus_attention_state(rows, head_dim) * 4);
    work.rest = take(scratch, used, APUS_KV_BLOCK * width * 4);
    work.wide = (uint16_t *)take(scratch, used, BLOCK_RUN * APUS_KV_BLOCK * width * 2);
    work.key_scales = (float *)take(scratch, used, APUS_KV_PARTITION * 4);
    work.value_scales = (float *)take(scratch, used, APUS_KV_PARTITION * 4);
    return work;
}

size_t ATTEND(attention_scratch)(size_t rows, size_t head_dim) {
    size_t bytes;
    (void)attention_layout(rows, head_dim, NULL, &bytes);
    return bytes;
}

// Queries, scaled as power_of_two() needs scores, and zeros up to whole blocks of rows and columns.
static void pack_queries(const struct attention_work *work, bool pairs) {
    const apus_attention *task = work->task;
    // Scores that are capped are shares of the cap until they are bent.
    const float scale = task->soft_cap > 0 ? task->scale / task->soft_cap : task->scale * LOG2_E;
    float values[LANES];
    for (size_t row = 0; row < attention_capacity(work->rows); row++) {
        const size_t head = work->tile->kv_head * work->group + row % work->group;
        const float *q = task->q + ((work->tile->token + row / work->group) * task->heads + head) * task->head_dim;
        const size_t count = row < work->rows ? task->head_dim : 0;
        for (size_t i = 0; i < work->width; i += LANES) {
            const size_t here = count <= i ? 0 : count - i < LANES ? count - i : LANES;
            if (here < LANES) {
                memset(values, 0, sizeof values);
                for (size_t lane = 0; lane < here; lane++) values[lane] = q[i + lane];
            }
            const vfloat scaled = load(here == LANES ? q + i : values) * scale;
            if (pairs) {
                STORE_HALVES((uint16_t *)work->queries + row * work->width + i, scaled);
            } else {
                store((float *)work->queries + row * work->width + i, scaled);
            }
        }
    }
}
