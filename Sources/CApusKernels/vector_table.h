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
    .embedding = ELEMENT(embedding),
    .rotary = ELEMENT(rotary),
    .norm_rows = ELEMENT(norm_rows),
    .soft_cap = ELEMENT(soft_cap),
    .activate = ELEMENT(activate),
    .gated_activation = ELEMENT(gated_activation),
    .store_kv = apus_store_kv,
    .attention_rows = ATTENTION_ROWS,
    .attention_scratch = ATTEND(attention_scratch),
    .attention = ATTEND(attention),
    .merge_attention = ATTEND(merge_attention),
    .convolve = ELEMENT(convolve),
    .delta_scan = ELEMENT(delta_scan),
    .argmax = ELEMENT(argmax),
};
