// Products of grouped matrices (grouped.h) with activations rounded to 8 bits for each 64 inputs (grouped_rows.h). The sums of
// a group are exact; groups are added first to last, each output's sum being
//
//     sum += float(sum of (value - zero) * x over the group) * (scale of x * scale of the group)
//     sum += offset of the group * (scale of x * float(sum of x over the group))
//
// The includer defines dot_u8(sum, x, w), the products of four unsigned weights with four signed activations, and
// look_up(codes, table), entries of a table of 16 bytes.

typedef uint8_t narrow_bytes __attribute__((vector_size(LANES)));
typedef int8_t narrow_signed __attribute__((vector_size(LANES)));
typedef uint16_t narrow_halves __attribute__((vector_size(LANES * 2)));

// A widened unit: codes as bytes [16][16][4], then scales [groups][16], then offsets.
#define WIDE_CODES (APUS_GROUPED_UNIT * APUS_PANEL)
#define WIDE_MOST (WIDE_CODES + 2 * 4 * APUS_PANEL * 4)

// Rows of a tile: their sums, and those of a group, stay in registers.
#if LANES == 16
#define GROUPED_TILE 12
#else
#define GROUPED_TILE 4
#endif

INLINE void store_bytes(uint8_t *p, vint v) { store((float *)(void *)p, (vfloat)v); }

INLINE vfloat load_bf16(const uint8_t *p) {
    narrow_halves halves;
    memcpy(&halves, p, sizeof halves);
    return (vfloat)(__builtin_convertvector(halves, vint) << 16);
}

INLINE vfloat load_u8(const uint8_t *p) {
    narrow_bytes bytes;
    memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(__builtin_convertvector(bytes, vint), vfloat);
}

INLINE vfloat load_i8(const uint8_t *p) {
    narrow_signed bytes;
    memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(__builtin_convertvector(bytes, vint), vfloat);
}

INLINE vfloat load_half_floats(const uint8_t *p) { return LOAD_F16((const uint16_t *)(const void *)p); }

// The codes of 64 inputs as bytes, in lines of one step of four inputs each.
INLINE void widen_codes(const apus_grouping *g, const uint8_t *source, uint8_t *wide) {
    const vint ones = (vint){} + 0x01010101;
    for (size_t v = 0; v < 64; v += LANES * 4) {
        const uint8_t *line = source + v;
        uint8_t *target = wide + v;
        switch (g->bits) {
        case 8:
            for (size_t s = 0; s < 16; s++) store_bytes(target + s * 64, load_bytes(line + s * 64));
            break;
        case 4:
            if (g->has_table) {
                for (size_t s = 0; s < 8; s++) {
                    const vint codes = load_bytes(line + s * 64);
                    store_bytes(target + s * 128, look_up(codes & ones * 15, g->table));
                    store_bytes(target + s * 128 + 64, look_up(codes >> 4 & ones * 15, g->table));
                }
                break;
            }
            for (size_t s = 0; s < 8; s++) {
                const vint codes = load_bytes(line + s * 64);
                store_bytes(target + s * 128, codes & ones * 15);
                store_bytes(target + s * 128 + 64, codes >> 4 & ones * 15);
            }
            break;
        case 6:
            UNROLLED for (size_t s = 0; s < 16; s++) {
                const vint low = load_bytes(line + s / 2 * 64) >> (s % 2 ? 4 : 0) & ones * 15;
                const vint two = load_bytes(line + 512 + s / 4 * 64);
                const vint high = (s % 4 < 2 ? two << (4 - 2 * (s % 4)) : two >> (2 * (s % 4) - 4)) & ones * 0x30;
                store_bytes(target + s * 64, low | high);
            }
            break;
        case 5:
            UNROLLED for (size_t s = 0; s < 16; s++) {
                const vint low = load_bytes(line + s / 2 * 64) >> (s % 2 ? 4 : 0) & ones * 15;
                const vint one = load_bytes(line + 512 + s / 8 * 64);
                const vint high = (s % 8 < 4 ? one << (4 - s % 8) : one >> (s % 8 - 4)) & ones * 0x10;
                store_bytes(target + s * 64, low | high);
            }
            break;
        case 3:
            UNROLLED for (size_t s = 0; s < 16; s++) {
                const vint low = load_bytes(line + s / 4 * 64) >> 2 * (s % 4) & ones * 3;
                const vint one = load_bytes(line + 256 + s / 8 * 64);
                const vint high = (s % 8 < 2 ? one << (2 - s % 8) : one >> (s % 8 - 2)) & ones * 4;
                store_bytes(target + s * 64, low | high);
            }
            break;
        default:
            UNROLLED for (size_t s = 0; s < 16; s++) {
                store_bytes(target + s * 64, load_bytes(line + s / 4 * 64) >> 2 * (s % 4) & ones * 3);
            }
        }
    }
}

// Unit `unit` of a panel. `inputs` are those of the matrix.
INLINE void widen_unit(const bool has_offset, const apus_grouping *g, const apus_block_layout *layout, const uint8_t *panel,
                       size_t inputs, size_t unit, uint8_t *wide) {
    const size_t each = layout->inputs / APUS_GROUPED_UNIT, place = unit % each;
    const uint8_t *block = panel + unit / each * layout->bytes;
    widen_codes(g, block + place * (layout->codes / each), wide);
    const size_t groups = g->group < APUS_GROUPED_UNIT ? APUS_GROUPED_UNIT / g->group : 1;
    float *scales = (float *)(void *)(wide + WIDE_CODES), *offsets = scales + groups * APUS_PANEL;
    if (g->scale == APUS_SCALE_ROW) {
        const float *own = apus_row_scales(panel, layout, inputs);
        memcpy(scales, own, APUS_PANEL * sizeof(float));
        if (has_offset) memcpy(offsets, own + APUS_PANEL, APUS_PANEL * sizeof(float));
        return;
    }
    const uint8_t *first_scale = block + layout->codes, *first_offset = first_scale + layout->groups * APUS_PANEL * layout->scale;
    const uint8_t *halves = first_offset + layout->groups * APUS_PANEL * layout->offset;
    for (size_t group = 0; group < groups; group++) {
        const size_t index = g->group > APUS_GROUPED_UNIT ? 0 : place * groups + group;
        const uint8_t *scale_at = first_scale + index * APUS_PANEL * layout->scale;
        const uint8_t *offset_at = first_offset + index * APUS_PANEL * layout->offset;
        for (size_t i = 0; i < APUS_PANEL; i += LANES) {
            vfloat scale, offset = {};
            switch (g->scale) {
            case APUS_SCALE_F16:
                scale = load_half_floats(scale_at + i * 2);
                if (has_offset) offset = load_half_floats(offset_at + i * 2);
                break;
            case APUS_SCALE_BF16:
                scale = load_bf16(scale_at + i * 2);
                if (has_offset && g->offset == APUS_OFFSET_OWN) offset = load_bf16(offset_at + i * 2);
                break;
            case APUS_SCALE_F32:
                scale = load((const float *)(const void *)scale_at + i);
                if (has_offset && g->offset == APUS_OFFSET_OWN) offset = load((const float *)(const void *)offset_at + i);
                break;
            case APUS_SCALE_U8:
                scale = load_u8(scale_at + i) * load_half_floats(halves + i * 2);
                if (has_offset) offset = -(load_u8(offset_at + i) * load_half_floats(halves + APUS_PANEL * 2 + i * 2));
                break;
            default:
                scale = load_i8(scale_at + i) * load_half_floats(halves + i * 2);
            }
            if (has_offset && g->offset == APUS_OFFSET_ZERO) offset = -(scale * load_half_floats(offset_at + i * 2));
            store(scales + group * APUS_PANEL + i, scale);
            if (has_offset) store(offsets + group * APUS_PANEL + i, offset);
        }
    }
}

// Adds one unit of a widened panel to the sums of some rows.
INLINE void add_unit(const int count, const int group, const bool has_offset, const grouped_rows *rows, size_t row,
                     size_t unit, int zero, const uint8_t *wide, vfloat sums[][VECTORS]) {
    const int groups = APUS_GROUPED_UNIT / group;
    const int8_t *x = grouped_values(rows, row) + unit * APUS_GROUPED_UNIT;
    const float *x_scales = grouped_scales(rows, row) + unit;
    const int32_t *x_sums = grouped_sums(rows, row, (size_t)group) + unit * (size_t)groups;
    const float *x_totals = grouped_totals(rows, row, (size_t)group) + unit * (size_t)groups;
    const float *scales = (const float *)(const void *)(wide + WIDE_CODES);
    const size_t stride = rows->stride, stride_floats = stride / sizeof(float);
    UNROLLED for (int v = 0; v < VECTORS; v++) {
        for (int part = 0; part < groups; part++) {
            vint partial[GROUPED_TILE];
            UNROLLED for (int r = 0; r < count; r++) {
                partial[r] = (vint){};
                if (!has_offset) partial[r] += -zero * x_sums[(size_t)r * stride_floats + (size_t)part];
            }
            UNROLLED for (int step = 0; step < group / 4; step++) {
                const size_t at = (size_t)(part * group + step * 4);
                const vint w = load_bytes(wide + at * APUS_PANEL + (size_t)v * LANES * 4);
                UNROLLED for (int r = 0; r < count; r++) {
                    partial[r] = dot_u8(partial[r], load_four((const uint8_t *)x + (size_t)r * stride + at), w);
                }
            }
            const vfloat scale = load(scales + part * APUS_PANEL + v * LANES);
            UNROLLED for (int r = 0; r < count; r++) {
                const vfloat value = __builtin_convertvector(partial[r], vfloat);
                sums[r][v] = value * (scale * x_scales[(size_t)r * stride_floats]) + sums[r][v];
            }
            if (has_offset) {
                const vfloat offset = load(scales + (groups + part) * APUS_PANEL + v * LANES);
                UNROLLED for (int r = 0; r < count; r++) {
                    sums[r][v] = offset * x_totals[(size_t)r * stride_floats + (size_t)part] + sums[r][v];
                }
            }
        }
    }
}

// Few rows: bound by memory, so a unit of each of some panels is widened, and multiplied while it is near.
INLINE void grouped_few(const int count, const int panels, const int group, const bool has_offset, const apus_linear *task,
                        const uint8_t *panel, size_t stride, size_t output) {
    const apus_grouping *g = task->grouping;
    const apus_block_layout layout = apus_block_layout_of(g);
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    const size_t units = apus_grouped_inputs(g, task->inputs) / APUS_GROUPED_UNIT;
    const size_t unit_bytes = layout.bytes / (layout.inputs / APUS_GROUPED_UNIT);
    uint8_t wide[WIDE_MOST] __attribute__((aligned(64)));
    vfloat sums[STREAMS][FEW_ROWS][VECTORS];
    for (int p = 0; p < panels; p++) {
        for (int r = 0; r < count; r++) {
            for (int v = 0; v < VECTORS; v++) sums[p][r][v] = (vfloat){};
        }
    }
    for (size_t unit = 0; unit < units; unit++) {
        const size_t ahead = look_ahead(unit * unit_bytes, PREFETCH_AHEAD, panels, stride);
        UNROLLED for (int p = 0; p < panels; p++) {
            const uint8_t *own = panel + (size_t)p * stride;
            for (size_t line = 0; line < unit_bytes; line += 64) __builtin_prefetch(own + unit * unit_bytes + line + ahead);
            widen_unit(has_offset, g, &layout, own, task->inputs, unit, wide);
            add_unit(count, group, has_offset, &rows, 0, unit, g->zero, wide, sums[p]);
        }
    }
    for (int p = 0; p < panels; p++) {
        for (int r = 0; r < count; r++) store_panel(task, (size_t)r, output + (size_t)p * APUS_PANEL, sums[p][r]);
    }
}

INLINE void grouped_tile(const int count, const int group, const bool has_offset, const apus_linear *task,
                         const grouped_rows *rows, size_t row, size_t units, size_t unit_bytes, size_t output) {
    vfloat sums[GROUPED_TILE][VECTORS];
    UNROLLED for (int r = 0; r < count; r++) {
        UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] = (vfloat){};
    }
    const uint8_t *wide = (const uint8_t *)task->scratch;
    for (size_t unit = 0; unit < units; unit++, wide += unit_bytes) {
        add_unit(count, group, has_offset, rows, row, unit, task->grouping->zero, wide, sums);
    }
    for (int r = 0; r < count; r++) store_panel(task, row + (size_t)r, output, sums[r]);
}

#define TILE(count)                                                                                                    \
    case count: grouped_tile(count, group, has_offset, task, &rows, row, units, unit_bytes, output); break;

// Many rows: a panel is widened once for all of them.
INLINE void grouped_many(const int group, const bool has_offset, const apus_linear *task, const uint8_t *panel,
                         size_t output) {
    const apus_block_layout layout = apus_block_layout_of(task->grouping);
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    const size_t units = apus_grouped_inputs(task->grouping, task->inputs) / APUS_GROUPED_UNIT;
    const size_t unit_bytes = WIDE_CODES + (size_t)(APUS_GROUPED_UNIT / group) * APUS_PANEL * 4 * (has_offset ? 2 : 1);
    for (size_t unit = 0; unit < units; unit++) {
        widen_unit(has_offset, task->grouping, &layout, panel, task->inputs, unit,
                   (uint8_t *)task->scratch + unit * unit_bytes);
    }
    const size_t tiles = (task->rows + GROUPED_TILE - 1) / GROUPED_TILE;
    for (size_t tile = 0; tile < tiles; tile++) {
        const size_t row = task->rows * tile / tiles, end = task->rows * (tile + 1) / tiles;
        switch (end - row) {
            TILE(1) TILE(2) TILE(3) TILE(4)
#if GROUPED_TILE > 4
            TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#endif
        default: break;
        }
    }
}

#undef TILE
#define SOME_ROWS(count, panels)                                                                                       \
    case count: grouped_few(count, panels, group, has_offset, task, panel, stride, first * APUS_PANEL); break;

INLINE void grouped_panels(const int group, const bool has_offset, const apus_linear *task, const uint8_t *panel,
                           size_t stride, size_t first, size_t end) {
    if (task->rows > FEW_ROWS) {
        for (; first < end; first++, panel += stride) grouped_many(group, has_offset, task, panel, first * APUS_PANEL);
        return;
    }
    for (; first + STREAMS <= end; first += STREAMS, panel += STREAMS * stride) {
        switch (task->rows) {
            SOME_ROWS(1, STREAMS)
            SOME_ROWS(2, STREAMS)
            SOME_ROWS(3, STREAMS)
            SOME_ROWS(4, STREAMS)
        default: break;
        }
    }
    for (; first < end; first++, panel += stride) {
        switch (task->rows) {
            SOME_ROWS(1, 1)
            SOME_ROWS(2, 1)
            SOME_ROWS(3, 1)
            SOME_ROWS(4, 1)
        default: break;
        }
    }
}

#undef SOME_ROWS
#define SOME_GROUPS(group, name)                                                                                       \
    static void grouped_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {\
        grouped_panels(group, false, task, panel, stride, first, end);                                                 \
    }                                                                                                                  \
    static void grouped_offset_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first,      \
                                      size_t end) {                                                                    \
        grouped_panels(group, true, task, panel, stride, first, end);                                                  \
    }

SOME_GROUPS(16, sixteen)
SOME_GROUPS(32, thirty_two)
SOME_GROUPS(64, sixty_four)
#undef SOME_GROUPS

static void linear_grouped(const apus_linear *task, size_t first, size_t end) {
    const size_t stride = apus_grouped_panel_bytes(task->grouping, task->inputs);
    const uint8_t *panel = (const uint8_t *)task->panels + first * stride;
    const bool has_offset = task->grouping->offset != APUS_OFFSET_NONE;
    switch (task->grouping->group) {
    case 16: (has_offset ? grouped_offset_sixteen : grouped_sixteen)(task, panel, stride, first, end); break;
    case 32: (has_offset ? grouped_offset_thirty_two : grouped_thirty_two)(task, panel, stride, first, end); break;
    default: (has_offset ? grouped_offset_sixty_four : grouped_sixty_four)(task, panel, stride, first, end);
    }
}

static size_t grouped_scratch(size_t inputs) {
    return apus_round_up(inputs, GROUPED_INPUTS) / APUS_GROUPED_UNIT * WIDE_MOST;
}
