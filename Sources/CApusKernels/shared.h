// Kernels are compiled once for every instruction set that makes a difference to them: AVX-512 VNNI, for one, changes only
// products of bytes. The includer names the instruction set that each kind is compiled for, its own or a smaller one of the
// same vectors whose file has it, and defines those of its own by the header beside:
//
//   ELEMENTS    elementwise.h, and products of floats: float_products.h
//   HALVES      products of bfloat16: half_products.h, dot_bf16.h or tile_bf16.h; and grouped_floats.h
//   BYTES       products of bytes: integer_products.h and grouped_product.h
//   ATTENTION   attention.h
#ifndef APUS_SHARED_H
#define APUS_SHARED_H

#include "apus_kernels.h"

#define KERNEL__(set, name) apus_##name##_##set
#define KERNEL_(set, name) KERNEL__(set, name)
#define ELEMENT(name) KERNEL_(ELEMENTS, name)
#define HALF(name) KERNEL_(HALVES, name)
#define BYTE(name) KERNEL_(BYTES, name)
#define ATTEND(name) KERNEL_(ATTENTION, name)

void ELEMENT(embedding)(const void *table, apus_dtype type, size_t width, const int32_t *tokens, size_t count, float *y);
void ELEMENT(rotary)(float *x, const float *cos_sin, size_t rows, size_t heads, size_t head_dim, size_t turned, bool pairs);
void ELEMENT(norm_rows)(const apus_norm *norm, const float *x, float *y, size_t rows, size_t width, size_t sets, float scale,
                        bool accumulate);
void ELEMENT(soft_cap)(float *x, float cap, size_t count);
void ELEMENT(activate)(apus_activation activation, float *x, size_t count);
void ELEMENT(gated_activation)(apus_activation activation, float *gate, const float *up, size_t count);
void ELEMENT(convolve)(const apus_convolution *task, size_t first, size_t end);
void ELEMENT(delta_scan)(const apus_delta *task, size_t head);
int32_t ELEMENT(argmax)(const float *x, size_t count);

// Products with panels [first, end), the first of them at `panels`, `stride` bytes apart; raw ones (product_tile.h) with
// rows of the matrix itself.
void ELEMENT(linear_f32)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end);
void ELEMENT(linear_f16)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end);
void ELEMENT(linear_raw_f32)(const apus_linear *task, size_t first, size_t end);
void HALF(linear_bf16)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end);
void HALF(linear_raw_bf16)(const apus_linear *task, size_t first, size_t end);
// A panel of codes of floats as one of bfloat16, whole units of it.
void HALF(widen_floats)(const apus_linear *task, const void *panel, void *target);
void BYTE(linear_i8)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end);
void BYTE(linear_i4)(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end);
void BYTE(linear_grouped)(const apus_linear *task, size_t first, size_t end);

// Query rows of a tile: enough to use what is loaded often, few enough for scores to stay in the second-level cache.
#define ATTENTION_ROWS 96
size_t ATTEND(attention_scratch)(size_t rows, size_t head_dim);
void ATTEND(attention)(const apus_attention *task, const apus_attention_tile *tile);
void ATTEND(merge_attention)(const apus_attention *task, const apus_attention_tile *tile);

#endif
