// Matrices whose elements are codes of a few bits, with a scale and perhaps an offset for each group of inputs:
//
//     weight[o, i] = scale[o, group of i] * (value(code[o, i]) - zero) + offset[o, group of i]
//
// value(c) is c, or an entry of a table. Where values are floats, products widen them to bfloat16 on the way, panel by panel.
// QUANTIZATION.md says which files become which of them.
#ifndef APUS_GROUPED_H
#define APUS_GROUPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    APUS_SCALE_F16 = 0,
    APUS_SCALE_BF16 = 1,
    APUS_SCALE_F32 = 2,
    APUS_SCALE_U8 = 3,  // times a half for each 256 inputs
    APUS_SCALE_I8 = 4,
    APUS_SCALE_ROW = 5, // a float for each output
    APUS_SCALE_E4M3 = 6, // times a float for each output
} apus_scale_type;

typedef enum {
    APUS_OFFSET_NONE = 0,
    APUS_OFFSET_OWN = 1,  // of the scale's type; of APUS_SCALE_U8 it is taken away, and has a half of its own
    APUS_OFFSET_ZERO = 2, // a half z for each group, which stands for -scale * z
} apus_offset_type;

// What codes stand for.
typedef enum {
    APUS_CODES_INTEGERS = 0, // themselves, or integers of a table
    APUS_CODES_FLOATS = 1,   // of 4 bits: `floats`
    APUS_CODES_E4M3 = 2,     // of 8 bits
} apus_code_type;

// Inputs that share a scale of activations; twice as many where groups are as long.
#define APUS_GROUPED_SPAN 32
// Inputs whose codes lie together in a panel.
#define APUS_GROUPED_UNIT 64

typedef struct {
    uint8_t bits;   // of a code: 2 to 6, or 8
    uint8_t zero;   // taken from every value; 0 where there are offsets
    uint8_t group;  // inputs that share a scale: 16, 32, 64 or 128
    uint8_t scale;  // apus_scale_type
    uint8_t offset; // apus_offset_type
    bool has_table; // of 4 bits
    uint8_t table[16];
    uint8_t codes; // apus_code_type; of floats, zero is 0 and there are no offsets
    float floats[16];
} apus_grouping;

// How the elements of a stored matrix lie.
typedef enum {
    APUS_STORED_PLAIN = 0, // elements of its type
    // Blocks of ggml (ggml-common.h, ggml-quants.c), rows one after the other.
    APUS_STORED_Q4_0,
    APUS_STORED_Q4_1,
    APUS_STORED_Q5_0,
    APUS_STORED_Q5_1,
    APUS_STORED_Q8_0,
    APUS_STORED_Q2_K,
    APUS_STORED_Q3_K,
    APUS_STORED_Q4_K,
    APUS_STORED_Q5_K,
    APUS_STORED_Q6_K,
    APUS_STORED_IQ4_NL,
    APUS_STORED_IQ4_XS,
    APUS_STORED_MXFP4,
    // Codes, scales and offsets in arrays of their own.
    APUS_STORED_ARRAYS,
} apus_stored;

// An array of codes, packed in little-endian words of 32 bits along one index; the other is its line.
typedef struct {
    const uint8_t *words;
    size_t line, word; // bytes from one to the next
    uint8_t bits;
    uint8_t each;      // of a word, or 32: codes follow each other and may lie in two words
    uint8_t flip;      // bits of a code that are stored the other way round
    bool along_inputs; // a line is an output; else an input, or a group of inputs
    bool takes_turns;  // eight in a word lie in the order 0 4 1 5 2 6 3 7 (AWQ)
} apus_codes;

typedef enum {
    APUS_VALUES_F16 = 0,
    APUS_VALUES_BF16 = 1,
    APUS_VALUES_F32 = 2,
    APUS_VALUES_E4M3 = 3,
    APUS_VALUES_POWER = 4, // an exponent of 8 bits: 2^(p - 127)
} apus_values_type;

typedef struct {
    const uint8_t *data;
    size_t line, step; // bytes from one output to the next, and from one group to the next
    size_t rows;       // outputs that share a line
    uint8_t type;      // apus_values_type
    float factor;      // of each of them; 0: none
    bool divides;      // whether they are divided by it instead
} apus_values;

// What APUS_STORED_ARRAYS consists of.
typedef struct {
    apus_codes codes;
    apus_values scales;
    apus_values offsets;      // without data: none
    apus_codes zeros;         // without words: none
    uint8_t zero_shift;       // what is added to each of them,
    uint8_t zero_mask;        // and which bits of the sum count
    size_t group;             // inputs that share a scale
    size_t groups;            // of a row
    const int32_t *group_of;  // [inputs]: the group of each, or NULL: its place over `group`
    const int32_t *order;     // [inputs]: which input stands at a place of a panel, groups together, or NULL: its own
    const float *values;      // [2^bits]: what codes stand for, or NULL: themselves
    bool is_flat;             // the matrix is one line of codes and of groups, which rows cross
    bool high_first;          // of two codes in a byte
} apus_arrays;

size_t apus_grouped_panel_bytes(const apus_grouping *grouping, size_t inputs);

// Inputs that share a scale of the activations that products of a grouping take.
static inline size_t apus_grouped_span(const apus_grouping *grouping) {
    return grouping->group < APUS_GROUPED_UNIT ? APUS_GROUPED_SPAN : APUS_GROUPED_UNIT;
}

#endif
