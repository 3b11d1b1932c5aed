// The table of an instruction set's vector kernels; the includer defines TABLE and TABLE_NAME.
#ifndef RAW_ROWS
#define RAW_ROWS STREAM_ROWS
#endif

const apus_kernels TABLE = {
    .name = TABLE_NAME,
    .packed_bytes = packed_bytes,
    .pack_rows = pack_rows,
    .linear_scratch = linear_scratch,
    .raw_rows = RAW_ROWS,
    .linear = linear,
    .embedding = embedding,
    .rotary = rotary,
    .norm_rows = norm_rows,
    .soft_cap = soft_cap,
    .activate = activate,
    .gated_activation = gated_activation,
    .store_kv = apus_store_kv,
    .attention_rows = ATTENTION_ROWS,
    .attention_scratch = attention_scratch,
    .attention = attention,
    .merge_attention = merge_attention,
    .convolve = convolve,
    .delta_scan = delta_scan,
    .argmax = argmax,
};
