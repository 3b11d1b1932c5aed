// Products of some rows with some panels, kept in registers: one accumulator for each output of each row, which adds the
// panel's steps first to last. So a row's sums are the same whatever tile they are computed in.
//
// The includer defines SUFFIX, LINEAR and perhaps LINEAR_RAW (names of the functions), TYPE (of the matrix), ACC (a vector of
// LANES accumulators), STEP_BYTES of a panel for STEP_INPUTS activations, which are multiplied in PARTS, WV (what
// LOAD_W(p, part) gives: LANES outputs), X (type of a packed activation), XV (what LOAD_X(p, part) gives), DOT(acc, xv, wv),
// ROWS(task) (the first packed row) and RESULT(task, row, panel, v, acc), which makes floats of vector v of a row's sums.
// ROW_TILE and PANEL_TILE are the largest tile that the registers hold; up to STREAM_ROWS rows take STREAMS panels at a time,
// since memory gives more to many streams than to one or two.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

static void NAME(store)(int rows, const apus_linear *task, const uint8_t *panel, size_t row, size_t output,
                        ACC sums[ROW_TILE][VECTORS]) {
    (void)panel;
    for (int r = 0; r < rows; r++, row++) {
        vfloat result[VECTORS];
        for (int v = 0; v < VECTORS; v++) result[v] = RESULT(task, row, panel, v, sums[r][v]);
        store_panel(task, row, output, result);
    }
}

// A panel is made of the rows of a matrix on the way if `raw`: `panel` is then its row `output`, and `stride` the bytes of a
// row. One panel at a time, and only where a step is four bytes of a row.
INLINE void NAME(tile)(const bool raw, const int rows, const int panels, const apus_linear *task, const uint8_t *panel,
                       size_t stride, size_t row, size_t output) {
    const size_t steps = apus_panel_inputs(TYPE, task->inputs) / STEP_INPUTS;
    const size_t x_stride = row_stride(TYPE, task->inputs, sizeof(X));
    const X *x = ROWS(task) + row * x_stride;
    uint8_t lines[RAW_STEPS * 64] __attribute__((aligned(64)));
    ACC sums[ROW_TILE][STREAMS * VECTORS];
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int v = 0; v < panels * VECTORS; v++) sums[r][v] = (ACC){};
    }
    for (size_t step = 0; step < steps; step++) {
        WV w[STREAMS * VECTORS];
        if (!raw) {
            // Of few rows the processor itself fetches ahead what a stream goes on with, but not where the next tile's begin.
            const size_t far = rows > FEW_ROWS ? PREFETCH_AHEAD : NEXT_TILE, place = step * STEP_BYTES;
            if (rows > FEW_ROWS || place + far >= stride) {
                const size_t ahead = look_ahead(place, far, panels, stride);
                UNROLLED for (int p = 0; p < panels; p++) __builtin_prefetch(panel + (size_t)p * stride + place + ahead);
            }
        } else if (step % RAW_STEPS == 0) {
            raw_lines(task, panel, stride, output, step, lines);
        }
        UNROLLED for (int part = 0; part < PARTS; part++) {
            UNROLLED for (int v = 0; v < panels * VECTORS; v++) {
                const uint8_t *own = raw ? lines : panel + (size_t)(v / VECTORS) * stride;
                const size_t place = raw ? step % RAW_STEPS : step;
                w[v] = LOAD_W(own + place * STEP_BYTES + (size_t)(v % VECTORS) * (STEP_BYTES / VECTORS), part);
            }
            UNROLLED for (int r = 0; r < rows; r++) {
                XV xv = LOAD_X(x + (size_t)r * x_stride + step * STEP_INPUTS, part);
                UNROLLED for (int v = 0; v < panels * VECTORS; v++) {
                    sums[r][v] = DOT(sums[r][v], xv, w[v]);
                    IN_TURN(sums[r][v]);
                }
            }
        }
    }
    // From here on in memory, and not unrolled: it is done once for all those steps.
    ACC finished[STREAMS][ROW_TILE][VECTORS];
    UNROLLED for (int r = 0; r < rows; r++) {
        UNROLLED for (int v = 0; v < panels * VECTORS; v++) finished[v / VECTORS][r][v % VECTORS] = sums[r][v];
    }
    for (int p = 0; p < panels; p++) {
        NAME(store)(rows, task, panel + (size_t)p * stride, row, output + (size_t)p * APUS_PANEL, finished[p]);
    }
}

#define TILE(count)                                                                                                    \
    case count: NAME(tile)(false, count, panels, task, panel, stride, row, output); break;

// All rows, in tiles as equal as they can be.
INLINE void NAME(panels)(const int panels, const apus_linear *task, const uint8_t *panel, size_t stride, size_t output) {
    const size_t tiles = (task->rows + ROW_TILE - 1) / ROW_TILE;
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t row = task->rows * tile / tiles, end = task->rows * (tile + 1) / tiles;
        switch (end - row) {
            TILE(1) TILE(2)
#if ROW_TILE > 2
            TILE(3) TILE(4)
#endif
#if ROW_TILE > 4
            TILE(5) TILE(6)
#endif
#if ROW_TILE > 6
            TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#endif
        default: break;
        }
    }
}

void LINEAR(const apus_linear *task, const void *panels, size_t stride, size_t first, size_t end) {
    const uint8_t *panel = (const uint8_t *)panels;
    if (task->rows <= STREAM_ROWS) {
        for (; first + STREAMS <= end; first += STREAMS, panel += STREAMS * stride) {
            switch (task->rows) {
            case 1: NAME(tile)(false, 1, STREAMS, task, panel, stride, 0, first * APUS_PANEL); break;
#if STREAM_ROWS > 1
            case 2: NAME(tile)(false, 2, STREAMS, task, panel, stride, 0, first * APUS_PANEL); break;
            case 3: NAME(tile)(false, 3, STREAMS, task, panel, stride, 0, first * APUS_PANEL); break;
            case 4: NAME(tile)(false, 4, STREAMS, task, panel, stride, 0, first * APUS_PANEL); break;
#endif
            default: break;
            }
        }
    }
    for (; first + PANEL_TILE <= end; first += PANEL_TILE, panel += PANEL_TILE * stride) {
        NAME(panels)(PANEL_TILE, task, panel, stride, first * APUS_PANEL);
    }
    for (; first < end; first++, panel += stride) NAME(panels)(1, task, panel, stride, first * APUS_PANEL);
}

#ifdef LINEAR_RAW
// The same for few rows, straight from the rows of a matrix of the same type.
void LINEAR_RAW(const apus_linear *task, size_t first, size_t end) {
    const size_t row_bytes = task->inputs / STEP_INPUTS * 4;
    const uint8_t *matrix = (const uint8_t *)task->rows_of_weight + first * APUS_PANEL * row_bytes;
    for (; first < end; first++, matrix += APUS_PANEL * row_bytes) {
        switch (task->rows) {
        case 1: NAME(tile)(true, 1, 1, task, matrix, row_bytes, 0, first * APUS_PANEL); break;
#if STREAM_ROWS > 1
        case 2: NAME(tile)(true, 2, 1, task, matrix, row_bytes, 0, first * APUS_PANEL); break;
        case 3: NAME(tile)(true, 3, 1, task, matrix, row_bytes, 0, first * APUS_PANEL); break;
        case 4: NAME(tile)(true, 4, 1, task, matrix, row_bytes, 0, first * APUS_PANEL); break;
#endif
        default: break;
        }
    }
}
#endif

#undef TILE
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef LINEAR
#undef LINEAR_RAW
#undef TYPE
#undef ACC
#undef STEP_BYTES
#undef STEP_INPUTS
#undef WV
#undef X
#undef XV
#undef LOAD_W
#undef LOAD_X
#undef PARTS
#undef DOT
#undef ROWS
#undef RESULT
