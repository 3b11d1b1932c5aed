// Attention for each type of cache.

#define SUFFIX f32
#define C float
#define LOAD_C load
#include "attention_blocks.h"

#define SUFFIX bf16
#define C uint16_t
#define LOAD_C LOAD_BF16
#include "attention_blocks.h"

static size_t attention_scratch(size_t heads_per_kv_head, size_t head_dim) {
    (void)heads_per_kv_head;
    return 4 * head_dim;
}

static void attention(const apus_attention *task, size_t token, size_t kv_head) {
    if (task->cache_type == APUS_BF16) {
        attention_bf16(task, token, kv_head);
    } else {
        attention_f32(task, token, kv_head);
    }
}
