// Attention over key-value blocks with a running softmax (Dao et al., arXiv 2205.14135, and Milakov & Gimelshein,
// arXiv 1805.02867). Blocks are taken in order, so what a query sees never depends on how its prompt was cut.
//
// The includer defines SUFFIX, C (type of a cached element) and LOAD_C.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

// Query heads taken together, so that each key and value is loaded once for all of them.
#define HEAD_TILE 4
#define KEY_VECTORS (APUS_KV_BLOCK / LANES)
#define VALUE_VECTORS 2

INLINE float NAME(element)(const C *p) {
    return sizeof(C) == 4 ? *(const float *)(const void *)p : apus_float_of_bf16(*(const uint16_t *)(const void *)p);
}

// Adds the weighted values of one block to VECTORS * LANES columns of each head's sum.
INLINE void NAME(add_values)(const int heads, const int vectors, const C *values, size_t width, int valid,
                             const float *weights, const float *shrink, float *sums) {
    vfloat total[HEAD_TILE][VALUE_VECTORS];
    for (int h = 0; h < heads; h++) {
        for (int v = 0; v < vectors; v++) total[h][v] = load(sums + (size_t)h * width + v * LANES) * shrink[h];
    }
    for (int key = 0; key < valid; key++, values += width) {
        vfloat value[VALUE_VECTORS];
        for (int v = 0; v < vectors; v++) value[v] = LOAD_C(values + v * LANES);
        for (int h = 0; h < heads; h++) {
            for (int v = 0; v < vectors; v++) total[h][v] += weights[h * APUS_KV_BLOCK + key] * value[v];
        }
    }
    for (int h = 0; h < heads; h++) {
        for (int v = 0; v < vectors; v++) store(sums + (size_t)h * width + v * LANES, total[h][v]);
    }
}

INLINE void NAME(heads)(const int heads, const apus_attention *task, size_t token, size_t kv_head, size_t head) {
    const size_t width = task->head_dim, context = (size_t)task->positions[token] + 1;
    const int32_t *table = task->block_tables + (size_t)task->sequence[token] * task->table_stride;
    const float *q = task->q + (token * task->heads + head) * width;
    float *sums = task->scratch;
    float largest[HEAD_TILE], total[HEAD_TILE], shrink[HEAD_TILE];
    float weights[HEAD_TILE * APUS_KV_BLOCK];
    for (int h = 0; h < heads; h++) largest[h] = -INFINITY, total[h] = 0;
    memset(sums, 0, (size_t)heads * width * sizeof(float));

    for (size_t first = 0; first < context; first += APUS_KV_BLOCK) {
        const size_t start = ((size_t)table[first / APUS_KV_BLOCK] * task->kv_heads + kv_head) * width * APUS_KV_BLOCK;
        const C *keys = (const C *)task->keys + start, *values = (const C *)task->values + start;
        const int valid = context - first < APUS_KV_BLOCK ? (int)(context - first) : APUS_KV_BLOCK;

        vfloat scores[HEAD_TILE][KEY_VECTORS];
        for (int h = 0; h < heads; h++) {
            for (int v = 0; v < KEY_VECTORS; v++) scores[h][v] = (vfloat){};
        }
        for (size_t i = 0; i < width; i++) {
            for (int v = 0; v < KEY_VECTORS; v++) {
                vfloat key = LOAD_C(keys + i * APUS_KV_BLOCK + (size_t)v * LANES);
                for (int h = 0; h < heads; h++) scores[h][v] += q[(size_t)h * width + i] * key;
            }
        }
        for (int h = 0; h < heads; h++) {
            float *weight = weights + h * APUS_KV_BLOCK;
            for (int v = 0; v < KEY_VECTORS; v++) store(weight + v * LANES, scores[h][v] * task->scale);
            // Slots after the last token hold whatever they held: they must not reach a sum.
            for (int key = valid; key < APUS_KV_BLOCK; key++) weight[key] = -INFINITY;
            float peak = largest[h];
            for (int key = 0; key < valid; key++) peak = weight[key] > peak ? weight[key] : peak;
            vfloat block_total = {};
            for (int v = 0; v < KEY_VECTORS; v++) {
                store(weight + v * LANES, exponential(load(weight + v * LANES) - peak));
            }
            for (int key = valid; key < APUS_KV_BLOCK; key++) weight[key] = 0;
            for (int v = 0; v < KEY_VECTORS; v++) block_total += load(weight + v * LANES);
            shrink[h] = first == 0 ? 0 : expf(largest[h] - peak);
            total[h] = total[h] * shrink[h] + sum(block_total);
            largest[h] = peak;
        }
        size_t column = 0;
        for (; column + VALUE_VECTORS * LANES <= width; column += VALUE_VECTORS * LANES) {
            NAME(add_values)(heads, VALUE_VECTORS, values + column, width, valid, weights, shrink, sums + column);
        }
        for (; column + LANES <= width; column += LANES) {
            NAME(add_values)(heads, 1, values + column, width, valid, weights, shrink, sums + column);
        }
        for (; column < width; column++) {
            for (int h = 0; h < heads; h++) {
                float value = sums[(size_t)h * width + column] * shrink[h];
                for (int key = 0; key < valid; key++) {
                    value += weights[h * APUS_KV_BLOCK + key] * NAME(element)(values + (size_t)key * width + column);
                }
                sums[(size_t)h * width + column] = value;
            }
        }
    }
    float *y = task->y + (token * task->heads + head) * width;
    for (int h = 0; h < heads; h++) {
        for (size_t i = 0; i < width; i++) y[(size_t)h * width + i] = sums[(size_t)h * width + i] / total[h];
    }
}

static void NAME(attention)(const apus_attention *task, size_t token, size_t kv_head) {
    size_t group = task->heads / task->kv_heads, head = kv_head * group, end = head + group;
    for (; head + HEAD_TILE <= end; head += HEAD_TILE) NAME(heads)(HEAD_TILE, task, token, kv_head, head);
    switch (end - head) {
    case 3: NAME(heads)(3, task, token, kv_head, head); break;
    case 2: NAME(heads)(2, task, token, kv_head, head); break;
    case 1: NAME(heads)(1, task, token, kv_head, head); break;
    default: break;
    }
}

#undef HEAD_TILE
#undef KEY_VECTORS
#undef VALUE_VECTORS
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef C
#undef LOAD_C
