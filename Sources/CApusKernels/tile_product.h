// Products in tile registers.
//
// One tile of rows goes by four panels, since memory gives more to many streams than to one. More rows go two tiles at a
// time by two panels, a block of steps after the other: the first-level cache holds a block of panels for all rows, while
// the block's sums of each pair of tiles wait in memory. Meanwhile the panels that come next are asked for, evenly, since
// memory has to be busy all the time.
//
// The includer defines SUFFIX, TDP(sums, rows, panel), E (float or int32_t), FINISH(task, row, panel, values), which makes a
// vector of floats of 16 sums, and WIDENS: whether panels have to be widened by WIDEN(place, panels, step) first, which is
// done one step ahead.

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
    size_t block; // steps of a block
    size_t group; // rows of a tile
    size_t row, end; // of the rows that are multiplied now
    size_t kept;  // steps of tiles before the first is overwritten
    const uint8_t *x;
    struct requests next;
} NAME(place);

#define TILE(s, number, step) ((s)->tiles + (number) * (s)->tile_stride + (step) % (s)->kept * TILE_BYTES)

// Sums of tiles of `panels` panels, for a tile of rows.
static void NAME(write_tiles)(const NAME(place) *s, int panels, size_t row, const E *sums) {
    // The second tile of the last pair may have no rows at all.
    const size_t left = row < s->task->rows ? s->task->rows - row : 0, rows = left < s->group ? left : s->group;
    for (size_t panel = 0; panel < (size_t)panels; panel++, sums += TILE_SUMS) {
        for (size_t r = 0; r < rows; r++) {
            vfloat result = FINISH(s->task, row + r, s->panel + panel * s->stride, sums + r * APUS_PANEL);
            store_panel(s->task, row + r, s->output + panel * APUS_PANEL, &result);
        }
    }
}

// Asks for where the results of some rows go, a few rows at each step, so that they need not be waited for at the end.
INLINE void NAME(request_results)(const NAME(place) *s, int panels, size_t row, size_t rows, size_t step) {
    for (size_t r = step * rows / s->steps; r < (step + 1) * rows / s->steps; r++) {
        const float *y = s->task->y + (row + r) * s->task->y_stride + s->output;
        UNROLLED for (int panel = 0; panel < panels; panel++) __builtin_prefetch(y + panel * APUS_PANEL, 1);
    }
}

#define MULTIPLY(sums, number, register)                                                                               \
    if (panels > number) {                                                                                             \
        _tile_loadd(register, TILE(s, number, step), 64);                                                              \
        TDP(sums, 7, register);                                                                                        \
    }

// All rows, one tile of them, by up to four panels.
INLINE void NAME(one_tile)(const int panels, NAME(place) *s) {
    const uint8_t *x = s->x;
    _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
    if (WIDENS) WIDEN(s, panels, 0);
    for (size_t step = 0; step < s->steps; step++, x += s->group * 64) {
        if (WIDENS) {
            if (step + 1 < s->steps) WIDEN(s, panels, step + 1);
        } else {
            prefetch_tiles(s->panel, s->stride, panels, step);
        }
        NAME(request_results)(s, panels, 0, s->group, step);
        _tile_loadd(7, x, 64);
        MULTIPLY(0, 0, 4)
        MULTIPLY(1, 1, 5)
        MULTIPLY(2, 2, 4)
        MULTIPLY(3, 3, 5)
    }
    E sums[4 * TILE_SUMS] __attribute__((aligned(64)));
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + TILE_SUMS, 64);
    _tile_stored(2, sums + 2 * TILE_SUMS, 64);
    _tile_stored(3, sums + 3 * TILE_SUMS, 64);
    NAME(write_tiles)(s, panels, 0, sums);
}

// Steps [step, end) of two tiles of rows by up to two panels, which are `far` until the first rows have brought them. The
// sums so far are in `sums`, and come there.
INLINE void NAME(two_tiles)(const bool far, const int panels, NAME(place) *s, size_t row, size_t step, size_t end, E *sums) {
    const uint8_t *x = s->x + row * s->steps * 64 + step * s->group * 64, *below = x + s->group * s->steps * 64;
    if (step == 0) {
        _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
    } else {
        _tile_loadd(0, sums, 64);
        if (panels > 1) _tile_loadd(1, sums + TILE_SUMS, 64);
        _tile_loadd(2, sums + 2 * TILE_SUMS, 64);
        if (panels > 1) _tile_loadd(3, sums + 3 * TILE_SUMS, 64);
    }
    if (far && WIDENS) WIDEN(s, panels, step);
    for (; step < end; step++, x += s->group * 64, below += s->group * 64) {
        if (far && WIDENS && step + 1 < end) WIDEN(s, panels, step + 1);
        request(&s->next);
        NAME(request_results)(s, panels, row, 2 * s->group, step);
        _tile_loadd(4, TILE(s, 0, step), 64);
        _tile_loadd(6, x, 64);
        TDP(0, 6, 4);
        if (panels > 1) {
            _tile_loadd(5, TILE(s, 1, step), 64);
            TDP(1, 6, 5);
        }
        _tile_loadd(7, below, 64);
        TDP(2, 7, 4);
        if (panels > 1) TDP(3, 7, 5);
    }
    _tile_stored(0, sums, 64);
    if (panels > 1) _tile_stored(1, sums + TILE_SUMS, 64);
    _tile_stored(2, sums + 2 * TILE_SUMS, 64);
    if (panels > 1) _tile_stored(3, sums + 3 * TILE_SUMS, 64);
}

// Rows from s->row to s->end.
INLINE void NAME(all_tiles)(const int panels, NAME(place) *s) {
    E sums[NEAR_PAIRS * 4 * TILE_SUMS] __attribute__((aligned(64)));
    const size_t pair = 2 * s->group;
    for (size_t step = 0, end; step < s->steps; step = end) {
        end = step + s->block < s->steps ? step + s->block : s->steps;
        request_up_to(&s->next, end);
        E *of_pair = sums;
        for (size_t row = s->row; row < s->end; row += pair, of_pair += 4 * TILE_SUMS) {
            if (row == s->row) {
                NAME(two_tiles)(true, panels, s, row, step, end, of_pair);
            } else {
                NAME(two_tiles)(false, panels, s, row, step, end, of_pair);
            }
            if (end == s->steps) {
                NAME(write_tiles)(s, panels, row, of_pair);
                NAME(write_tiles)(s, panels, row + s->group, of_pair + 2 * TILE_SUMS);
            }
        }
    }
    next_pair(&s->next);
}

#define SOME_PANELS(function, count)                                                                                   \
    case count: function(count, &s); break;

// All panels by the rows from s.row to s.end.
static void NAME(some_rows)(NAME(place) s, size_t panels) {
    const bool one_tile = s.task->rows <= s.group;
    const size_t most = one_tile ? 4 : 2;
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
    const size_t pair = 2 * s.group;
    // A single pair of tiles takes each panel in one go.
    s.block = task->rows <= pair ? s.steps : BLOCK_STEPS;
    if (WIDENS) {
        // What is widened stays in the first-level cache.
        const size_t kept = task->rows <= pair ? 4 : BLOCK_STEPS;
        if (kept < s.kept) s.kept = kept;
        s.tiles = (const uint8_t *)task->scratch;
        s.tile_stride = s.kept * TILE_BYTES;
    } else {
        s.tile_stride = stride;
    }
    configure_tiles(task->rows);
    // Rows that the second-level cache holds go through all panels before the next, in runs as equal as they can be.
    const size_t pairs = (task->rows + pair - 1) / pair;
    size_t near = NEAR_ROWS_BYTES / (row_bytes * pair);
    near = near < 1 ? 1 : near > NEAR_PAIRS ? NEAR_PAIRS : near;
    const size_t runs = (pairs + near - 1) / near;
    near = (pairs + runs - 1) / runs * pair;
    for (s.row = 0; s.row < task->rows; s.row = s.end) {
        s.end = s.row + near < task->rows ? s.row + near : task->rows;
        s.next = requests(s.panel, stride, s.steps, (s.end - s.row + pair - 1) / pair);
        NAME(some_rows)(s, end - first);
    }
    _tile_release();
}

#undef SOME_PANELS
#undef TILE
#undef MULTIPLY
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef TDP
#undef E
#undef FINISH
#undef WIDEN
#undef WIDENS
