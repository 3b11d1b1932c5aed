// Stored matrices as codes with scales: what panels are made of, and floats.
#ifndef APUS_STORED_H
#define APUS_STORED_H

#include "apus_kernels.h"

// Inputs of a chunk: those of the longest blocks.
#define APUS_CHUNK 256

// Some inputs of an output. Scales and offsets are the bits that a panel holds, one for each group of the grouping.
typedef struct {
    uint8_t codes[APUS_CHUNK];
    uint32_t scales[APUS_CHUNK / 16], offsets[APUS_CHUNK / 16];
    uint16_t half, offset_half; // of all of them, where scales have one
} apus_chunk;

// Reads the inputs from `first` on, a multiple of APUS_CHUNK. Those past the end have codes and scales of 0.
void apus_read_chunk(const apus_matrix *matrix, size_t row, size_t first, apus_chunk *chunk);
// Inputs [first, first + count) of a stored row as floats, within one chunk.
void apus_read_stored(const apus_matrix *matrix, size_t row, size_t first, size_t count, float *values);

// The row of what is stored that holds an output.
static inline size_t apus_stored_output(const apus_matrix *matrix, size_t output) {
    return matrix->run ? matrix->first + output / matrix->run * matrix->period + output % matrix->run : output;
}

// The blocks of ggml (stored_blocks.c): inputs and bytes of one.
typedef struct {
    size_t inputs, bytes;
} apus_block_size;

apus_block_size apus_block_size_of(apus_stored stored);
// The block's codes, and its groups' scales and offsets, put at place `first` of a chunk.
void apus_read_block(apus_stored stored, const uint8_t *block, size_t first, apus_chunk *chunk);

#endif
