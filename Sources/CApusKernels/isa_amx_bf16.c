// AMX tile products of bfloat16: Sapphire Rapids and later. The weights are the left factor, read as they lie in the
// checkpoint: a tile is 16 outputs by 32 inputs. The right factor is 16 rows of activations, packed by pairs of inputs
// as TDPBF16PS wants them ([inputs / 2][16 rows][2], Intel SDM volume 2), so a product is [16 outputs, 16 rows].
// A call with fewer than 16 rows computes zeros beside them: the arithmetic of a row is the same at every count.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16"))), \
    apply_to = function)

#include "avx512.h"
#define ROW_TILE 6
#define OWN_BF16_PRODUCT

#define TILE 16        // outputs and rows of a tile
#define TILE_INPUTS 32 // inputs of a tile

INLINE size_t tile_inputs(size_t inputs) { return (inputs + TILE_INPUTS - 1) / TILE_INPUTS * TILE_INPUTS; }

static size_t bf16_workspace(size_t rows, size_t inputs) {
    return (rows + TILE - 1) / TILE * TILE * tile_inputs(inputs) * sizeof(uint16_t);
}

static void bf16_pack(const apus_linear *task, size_t first, size_t end) {
    const size_t inputs = task->inputs, padded = tile_inputs(inputs);
    for (size_t block = first; block < end; block += TILE) {
        uint32_t *packed = (uint32_t *)((uint16_t *)task->packed + block * padded);
        for (size_t i = 0; i < TILE; i++) {
            const float *x = task->x + (block + i) * inputs;
            size_t available = block + i < task->rows ? inputs : 0;
            for (size_t k = 0; k < padded; k += 16) {
                size_t left = k < available ? available - k : 0;
                __mmask16 mask = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
                union {
                    __m256bh vector;
                    uint32_t pairs[8];
                } halves = {_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + k))};
                for (size_t p = 0; p < 8; p++) packed[(k / 2 + p) * TILE + i] = halves.pairs[p];
            }
        }
    }
}

struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

static void configure_tiles(void) {
    struct tile_configuration configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) configuration.row_bytes[i] = 64, configuration.rows[i] = TILE;
    _tile_loadconfig(&configuration);
}

// Writes a product tile, stored as [16 outputs, 16 rows], into y.
static void write_tile(const apus_linear *task, const float *tile, size_t output, size_t outputs, size_t row) {
    const __m512i column = _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(TILE));
    const __mmask16 mask = outputs >= TILE ? 0xffff : (__mmask16)((1u << outputs) - 1);
    const __m512 bias = task->bias ? _mm512_maskz_loadu_ps(mask, task->bias + output) : _mm512_setzero_ps();
    const size_t rows = task->rows - row < TILE ? task->rows - row : TILE;
    for (size_t i = 0; i < rows; i++) {
        __m512 values = _mm512_i32gather_ps(column, tile + i, 4);
        _mm512_mask_storeu_ps(task->y + (row + i) * task->outputs + output, mask, _mm512_add_ps(values, bias));
    }
}

// Copies a tile that would reach past the end of the weights, filling up with zeros.
static void copy_edge(const apus_linear *task, size_t output, size_t k, uint16_t *edge) {
    memset(edge, 0, TILE * TILE_INPUTS * sizeof(uint16_t));
    size_t outputs = output < task->outputs ? task->outputs - output : 0;
    size_t inputs = task->inputs - k < TILE_INPUTS ? task->inputs - k : TILE_INPUTS;
    for (size_t i = 0; i < TILE && i < outputs; i++) {
        memcpy(edge + i * TILE_INPUTS, (const uint16_t *)task->weight + (output + i) * task->inputs + k,
               inputs * sizeof(uint16_t));
    }
}

// Two tiles of outputs by two of rows: every loaded tile is used twice. Tile 0..3 sum, 4 and 5 weights, 6 and 7 rows.
INLINE void product(const bool second_output, const bool second_row, const apus_linear *task, size_t output, size_t row) {
    const size_t padded = tile_inputs(task->inputs), stride = task->inputs * sizeof(uint16_t);
    const uint16_t *w = (const uint16_t *)task->weight + output * task->inputs;
    const uint16_t *x = (const uint16_t *)task->packed + row * padded;
    const bool whole = output + (second_output ? 2 : 1) * TILE <= task->outputs;
    uint16_t edge[TILE * TILE_INPUTS] __attribute__((aligned(64)));
    _tile_zero(0);
    if (second_row) _tile_zero(1);
    if (second_output) _tile_zero(2);
    if (second_output && second_row) _tile_zero(3);
    for (size_t k = 0; k < padded; k += TILE_INPUTS) {
        if (whole && k + TILE_INPUTS <= task->inputs) {
            _tile_loadd(4, w + k, stride);
            if (second_output) _tile_loadd(5, w + TILE * task->inputs + k, stride);
        } else {
            copy_edge(task, output, k, edge);
            _tile_loadd(4, edge, 64);
            if (second_output) {
                copy_edge(task, output + TILE, k, edge);
                _tile_loadd(5, edge, 64);
            }
        }
        _tile_loadd(6, x + k * TILE, 64);
        if (second_row) _tile_loadd(7, x + TILE * padded + k * TILE, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (second_row) _tile_dpbf16ps(1, 4, 7);
        if (second_output) _tile_dpbf16ps(2, 5, 6);
        if (second_output && second_row) _tile_dpbf16ps(3, 5, 7);
    }
    float tile[TILE * TILE] __attribute__((aligned(64)));
    const size_t left = task->outputs - output, next = left > TILE ? left - TILE : 0;
    _tile_stored(0, tile, 64);
    write_tile(task, tile, output, left, row);
    if (second_row) {
        _tile_stored(1, tile, 64);
        write_tile(task, tile, output, left, row + TILE);
    }
    if (second_output) {
        _tile_stored(2, tile, 64);
        write_tile(task, tile, output + TILE, next, row);
    }
    if (second_output && second_row) {
        _tile_stored(3, tile, 64);
        write_tile(task, tile, output + TILE, next, row + TILE);
    }
}

INLINE void product_rows(const bool second_output, const apus_linear *task, size_t output) {
    size_t row = 0;
    for (; row + TILE < task->rows; row += 2 * TILE) product(second_output, true, task, output, row);
    if (row < task->rows) product(second_output, false, task, output, row);
}

static void linear_bf16(const apus_linear *task, size_t first, size_t end) {
    configure_tiles();
    size_t output = first;
    for (; output + TILE < end; output += 2 * TILE) product_rows(true, task, output);
    if (output < end) product_rows(false, task, output);
    _tile_release();
}

#include "linear.h"
#include "attention.h"
#include "elementwise.h"

#define TABLE apus_kernels_amx_bf16
#define TABLE_NAME "amx-bf16"
#include "vector_table.h"

#pragma clang attribute pop
#endif
