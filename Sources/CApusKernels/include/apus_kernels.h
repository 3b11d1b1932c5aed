// CPU kernels of Apus. Every operation exists once per instruction set behind one table of functions; the scalar
// table is the reference that the others are tested against.
//
// Results for a row never depend on how many rows a call has or on which thread computes it: each output is
// accumulated over its inputs in one order that is fixed per instruction set.
//
// apus_limits.h measures what the machine allows them.
#ifndef APUS_KERNELS_H
#define APUS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apus_grouped.h"

// Instruction sets, those of a kind of processor from slowest to fastest.
typedef enum {
    APUS_ISA_SCALAR = 0,      // the reference: plain loops
    APUS_ISA_PORTABLE = 1,    // 128-bit vectors by compiler extension: SSE2 on x86-64, NEON on arm64
    APUS_ISA_AVX2 = 2,        // with FMA and F16C
    APUS_ISA_AVX2_VNNI = 3,
    APUS_ISA_AVX512 = 4,      // F, BW, DQ, VL
    APUS_ISA_AVX512_VNNI = 5, // and dot products of bytes
    APUS_ISA_AVX512_BF16 = 6, // and dot products of bfloat16 pairs
    APUS_ISA_AMX_BF16 = 7,    // and tile products of bfloat16 and bytes
    APUS_ISA_NEON_DOT = 8,    // arm64 with dot products of bytes
    APUS_ISA_NEON_BF16 = 9,   // and of bfloat16 pairs
} apus_isa;

#define APUS_ISA_COUNT 10

// Element types: of stored tensors, of caches, and of prepared matrices.
// APUS_GROUPED says no more than how activations are rounded; the rest is an apus_grouping.
typedef enum { APUS_F32 = 0, APUS_BF16 = 1, APUS_F16 = 2, APUS_I8 = 3, APUS_I4 = 4, APUS_GROUPED = 5 } apus_dtype;

typedef enum {
    APUS_SILU = 0,
    APUS_GELU = 1,
    APUS_GELU_TANH = 2,
    APUS_RELU = 3,
    APUS_RELU_SQUARED = 4,
    APUS_QUICK_GELU = 5, // x * sigmoid(1.702 x)
    APUS_SIGMOID = 7,
    APUS_CLAMPED_SWIGLU = 6, // gate * sigmoid(1.702 gate) * (up + 1), gate <= 7 and -7 <= up <= 7
} apus_activation;

// Tokens of one key-value block.
#define APUS_KV_BLOCK 16
// Keys that are summed up on their own before all sums are merged in order. Part of the numerical definition.
#define APUS_KV_PARTITION 512

// Outputs of a panel: a prepared matrix is ceil(outputs / 16) panels one after the other (panels.h).
#define APUS_PANEL 16
// Inputs that share a grid in a 4-bit matrix.
#define APUS_GROUP 32
// A grid: code c of a 4-bit matrix stands for (c - zero) * multiplier, from -128 to 127; the multiplier is from 1 to 15.
#define APUS_GRID(multiplier, zero) ((multiplier) | (zero) << 4)
#define APUS_GRID_MULTIPLIER(grid) ((grid) & 15)
#define APUS_GRID_ZERO(grid) ((grid) >> 4)
// Inputs whose errors are spread over each other when a matrix is rounded, at most.
#define APUS_SPREAD 256
// Inputs that are rotated together before rows of integers are rounded (rotation.h); those past the last whole block are not.
#define APUS_ROTATION 64
// Longest input of an integer product: its sum stays within 32 bits.
#define APUS_INTEGER_INPUTS 131072

// A matrix as a checkpoint holds it: rows of `type`; what is rounded to integers is rotated first. Rows of APUS_I8 have a scale each. Rows of APUS_I4 are codes, two a
// byte, the first in its low half; each group of APUS_GROUP inputs has a grid.
//
// It may be part of a larger one: output o is then row `first + o / run * period + o % run` of what is stored.
typedef struct {
    const void *rows; // [stored outputs, inputs], at any alignment
    const float *scales;        // [stored outputs], for APUS_I8 and APUS_I4
    const uint8_t *grids;       // [stored outputs, ceil(inputs / APUS_GROUP)], for APUS_I4
    bool has_zeros;             // whether the grids have zeros; otherwise each is 8
    size_t outputs, inputs;
    apus_dtype type;
    size_t first, run, period;  // all 0 for a matrix that stands alone
    size_t columns;             // of elements of floating point that are stored as [inputs, columns], or 0
    apus_stored stored;         // how the elements lie, where they are none of those types
    const apus_grouping *grouping; // what it is then made of
    const apus_arrays *arrays;  // for APUS_STORED_ARRAYS
} apus_matrix;

// Bytes of a panel.
size_t apus_panel_bytes(apus_dtype type, size_t inputs);
// Writes panel `panel` of the matrix, converted or quantized to `type`, 64-byte aligned.
void apus_pack_panel(const apus_matrix *matrix, apus_dtype type, size_t panel, void *target);
// The same for a matrix with a grouping, as a grouped one.
void apus_pack_grouped(const apus_matrix *matrix, size_t panel, void *target);
// Writes row `output` of a grouped matrix in panels as floats.
void apus_unpack_output(const void *panels, const apus_grouping *grouping, size_t inputs, size_t output, float *y);
// An output of a matrix of floats, or with a grouping, as floats.
void apus_read_output(const apus_matrix *matrix, size_t output, float *y);
// Writes row `output` of a matrix of floats in panels as floats.
void apus_unpack_row(const void *panels, apus_dtype type, size_t inputs, size_t output, float *y);
// Where rows go as a checkpoint holds them.
typedef struct {
    uint8_t *rows;
    size_t row_bytes;
    uint8_t *grids; // of a row after that of another, for APUS_I4
    float *scales;
} apus_quantized;
// Rotates and quantizes outputs [first, first + count), APUS_PANEL at most, of a matrix of floats. With `spread`, what rounding
// loses of an input is made up for by those that follow it: for each APUS_SPREAD inputs, [inputs][inputs] (apus_quantizer.h).
void apus_quantize_rows(const apus_matrix *matrix, apus_dtype type, size_t first, size_t count, const float *spread,
                        const apus_quantized *target);

// x / sqrt(mean(x^2) + epsilon) * weight + bias for each row; of a centered norm, the row's mean is taken from x before.
typedef struct {
    const float *weight; // [width]; NULL: no norm
    const float *bias;   // [width] or NULL
    float epsilon;
    bool is_centered;
} apus_norm;

// Activations on their way into products: rows of floats, perhaps through a norm.
typedef struct {
    const float *x; // [rows, inputs]
    apus_norm norm;
    size_t rows, inputs;
    apus_dtype type; // of the matrix
    const int32_t *order; // [inputs]: which input stands at a place, for APUS_GROUPED; NULL: its own
    size_t span;     // inputs that share a scale, for APUS_GROUPED: apus_grouped_span()
    bool rotates;    // for APUS_I8 and APUS_I4: whether the matrix was rotated before it was rounded
    void *packed;    // packed_bytes(), 64-byte aligned
} apus_activations;

// y[rows, outputs] = (x[rows, inputs] * weight[outputs, inputs]^T + bias) * scale
typedef struct {
    const void *panels;
    apus_dtype type;
    const apus_grouping *grouping; // for APUS_GROUPED
    const void *packed; // as pack_rows wrote it, of the same type, rows and inputs
    const float *bias;  // [outputs] or NULL
    float scale;
    float *y;           // [rows, y_stride]
    size_t y_stride;
    size_t rows, inputs, outputs;
    bool accumulate; // y += instead of y =
    void *scratch;   // linear_scratch() bytes for the calling thread, 64-byte aligned
    // Instead of panels: the matrix as it is stored, of the same type (APUS_F32 or APUS_BF16), its inputs a multiple of a
    // panel's steps, for up to `raw_rows` rows and whole panels. The bits are
    // the same.
    const void *rows_of_weight;
} apus_linear;

// Attention of every query over the keys of its own sequence at or before it, perhaps from some position on, through a
// block table (kv_block.h). What lies before the first key that a token sees changes nothing; blocks before that of any
// token of a tile are not read, nor are their places in the table.
typedef struct {
    const float *q;              // [tokens, heads, head_dim]
    const void *keys, *values;   // one layer's blocks: [kv_head, block]
    size_t blocks;
    apus_dtype cache_type;       // APUS_F32, APUS_BF16 or APUS_I8
    const int32_t *positions;    // [tokens]
    const int32_t *first_keys;   // [tokens]: the first key position that a token sees, or NULL: 0
    size_t window;               // most keys that a token sees, its own among them, or 0: any number
    size_t chunk;                // a token sees keys of its own chunk of so many positions only, or 0: of all
    const int32_t *sequence;     // [tokens]: row of the block table
    const int32_t *block_tables; // [sequences, table_stride]
    size_t table_stride;
    size_t heads, kv_heads, head_dim;
    float scale;
    float soft_cap;      // scores become soft_cap * tanh(score / soft_cap), unless it is 0
    const float *slopes; // [heads] or NULL: a score gets slope * (key position - own position) in addition
    const float *sinks;  // [heads] or NULL: a score beside those of the keys, without a value
    float *y; // [tokens, heads, head_dim]
} apus_attention;

// A piece of attention: consecutive tokens at consecutive positions of one sequence, with the heads of one key-value
// head. Each pair of token and head is a row.
typedef struct {
    size_t token, tokens, kv_head;
    // Partitions of APUS_KV_PARTITION keys, counted from position 0; none ends before the first key that is seen, or begins
    // after the last token.
    size_t first, end;
    // NULL if those are all partitions: then results go to y. Otherwise each partition's sums go to a state of
    // apus_attention_state() floats, 64-byte aligned, for `merge_attention`.
    float *states;
    void *scratch; // attention_scratch() bytes for the calling thread, 64-byte aligned
} apus_attention_tile;

// A causal convolution of each channel over the tokens of one sequence that follow each other:
// y[t][c] = activation(sum over j of weight[j][c] * x[t - taps + 1 + j][c] + bias[c]).
typedef struct {
    const float *x; // [tokens, channels]
    float *y;       // [tokens, channels], not x
    float *state;   // [taps - 1, channels]: the inputs before the first, replaced by those before the next
    const float *weight; // [taps, channels]
    const float *bias;   // [channels] or NULL
    size_t tokens, channels, taps;
    bool begins;         // whether there is nothing before the first
    bool has_silu;
} apus_convolution;

// The gated delta rule over the tokens of one sequence that follow each other, for each value head:
// S = S * exp(decay * softplus(a + offset)); S += k (sigmoid(b) * (v - S^T k))^T; o = S^T q; y = norm(o) * silu(z), with
// keys and queries of length 1, and queries divided by sqrt(key_dim) (Yang et al., arXiv 2412.06464).
typedef struct {
    const float *mixed;   // [tokens, 2 * key_heads * key_dim + value_heads * value_dim]: queries, keys, values
    const float *a, *b;   // [tokens, value_heads]
    const float *z;       // [tokens, value_heads * value_dim]
    const float *decay, *offset; // [value_heads]
    const float *norm;    // [value_dim]
    float epsilon;
    float *state;         // [value_heads, key_dim, value_dim]
    float *y;             // [tokens, value_heads * value_dim]
    float *scratch;       // for the calling thread: 2 * key_dim floats
    size_t tokens, key_heads, value_heads, key_dim, value_dim;
    bool begins;
} apus_delta;

typedef struct {
    const char *name;

    size_t (*packed_bytes)(apus_dtype type, size_t rows, size_t inputs);
    // Converts activation rows [first, end) into `packed`; `first` is a multiple of 16. All rows before any product.
    void (*pack_rows)(const apus_activations *task, size_t first, size_t end);
    size_t (*linear_scratch)(apus_dtype type, size_t inputs);
    size_t raw_rows; // 0 where products need panels
    // Computes the outputs of panels [first, end) for every row.
    void (*linear)(const apus_linear *task, size_t first, size_t end);

    // Writes rows of a weight table as float32: y[i] = table[tokens[i]].
    void (*embedding)(const void *table, apus_dtype type, size_t width, const int32_t *tokens, size_t count, float *y);
    // Rotates the first `turned` elements of each head in place: elements i and i + turned / 2, or 2i and 2i + 1 if `pairs`;
    // `cos_sin` is [rows, 2, turned / 2].
    void (*rotary)(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim, size_t turned, bool pairs);
    // y = norm(x) * scale, or y += that; both are [rows, width], and may be one. `sets` rows of weights take turns.
    void (*norm_rows)(const apus_norm *norm, const float *x, float *y, size_t rows, size_t width, size_t sets,
                      float scale, bool accumulate);
    // x = cap * tanh(x / cap)
    void (*soft_cap)(float *x, float cap, size_t count);
    // x = activation(x)
    void (*activate)(apus_activation activation, float *x, size_t count);
    // gate = activation(gate) * up, or what the activation makes of both
    void (*gated_activation)(apus_activation activation, float *gate, const float *up, size_t count);
    // Writes keys and values [tokens, kv_heads, head_dim] into their slots (block * APUS_KV_BLOCK + offset).
    void (*store_kv)(const float *k, const float *v, void *keys, void *values, apus_dtype cache_type, size_t blocks,
                     const int32_t *slots, size_t tokens, size_t kv_heads, size_t head_dim);
    size_t attention_rows; // most rows of a tile, unless it is a single token's
    size_t (*attention_scratch)(size_t rows, size_t head_dim);
    void (*attention)(const apus_attention *task, const apus_attention_tile *tile);
    // Makes results of the states of all partitions of a tile, which it overwrites.
    void (*merge_attention)(const apus_attention *task, const apus_attention_tile *tile);
    // Of the channels [first, end).
    void (*convolve)(const apus_convolution *task, size_t first, size_t end);
    // Of one value head.
    void (*delta_scan)(const apus_delta *task, size_t head);
    // Index of the largest of `count` values, the first of equals; -1 if one is NaN or +infinity, or all are -infinity.
    int32_t (*argmax)(const float *x, size_t count);
} apus_kernels;

// The first key position that a token sees.
static inline size_t apus_first_key(const apus_attention *task, size_t token) {
    const size_t first = task->first_keys ? (size_t)task->first_keys[token] : 0;
    const size_t seen = (size_t)task->positions[token] + 1;
    const size_t window = task->window && seen > task->window ? seen - task->window : 0;
    const size_t chunk = task->chunk ? (seen - 1) / task->chunk * task->chunk : 0;
    const size_t edge = window > chunk ? window : chunk;
    return first > edge ? first : edge;
}

// The kernels for an instruction set, or NULL if this machine or this build lacks it.
const apus_kernels *apus_kernels_for(apus_isa isa);

// Exact or correctly rounded (to nearest even) conversion of `count` elements.
void apus_convert(const void *source, apus_dtype from, void *target, apus_dtype to, size_t count);

// Bytes of the keys, or of the values, of one key-value block of one head.
size_t apus_kv_bytes(apus_dtype cache_type, size_t head_dim);
// Floats of the sums that a tile of so many rows keeps of a partition.
size_t apus_attention_state(size_t rows, size_t head_dim);

// Tells the processor that this thread spins.
static inline void apus_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
