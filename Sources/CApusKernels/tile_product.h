// Products in tile registers: two tiles of rows by two panels, so that every loaded tile is used twice.
//
// The includer defines SUFFIX, TDP(sums, rows, panel), E (float or int32_t), and FINISH(task, row, panel, values), which
// makes a vector of floats of 16 sums.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

static void NAME(write_tile)(const apus_linear *task, const uint8_t *panel, const E *tile, size_t row, size_t output) {
    for (size_t r = 0; r < TILE_ROWS && row + r < task->rows; r++) {
        vfloat result = FINISH(task, row + r, panel, tile + r * APUS_PANEL);
        store_panel(task, row + r, output, &result);
    }
}

// `x`: the first tile of rows, `row_bytes` each. Meanwhile asks for the panels that come next, `lines` of them a step from
// `ahead` on; or with 0 lines for what comes soon in its own.
INLINE void NAME(tiles)(const bool two_panels, const bool two_rows, const apus_linear *task, const uint8_t *panel,
                        size_t stride, const uint8_t *x, size_t row_bytes, size_t row, size_t output,
                        const uint8_t *ahead, size_t lines) {
    const size_t end = row_bytes * TILE_ROWS;
    const uint8_t *next = panel + stride, *below = x + end;
    _tile_zero(0);
    if (two_rows) _tile_zero(1);
    if (two_panels) _tile_zero(2);
    if (two_panels && two_rows) _tile_zero(3);
    for (size_t at = 0; at < end; at += TILE_BYTES) {
        if (lines == 0) {
            prefetch_tile(panel + at + NEAR);
            if (two_panels) prefetch_tile(next + at + NEAR);
        }
        for (size_t line = 0; line < lines; line++, ahead += 64) __builtin_prefetch(ahead, 0, 2);
        _tile_loadd(4, panel + at, 64);
        _tile_loadd(6, x + at, 64);
        if (two_panels) _tile_loadd(5, next + at, 64);
        if (two_rows) _tile_loadd(7, below + at, 64);
        TDP(0, 6, 4);
        if (two_rows) TDP(1, 7, 4);
        if (two_panels) TDP(2, 6, 5);
        if (two_panels && two_rows) TDP(3, 7, 5);
    }
    E tile[TILE_ROWS * APUS_PANEL] __attribute__((aligned(64)));
    _tile_stored(0, tile, 64);
    NAME(write_tile)(task, panel, tile, row, output);
    if (two_rows) {
        _tile_stored(1, tile, 64);
        NAME(write_tile)(task, panel, tile, row + TILE_ROWS, output);
    }
    if (two_panels) {
        _tile_stored(2, tile, 64);
        NAME(write_tile)(task, next, tile, row, output + APUS_PANEL);
    }
    if (two_panels && two_rows) {
        _tile_stored(3, tile, 64);
        NAME(write_tile)(task, next, tile, row + TILE_ROWS, output + APUS_PANEL);
    }
}

INLINE void NAME(all_rows)(const bool two_panels, const apus_linear *task, const uint8_t *panel, size_t stride,
                           const uint8_t *x, size_t row_bytes, size_t output) {
    // Few rows are bound by memory. With many, the panels that come next are asked for meanwhile, in equal shares.
    const size_t shares = (task->rows + 2 * TILE_ROWS - 1) / (2 * TILE_ROWS), panels = two_panels ? 2 : 1;
    const size_t lines = shares <= 2 ? 0 : (panels * TILE_BYTES / 64 + shares - 1) / shares;
    const size_t share = lines * 64 * (row_bytes * TILE_ROWS / TILE_BYTES);
    const uint8_t *ahead = panel + panels * stride;
    size_t row = 0;
    for (; row + TILE_ROWS < task->rows; row += 2 * TILE_ROWS, ahead += share) {
        NAME(tiles)(two_panels, true, task, panel, stride, x + row * row_bytes, row_bytes, row, output, ahead, lines);
    }
    if (row < task->rows) {
        NAME(tiles)(two_panels, false, task, panel, stride, x + row * row_bytes, row_bytes, row, output, ahead, lines);
    }
}

static void NAME(tiled)(const apus_linear *task, const void *panels, size_t stride, const uint8_t *x, size_t row_bytes,
                        size_t first, size_t end) {
    const uint8_t *panel = (const uint8_t *)panels;
    configure_tiles(task->rows);
    for (; first + 2 <= end; first += 2, panel += 2 * stride) {
        NAME(all_rows)(true, task, panel, stride, x, row_bytes, first * APUS_PANEL);
    }
    if (first < end) NAME(all_rows)(false, task, panel, stride, x, row_bytes, first * APUS_PANEL);
    _tile_release();
}

#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef TDP
#undef E
#undef FINISH
