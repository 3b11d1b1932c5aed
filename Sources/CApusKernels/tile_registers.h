// AMX tile registers (Intel SDM volume 1, chapter 18): here a left factor of up to 16 rows by 64 bytes of activations, and
// a right one of 64 bytes of each of a panel's outputs, which is how a panel lies in memory.

#define TILE_ROWS 16
#define TILE_BYTES 1024

struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

// Tiles 0 to 3 are sums, 4 and 5 panels, 6 and 7 rows. Fewer rows take less time, and compute the same.
static void configure_tiles(size_t rows) {
    struct tile_configuration configuration = {.palette = 1};
    const uint8_t used = rows < TILE_ROWS ? (uint8_t)rows : TILE_ROWS;
    for (int i = 0; i < 8; i++) {
        configuration.row_bytes[i] = 64;
        configuration.rows[i] = i == 4 || i == 5 ? 16 : used;
    }
    _tile_loadconfig(&configuration);
}

// How far a product of few rows looks ahead in its own panels.
#define NEAR 8192

INLINE void prefetch_tile(const uint8_t *p) {
    UNROLLED for (int line = 0; line < TILE_BYTES; line += 64) __builtin_prefetch(p + line);
}
