// Products of pairs of halves in tile registers (tile_registers.h): queries and weights are rounded to bfloat16.
// Tiles 0 to 3 are sums, 4 keys, 5 queries, 6 the values of a block and 7 their weights.

#define SUM_TILES 4

// Inputs of a step of scores: 32 if a head is made of such, so that one configuration serves all steps.
INLINE size_t query_step(size_t width) { return width % 32 == 0 ? 32 : 16; }

static void begin_tiles(const struct attention_work *work) {
    const uint8_t rows = work->rows < TILE_ROWS ? (uint8_t)work->rows : TILE_ROWS;
    const size_t step = query_step(work->width);
    struct tile_configuration configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        configuration.row_bytes[i] = 64;
        configuration.rows[i] = rows;
    }
    configuration.rows[4] = (uint8_t)(step / 2);
    configuration.row_bytes[5] = (uint16_t)(step * 2);
    configuration.rows[6] = APUS_KV_BLOCK / 2;
    configuration.row_bytes[7] = APUS_KV_BLOCK * 2;
    _tile_loadconfig(&configuration);
}

INLINE void prefetch_lines(const void *p, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64) __builtin_prefetch((const uint8_t *)p + line, 0, 2);
}

// Scores of 16 rows with up to four blocks of keys, from block `block` on.
INLINE void score_tiles(const int blocks, const struct attention_work *work, const struct blocks *keys, size_t block,
                        size_t row) {
    const size_t width = work->width, step = query_step(width);
    const uint16_t *q = (const uint16_t *)work->queries + row * width;
    _tile_zero(0);
    if (blocks > 1) _tile_zero(1);
    if (blocks > 2) _tile_zero(2);
    if (blocks > 3) _tile_zero(3);
    for (size_t i = 0; i < width; i += step) {
        const size_t at = i * APUS_KV_BLOCK * 2, bytes = step * APUS_KV_BLOCK * 2;
        if (row == 0) {
            for (int b = 0; b < blocks; b++) {
                prefetch_lines((const uint8_t *)keys->ahead[block + (size_t)b] + at, bytes);
            }
        }
        _tile_loadd(5, q + i, width * 2);
        _tile_loadd(4, (const uint8_t *)keys->at[block] + at, 64);
        _tile_dpbf16ps(0, 5, 4);
        if (blocks > 1) {
            _tile_loadd(4, (const uint8_t *)keys->at[block + 1] + at, 64);
            _tile_dpbf16ps(1, 5, 4);
        }
        if (blocks > 2) {
            _tile_loadd(4, (const uint8_t *)keys->at[block + 2] + at, 64);
            _tile_dpbf16ps(2, 5, 4);
        }
        if (blocks > 3) {
            _tile_loadd(4, (const uint8_t *)keys->at[block + 3] + at, 64);
            _tile_dpbf16ps(3, 5, 4);
        }
    }
    float *scores = work->scores + row * SCORE_STRIDE + (keys->first + block) * APUS_KV_BLOCK;
    _tile_stored(0, scores, SCORE_STRIDE * 4);
    if (blocks > 1) _tile_stored(1, scores + 16, SCORE_STRIDE * 4);
    if (blocks > 2) _tile_stored(2, scores + 32, SCORE_STRIDE * 4);
    if (blocks > 3) _tile_stored(3, scores + 48, SCORE_STRIDE * 4);
}

static void scores_bf16(const struct attention_work *work, const struct blocks *keys) {
    for (size_t block = 0; block < keys->count; block += SUM_TILES) {
        for (size_t row = 0; row < work->rows; row += TILE_ROWS) {
            switch (keys->count - block) {
            case 1: score_tiles(1, work, keys, block, row); break;
            case 2: score_tiles(2, work, keys, block, row); break;
            case 3: score_tiles(3, work, keys, block, row); break;
            default: score_tiles(4, work, keys, block, row); break;
            }
        }
    }
}

// Adds values to 16 columns of each of `tiles` tiles of sums, 64 bytes apart in rows of `stride` bytes.
INLINE void add_value_tiles(const int tiles, const struct blocks *values, const uint16_t *weights, size_t column,
                            size_t width, float *sums, size_t stride) {
    _tile_loadd(0, sums, stride);
    if (tiles > 1) _tile_loadd(1, sums + 16, stride);
    if (tiles > 2) _tile_loadd(2, sums + 32, stride);
    if (tiles > 3) _tile_loadd(3, sums + 48, stride);
    for (size_t block = 0; block < values->count; block++) {
        const uint32_t *at = (const uint32_t *)values->at[block] + column;
        _tile_loadd(7, weights + block * APUS_KV_BLOCK, SCORE_STRIDE * 4);
        _tile_loadd(6, at, width * 4);
        _tile_dpbf16ps(0, 7, 6);
        if (tiles > 1) {
            _tile_loadd(6, at + 16, width * 4);
            _tile_dpbf16ps(1, 7, 6);
        }
        if (tiles > 2) {
            _tile_loadd(6, at + 32, width * 4);
            _tile_dpbf16ps(2, 7, 6);
        }
        if (tiles > 3) {
            _tile_loadd(6, at + 48, width * 4);
            _tile_dpbf16ps(3, 7, 6);
        }
    }
    _tile_stored(0, sums, stride);
    if (tiles > 1) _tile_stored(1, sums + 16, stride);
    if (tiles > 2) _tile_stored(2, sums + 32, stride);
    if (tiles > 3) _tile_stored(3, sums + 48, stride);
}

static void add_value_columns(const struct blocks *values, const uint16_t *weights, size_t column, size_t columns,
                              size_t width, float *sums, size_t stride) {
    switch (columns / 16) {
    case 1: add_value_tiles(1, values, weights, column, width, sums, stride); break;
    case 2: add_value_tiles(2, values, weights, column, width, sums, stride); break;
    case 3: add_value_tiles(3, values, weights, column, width, sums, stride); break;
    default: add_value_tiles(4, values, weights, column, width, sums, stride); break;
    }
}

static void add_values_bf16(const struct attention_work *work, const struct blocks *values, size_t row, size_t rows,
                            float *sums) {
    const size_t width = work->width, end = row + rows;
    for (size_t block = 0; block < values->count; block++) {
        prefetch_lines(values->ahead[block], width * APUS_KV_BLOCK * 2);
    }
    for (; row < end; row += TILE_ROWS) {
        const uint16_t *weights = (const uint16_t *)(const void *)(work->scores + row * SCORE_STRIDE);
        const size_t count = end - row < TILE_ROWS ? end - row : TILE_ROWS;
        weights += values->first * APUS_KV_BLOCK;
        for (size_t column = 0, columns; column < width; column += columns) {
            columns = width - column < SUM_TILES * 16 ? width - column : SUM_TILES * 16;
            float *at = sums + row * width + column;
            if (count == TILE_ROWS || (row % TILE_ROWS == 0 && end == work->rows)) {
                add_value_columns(values, weights, column, columns, width, at, width * 4);
                continue;
            }
            // The rows that follow are another token's, or none: these are computed beside them.
            float own[TILE_ROWS * SUM_TILES * 16] __attribute__((aligned(64)));
            for (size_t r = 0; r < count; r++) memcpy(own + r * columns, at + r * width, columns * 4);
            add_value_columns(values, weights, column, columns, width, own, columns * 4);
            for (size_t r = 0; r < count; r++) memcpy(at + r * width, own + r * columns, columns * 4);
        }
    }
}

#define BEGIN_PRODUCTS(work) begin_tiles(work)
#define END_PRODUCTS() _tile_release()
