// Products in tile registers: a tile of rows by four panels, since memory gives more to many streams than to one; or two
// tiles of rows by three panels, so that what is loaded is used often.
//
// The includer defines SUFFIX, TDP(sums, rows, panel), E (float or int32_t), FINISH(task, row, panel, values), which makes a
// vector of floats of 16 sums, and BRING(place, panels, step), which sees to it that a step of some panels is near when its
// turn comes. With WIDENS, that means to make it: steps of panels are then made one step ahead.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

// Where things are: panels, the tiles made of them (the panels themselves unless they are widened), and the packed rows.
typedef struct {
    const apus_linear *task;
    const uint8_t *panel, *tiles;
    size_t stride, tile_stride; // from one panel to the next
    size_t output;
    size_t steps; // of 64 bytes
    size_t group; // rows of a tile
    size_t row, end; // of the rows that are multiplied now
    size_t kept;  // steps of tiles before the first is overwritten
    const uint8_t *x;
} NAME(place);

#define TILE(s, number, step) ((s)->tiles + (number) * (s)->tile_stride + (step) % (s)->kept * TILE_BYTES)

static void NAME(write_tile)(const NAME(place) *s, size_t panel, size_t row, const E *tile) {
    // The second tile of the last pair may have no rows at all.
    const size_t left = row < s->task->rows ? s->task->rows - row : 0, rows = left < s->group ? left : s->group;
    for (size_t r = 0; r < rows; r++) {
        vfloat result = FINISH(s->task, row + r, s->panel + panel * s->stride, tile + r * APUS_PANEL);
        store_panel(s->task, row + r, s->output + panel * APUS_PANEL, &result);
    }
}

#define WRITE(sums, number, row)                                                                                       \
    if (panels > number) {                                                                                             \
        E tile[TILE_ROWS * APUS_PANEL] __attribute__((aligned(64)));                                                   \
        _tile_stored(sums, tile, 64);                                                                                  \
        NAME(write_tile)(s, number, row, tile);                                                                        \
    }

#define MULTIPLY(sums, number)                                                                                         \
    if (panels > number) {                                                                                             \
        _tile_loadd(6, TILE(s, number, step), 64);                                                                     \
        TDP(sums, 7, 6);                                                                                               \
    }

// All rows, one tile of them, by up to four panels.
INLINE void NAME(one_tile)(const int panels, const NAME(place) *s) {
    const uint8_t *x = s->x;
    ZERO_SUMS();
    if (WIDENS) BRING(s, panels, 0);
    for (size_t step = 0; step < s->steps; step++, x += s->group * 64) {
        BRING(s, panels, step + WIDENS);
        _tile_loadd(7, x, 64);
        MULTIPLY(0, 0)
        MULTIPLY(1, 1)
        MULTIPLY(2, 2)
        MULTIPLY(3, 3)
    }
    WRITE(0, 0, 0)
    WRITE(1, 1, 0)
    WRITE(2, 2, 0)
    WRITE(3, 3, 0)
}

// Two tiles of rows by up to three panels, which are `far` until the first rows have brought them.
INLINE void NAME(two_tiles)(const bool far, const int panels, const NAME(place) *s, size_t row) {
    const uint8_t *x = s->x + row * s->steps * 64, *below = x + s->group * s->steps * 64;
    ZERO_SUMS();
    if (far && WIDENS) BRING(s, panels, 0);
    for (size_t step = 0; step < s->steps; step++, x += s->group * 64, below += s->group * 64) {
        if (far) BRING(s, panels, step + WIDENS);
        _tile_loadd(7, x, 64);
        MULTIPLY(0, 0)
        MULTIPLY(1, 1)
        MULTIPLY(2, 2)
        _tile_loadd(7, below, 64);
        if (panels > 2) TDP(5, 7, 6);
        if (panels > 1) {
            if (panels > 2) _tile_loadd(6, TILE(s, 1, step), 64);
            TDP(4, 7, 6);
            _tile_loadd(6, TILE(s, 0, step), 64);
        }
        TDP(3, 7, 6);
    }
    WRITE(0, 0, row)
    WRITE(1, 1, row)
    WRITE(2, 2, row)
    WRITE(3, 0, row + s->group)
    WRITE(4, 1, row + s->group)
    WRITE(5, 2, row + s->group)
}

INLINE void NAME(all_tiles)(const int panels, const NAME(place) *s) {
    if (s->row == 0 || WIDENS) {
        NAME(two_tiles)(true, panels, s, s->row);
    } else {
        NAME(two_tiles)(false, panels, s, s->row);
    }
    for (size_t row = s->row + 2 * s->group; row < s->end; row += 2 * s->group) {
        NAME(two_tiles)(false, panels, s, row);
    }
}

#define SOME_PANELS(function, count)                                                                                   \
    case count: function(count, &s); break;

// All panels by the rows from s.row to s.end.
static void NAME(some_rows)(NAME(place) s, size_t panels) {
    const bool one_tile = s.task->rows <= s.group;
    const size_t most = one_tile ? 4 : 3;
    for (size_t first = 0; first < panels; first += most) {
        const size_t count = panels - first < most ? panels - first : most;
        if (!WIDENS) s.tiles = s.panel;
        switch (one_tile ? count : count + 4) {
            SOME_PANELS(NAME(one_tile), 1)
            SOME_PANELS(NAME(one_tile), 2)
            SOME_PANELS(NAME(one_tile), 3)
            SOME_PANELS(NAME(one_tile), 4)
        case 5: NAME(all_tiles)(1, &s); break;
        case 6: NAME(all_tiles)(2, &s); break;
        case 7: NAME(all_tiles)(3, &s); break;
        default: break;
        }
        s.panel += count * s.stride, s.output += count * APUS_PANEL;
    }
}

static void NAME(tiled)(const apus_linear *task, const void *panels, size_t stride, const uint8_t *x, size_t row_bytes,
                        size_t first, size_t end) {
    NAME(place) s = {
        .task = task, .panel = (const uint8_t *)panels, .stride = stride, .output = first * APUS_PANEL,
        .steps = row_bytes / 64, .group = tile_rows(task->rows), .kept = row_bytes / 64, .x = x};
    if (WIDENS) {
        // Rows that take them in one go need few steps at a time, which stay in the first-level cache.
        if (task->rows <= 2 * s.group && s.kept > 4) s.kept = 4;
        s.tiles = (const uint8_t *)task->scratch;
        s.tile_stride = s.kept * TILE_BYTES;
    } else {
        s.tile_stride = stride;
    }
    configure_tiles(task->rows);
    // Rows that the second-level cache holds go through all panels before the next.
    const size_t pair = 2 * s.group, near = NEAR_ROWS_BYTES / row_bytes / pair * pair;
    for (s.row = 0; s.row < task->rows; s.row = s.end) {
        s.end = s.row + (near > pair ? near : pair);
        if (s.end + pair >= task->rows) s.end = task->rows;
        NAME(some_rows)(s, end - first);
    }
    _tile_release();
}

#undef SOME_PANELS
#undef TILE
#undef MULTIPLY
#undef WRITE
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef TDP
#undef E
#undef FINISH
#undef BRING
#undef WIDENS
