// Products of rows with the vectors of blocks, kept in registers: scores of keys, or sums of values. Each sum adds its
// inputs first to last, so it is the same whatever tile it is computed in.
//
// The includer defines SUFFIX, X (the type of a row's elements), STEP_X of them a step, which is multiplied in PARTS, WV
// (what LOAD_W(p, part) gives: LANES columns, four bytes each for all parts), XV (what LOAD_X(p, part) gives) and
// DOT(sum, xv, wv).

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

INLINE void NAME(block_tile)(const int rows, const int vectors, const struct block_product *p, size_t row) {
    const size_t x_stride = p->x_stride, steps = p->steps, step_bytes = p->step_bytes;
    const X *x = (const X *)p->x + row * x_stride;
    float *y = p->y + row * p->y_stride;
    vfloat sums[QUERY_TILE][COLUMN_TILE];
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int v = 0; v < vectors; v++) {
            sums[r][v] = p->accumulate ? load(y + (size_t)r * p->y_stride + (size_t)v * LANES) : (vfloat){};
        }
    }
    for (size_t block = 0; block < p->blocks; block++) {
        const uint8_t *at[COLUMN_TILE], *ahead[COLUMN_TILE];
        UNROLLED for (int v = 0; v < vectors; v++) at[v] = p->at[block][v], ahead[v] = p->ahead[block][v];
        for (size_t step = 0, offset = 0; step < steps; step++, offset += step_bytes, x += STEP_X) {
            UNROLLED for (int v = 0; v < vectors; v++) {
                if (v == 0 || LANES == 16) __builtin_prefetch(ahead[v] + offset, 0, 2);
            }
            UNROLLED for (int part = 0; part < PARTS; part++) {
                WV w[COLUMN_TILE];
                UNROLLED for (int v = 0; v < vectors; v++) w[v] = LOAD_W(at[v] + offset, part);
                UNROLLED for (int r = 0; r < rows; r++) {
                    XV xv = LOAD_X(x + (size_t)r * x_stride, part);
                    UNROLLED for (int v = 0; v < vectors; v++) {
                        sums[r][v] = DOT(sums[r][v], xv, w[v]);
                        IN_TURN(sums[r][v]);
                    }
                }
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++, y += p->y_stride) {
        UNROLLED for (int v = 0; v < vectors; v++) store(y + (size_t)v * LANES, sums[r][v]);
    }
}

#define TILES(count)                                                                                                   \
    for (; row + count <= rows; row += count) {                                                                        \
        if (vectors == COLUMN_TILE) {                                                                                  \
            NAME(block_tile)(count, COLUMN_TILE, p, row);                                                              \
        } else {                                                                                                       \
            NAME(block_tile)(count, 1, p, row);                                                                        \
        }                                                                                                              \
    }

static void NAME(query_rows)(const struct block_product *p, size_t rows, size_t vectors) {
    size_t row = 0;
#if QUERY_TILE >= 12
    TILES(12) TILES(8)
#elif QUERY_TILE >= 6
    TILES(6)
#endif
    TILES(4) TILES(2) TILES(1)
}

static void NAME(scores)(const struct attention_work *work, const struct blocks *keys) {
    struct block_product p = {.x = work->queries, .x_stride = work->width, .y_stride = SCORE_STRIDE, .blocks = 1,
                              .steps = work->width / STEP_X, .step_bytes = APUS_KV_BLOCK * 4};
    const size_t count = keys->count * APUS_KV_BLOCK;
    for (size_t key = 0, vectors; key < count; key += vectors * LANES) {
        vectors = count - key < COLUMN_TILE * LANES ? 1 : COLUMN_TILE;
        for (size_t v = 0; v < vectors; v++) {
            const size_t at = key + v * LANES, block = at / APUS_KV_BLOCK;
            p.at[0][v] = (const uint8_t *)keys->at[block] + at % APUS_KV_BLOCK * 4;
            p.ahead[0][v] = (const uint8_t *)keys->ahead[block] + at % APUS_KV_BLOCK * 4;
        }
        p.y = work->scores + keys->first * APUS_KV_BLOCK + key;
        NAME(query_rows)(&p, work->rows, vectors);
    }
}

static void NAME(add_values)(const struct attention_work *work, const struct blocks *values, size_t row, size_t rows,
                             float *sums) {
    const size_t width = work->width, x_stride = SCORE_STRIDE * sizeof(float) / sizeof(X);
    const X *weights = (const X *)(const void *)work->scores + row * x_stride;
    struct block_product p = {.x = weights + values->first * APUS_KV_BLOCK, .x_stride = x_stride, .y_stride = width,
                              .blocks = values->count, .steps = APUS_KV_BLOCK / STEP_X, .step_bytes = width * 4,
                              .accumulate = true};
    for (size_t column = 0, vectors; column < width; column += vectors * LANES) {
        vectors = width - column < COLUMN_TILE * LANES ? 1 : COLUMN_TILE;
        for (size_t block = 0; block < values->count; block++) {
            for (size_t v = 0; v < vectors; v++) {
                p.at[block][v] = (const uint8_t *)values->at[block] + (column + v * LANES) * 4;
                p.ahead[block][v] = (const uint8_t *)values->ahead[block] + (column + v * LANES) * 4;
            }
        }
        p.y = sums + row * width + column;
        NAME(query_rows)(&p, rows, vectors);
    }
}

#undef TILES
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef X
#undef STEP_X
#undef WV
#undef LOAD_W
#undef XV
#undef LOAD_X
#undef PARTS
#undef DOT
