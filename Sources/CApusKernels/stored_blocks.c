// The blocks of ggml's formats, after the descriptions in ggml-common.h and ggml-quants.c: where codes, scales and minima lie.
#include <string.h>

#include "stored.h"

apus_block_size apus_block_size_of(apus_stored stored) {
    switch (stored) {
    case APUS_STORED_Q4_0:
    case APUS_STORED_IQ4_NL: return (apus_block_size){32, 18};
    case APUS_STORED_Q4_1: return (apus_block_size){32, 20};
    case APUS_STORED_Q5_0: return (apus_block_size){32, 22};
    case APUS_STORED_Q5_1: return (apus_block_size){32, 24};
    case APUS_STORED_Q8_0: return (apus_block_size){32, 34};
    case APUS_STORED_MXFP4: return (apus_block_size){32, 17};
    case APUS_STORED_Q2_K: return (apus_block_size){256, 84};
    case APUS_STORED_Q3_K: return (apus_block_size){256, 110};
    case APUS_STORED_Q4_K: return (apus_block_size){256, 144};
    case APUS_STORED_Q5_K: return (apus_block_size){256, 176};
    case APUS_STORED_Q6_K: return (apus_block_size){256, 210};
    case APUS_STORED_IQ4_XS: return (apus_block_size){256, 136};
    default: return (apus_block_size){0, 0};
    }
}

static uint16_t half_at(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

// 32 codes of 4 bits: low halves first.
static void read_halves(const uint8_t *source, uint8_t *codes) {
    for (int i = 0; i < 16; i++) codes[i] = source[i] & 15;
    for (int i = 0; i < 16; i++) codes[16 + i] = source[i] >> 4;
}

// A fifth bit for each of 32 codes.
static void add_fifth_bits(const uint8_t *source, uint8_t *codes) {
    for (int i = 0; i < 32; i++) codes[i] |= (uint8_t)((source[i / 8] >> i % 8 & 1) << 4);
}

// Eight scales and minima of 6 bits in 12 bytes.
static void read_sixes(const uint8_t *s, uint32_t *scales, uint32_t *minima) {
    for (int j = 0; j < 4; j++) {
        scales[j] = s[j] & 63, minima[j] = s[j + 4] & 63;
        scales[j + 4] = (s[j + 8] & 15u) | (s[j] >> 6u) << 4;
        minima[j + 4] = (s[j + 8] >> 4u) | (s[j + 4] >> 6u) << 4;
    }
}

// Planes of a super-block of K-quants: 32 bytes hold the same bits of the first, second, ... 32 inputs of so many.
static void read_planes(const uint8_t *source, int bits, uint8_t *codes) {
    const int each = 8 / bits, mask = (1 << bits) - 1;
    for (int i = 0; i < APUS_CHUNK; i++) {
        const int run = i / 32, byte = run / each * 32 + i % 32;
        codes[i] = (uint8_t)(source[byte] >> run % each * bits & mask);
    }
}

static void read_q3_scales(const uint8_t *s, uint32_t *scales) {
    for (int j = 0; j < 16; j++) {
        const int low = j < 8 ? s[j] & 15 : s[j - 8] >> 4, high = s[8 + j % 4] >> j / 4 * 2 & 3;
        scales[j] = (uint8_t)((low | high << 4) - 32);
    }
}

static void read_q6_codes(const uint8_t *low, const uint8_t *high, uint8_t *codes) {
    for (int part = 0; part < 2; part++, low += 64, high += 32, codes += 128) {
        for (int i = 0; i < 32; i++) {
            codes[i] = (uint8_t)((low[i] & 15) | (high[i] & 3) << 4);
            codes[i + 32] = (uint8_t)((low[i + 32] & 15) | (high[i] >> 2 & 3) << 4);
            codes[i + 64] = (uint8_t)(low[i] >> 4 | (high[i] >> 4 & 3) << 4);
            codes[i + 96] = (uint8_t)(low[i + 32] >> 4 | high[i] >> 6 << 4);
        }
    }
}

// 2^(power - 128) as bfloat16.
static uint16_t power_of_two(uint8_t power) {
    return power < 2 ? (uint16_t)(0x20 << power) : (uint16_t)((power - 1) << 7);
}

void apus_read_block(apus_stored stored, const uint8_t *block, size_t first, apus_chunk *chunk) {
    uint8_t *codes = chunk->codes + first;
    const size_t group = first / 32;
    if (apus_block_size_of(stored).inputs == 32 && stored != APUS_STORED_MXFP4) chunk->scales[group] = half_at(block);
    switch (stored) {
    case APUS_STORED_Q4_0:
    case APUS_STORED_IQ4_NL: read_halves(block + 2, codes); break;
    case APUS_STORED_Q4_1:
        chunk->offsets[group] = half_at(block + 2);
        read_halves(block + 4, codes);
        break;
    case APUS_STORED_Q5_0:
        read_halves(block + 6, codes);
        add_fifth_bits(block + 2, codes);
        break;
    case APUS_STORED_Q5_1:
        chunk->offsets[group] = half_at(block + 2);
        read_halves(block + 8, codes);
        add_fifth_bits(block + 4, codes);
        break;
    case APUS_STORED_Q8_0:
        for (int i = 0; i < 32; i++) codes[i] = block[2 + i] ^ 0x80;
        break;
    case APUS_STORED_MXFP4:
        chunk->scales[group] = power_of_two(block[0]);
        read_halves(block + 1, codes);
        break;
    case APUS_STORED_Q2_K:
        for (int j = 0; j < 16; j++) chunk->scales[j] = block[j] & 15, chunk->offsets[j] = block[j] >> 4;
        read_planes(block + 16, 2, codes);
        chunk->half = half_at(block + 80), chunk->offset_half = half_at(block + 82);
        break;
    case APUS_STORED_Q3_K: {
        uint8_t high[APUS_CHUNK];
        read_planes(block, 1, high);
        read_planes(block + 32, 2, codes);
        for (int i = 0; i < APUS_CHUNK; i++) codes[i] |= (uint8_t)(high[i] << 2);
        read_q3_scales(block + 96, chunk->scales);
        chunk->half = half_at(block + 108);
        break;
    }
    case APUS_STORED_Q4_K:
        chunk->half = half_at(block), chunk->offset_half = half_at(block + 2);
        read_sixes(block + 4, chunk->scales, chunk->offsets);
        read_planes(block + 16, 4, codes);
        break;
    case APUS_STORED_Q5_K: {
        uint8_t high[APUS_CHUNK];
        chunk->half = half_at(block), chunk->offset_half = half_at(block + 2);
        read_sixes(block + 4, chunk->scales, chunk->offsets);
        read_planes(block + 16, 1, high);
        read_planes(block + 48, 4, codes);
        for (int i = 0; i < APUS_CHUNK; i++) codes[i] |= (uint8_t)(high[i] << 4);
        break;
    }
    case APUS_STORED_Q6_K:
        read_q6_codes(block, block + 128, codes);
        for (int j = 0; j < 16; j++) chunk->scales[j] = block[192 + j];
        chunk->half = half_at(block + 208);
        break;
    case APUS_STORED_IQ4_XS:
        chunk->half = half_at(block);
        for (int j = 0; j < 8; j++) {
            const int low = block[4 + j / 2] >> j % 2 * 4 & 15, high = half_at(block + 2) >> 2 * j & 3;
            chunk->scales[j] = (uint8_t)((low | high << 4) - 32);
            read_halves(block + 8 + j * 16, codes + j * 32);
        }
        break;
    default: memset(codes, 0, APUS_CHUNK - first);
    }
}
