// Keys and values of a tile: where they are, and what must be done to them before products.

// Finds a run of a partition's keys or values; `ahead` are what is used after those, block by block.
static void find_blocks(const struct attention_work *work, bool keys, size_t partition, size_t first, size_t end,
                        struct blocks *blocks) {
    const apus_attention *task = work->task;
    const int32_t *table = task->block_tables + (size_t)task->sequence[work->tile->token] * task->table_stride;
    const size_t bytes = apus_kv_block_bytes(task->cache_type, work->width);
    const size_t head = work->tile->kv_head * task->blocks;
    const size_t last = (work->context + work->tile->tokens - 2) / APUS_KV_BLOCK;
    blocks->first = first;
    blocks->count = end - first < BLOCK_RUN ? end - first : BLOCK_RUN;
    for (size_t i = 0; i < blocks->count; i++) {
        const size_t block = partition * PARTITION_BLOCKS + first + i;
        // After a partition's keys come its values, after those the keys of the next.
        const size_t next = keys || block + PARTITION_BLOCKS > last ? block : block + PARTITION_BLOCKS;
        const size_t at = (head + (size_t)table[block]) * bytes, ahead = (head + (size_t)table[next]) * bytes;
        blocks->at[i] = (const uint8_t *)(keys ? task->keys : task->values) + at;
        blocks->ahead[i] = (const uint8_t *)(keys ? task->values : task->keys) + ahead;
    }
}

// 2 * LANES bytes as halves, which is exact: they have 7 bits, and so do the upper halves of floats.
INLINE void widen(const int8_t *bytes, uint16_t *halves) {
    typedef int8_t vbyte __attribute__((vector_size(LANES), aligned(1), may_alias));
    typedef uint16_t vhalf __attribute__((vector_size(LANES * 4)));
    const vhalf a = (vhalf)__builtin_convertvector(*(const vbyte *)bytes, vfloat);
    const vhalf b = (vhalf)__builtin_convertvector(*(const vbyte *)(bytes + LANES), vfloat);
#if LANES == 16
    vhalf both = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37,
                                         39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);
#elif LANES == 8
    vhalf both = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    vhalf both = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#endif
    memcpy(halves, &both, sizeof both);
}

static void widen_blocks(const struct attention_work *work, struct blocks *blocks) {
    const size_t elements = APUS_KV_BLOCK * work->width;
    for (size_t block = 0; block < blocks->count; block++) {
        const int8_t *bytes = (const int8_t *)blocks->at[block], *ahead = (const int8_t *)blocks->ahead[block];
        uint16_t *wide = work->wide + block * elements;
        for (size_t i = 0; i < elements; i += 64) {
            __builtin_prefetch(ahead + i, 0, 2);
            for (size_t j = i; j < i + 64; j += 2 * LANES) widen(bytes + j, wide + j);
        }
        __builtin_prefetch(apus_kv_scales(ahead, work->width), 0, 2);
        blocks->at[block] = blocks->ahead[block] = wide;
    }
}

static void read_scales(const struct attention_work *work, const struct blocks *blocks, float *scales) {
    for (size_t i = 0; i < blocks->count; i++) {
        memcpy(scales + (blocks->first + i) * APUS_KV_BLOCK, apus_kv_scales(blocks->at[i], work->width),
               APUS_KV_BLOCK * sizeof(float));
    }
}

// Copies the values of a block's tokens [first, end), and zeros to the places of the others. What stands in those, they
// may be tokens' that are not seen or none's, must not reach a sum: it need not be a number.
static void copy_values(const void *block, bool halves, size_t width, size_t first, size_t end, void *target) {
    memset(target, 0, APUS_KV_BLOCK * width * (halves ? 2 : 4));
    if (!halves) {
        memcpy((float *)target + first * width, (const float *)block + first * width, (end - first) * width * 4);
        return;
    }
    const uint32_t *pairs = (const uint32_t *)block;
    uint32_t *copies = (uint32_t *)target;
    const size_t whole = (first + 1) / 2 * width, odd = end / 2 * width;
    if (odd > whole) memcpy(copies + whole, pairs + whole, (odd - whole) * 4);
    for (size_t i = whole - width; first % 2 != 0 && i < whole; i++) copies[i] = pairs[i] & 0xffff0000;
    for (size_t i = odd; end % 2 != 0 && i < odd + width; i++) copies[i] = pairs[i] & 0xffff;
}
