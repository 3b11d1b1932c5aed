// AMX tile registers (Intel SDM volume 1, chapter 18): here a left factor of up to 16 rows by 64 bytes of activations, and
// a right one of 64 bytes of each of a panel's outputs, which is how a panel lies in memory.

#include "panels.h"
#include "tile_requests.h"

#define TILE_ROWS 16
#define TILE_BYTES 1024

struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

// Rows of each tile that a product of some rows is cut into: one, or pairs, as equal as they can be. A product of fewer
// rows takes less time, and computes the same.
INLINE size_t tile_rows(size_t rows) {
    size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    if (tiles != 1) tiles = apus_round_up(tiles + (tiles == 0), 2);
    return (rows + tiles - 1) / tiles;
}

// Where a row's 64 bytes at `offset` lie among packed rows: [rows / tile rows][row_bytes / 64][tile rows][64].
INLINE size_t tiled_place(size_t rows, size_t row_bytes, size_t row, size_t offset) {
    const size_t group = tile_rows(rows);
    return row / group * group * row_bytes + offset / 64 * group * 64 + row % group * 64;
}

// Of whole tiles, and of pairs of them.
INLINE size_t tiled_bytes(size_t rows, size_t row_bytes) {
    const size_t group = tile_rows(rows);
    return apus_round_up(rows, rows > group ? 2 * group : group + (rows == 0)) * row_bytes;
}

#define TILE_SUMS 256 // of 4 bytes

// Tiles 0 to 3 are sums, 4 and 5 panels, 6 and 7 rows.
static void configure_tiles(size_t rows) {
    struct tile_configuration configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        configuration.row_bytes[i] = 64;
        configuration.rows[i] = i == 4 || i == 5 ? TILE_ROWS : (uint8_t)tile_rows(rows);
    }
    _tile_loadconfig(&configuration);
}

// How far a single tile of rows looks ahead in panels that come from memory.
#define NEAR 4096
// Packed rows that are multiplied together: most of a second-level cache, whose rest is for panels; and so many pairs of
// tiles that their sums leave the first-level cache room.
#define NEAR_ROWS_BYTES (1536 << 10)
#define NEAR_PAIRS 8
// Steps of two panels that the first-level cache holds beside sums.
#define BLOCK_STEPS 8

// Asks for what comes some way after a step of panels.
INLINE void prefetch_tiles(const uint8_t *panel, size_t stride, int panels, size_t step) {
    const uint8_t *p = panel + step * TILE_BYTES + look_ahead(step * TILE_BYTES, NEAR, panels, stride);
    UNROLLED for (int number = 0; number < panels; number++, p += stride) {
        UNROLLED for (int line = 0; line < TILE_BYTES; line += 64) __builtin_prefetch(p + line);
    }
}
