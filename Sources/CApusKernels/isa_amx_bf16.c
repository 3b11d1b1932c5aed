// AMX tile products of bfloat16 and bytes: Sapphire Rapids and later. Tiles hold panels as they lie.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16," \
                          "amx-tile,amx-bf16,amx-int8"))), \
    apply_to = function)

#define ELEMENTS avx512
#define HALVES amx_bf16
#define BYTES avx512_vnni
#define ATTENTION amx_bf16
#include "avx512.h"
#include "dot_vnni.h"
#include "bf16_avx512.h"
#include "tile_registers.h"
#define TILED_INTEGERS 1
#define OWN_BF16
#include "products.h"
#include "tile_bf16.h"
#include "grouped_floats.h"
#include "tile_i8.h"
#include "linear.h"
#define PAIR_PRODUCTS "attention_tiles.h"
#include "attention.h"

#define TABLE apus_kernels_amx_bf16
#define TABLE_NAME "amx-bf16"
#include "vector_table.h"

#pragma clang attribute pop
#endif
