// Products of grouped matrices (grouped.h) with activations rounded to 8 bits for each 32 inputs, or 64 where groups are as long
// (grouped_rows.h). The sums over a group, or over 64 inputs of a longer one, are exact; they are added first to last, each output's sum being
//
//     sum += float(sum of (value - zero) * x) * (scale of x * scale of the group)
//     sum += offset of the group * (scale of x * float(sum of x))
//
// The includer defines dot_u8(sum, x, w), the products of four unsigned weights with four signed activations,
// look_up(codes, table), entries of a table of 16 bytes, and FEW_AT_ONCE: up to so many rows are multiplied with a panel as it
// stands, more with a widened copy. One where products of bytes take several instructions, else FEW_ROWS.

// Rows of a tile: their sums, and those of a group, stay in registers.
#if LANES == 16
#define GROUPED_TILE 12
#else
#define GROUPED_TILE 4
#endif

#define ALL_LINES(bits, has_table)                                                                                     \
    for (int v = 0; v < VECTORS; v++) {                                                                                \
        UNROLLED for (int step = 0; step < 16; step++) {                                                               \
            store_bytes(wide + step * 64 + v * LANES * 4, code_line(bits, has_table, g, place.codes, step, v));        \
        }                                                                                                              \
    }                                                                                                                  \
    break;

static void widen_unit(const bool has_offset, const apus_grouping *g, const unit_place place, uint8_t *wide) {
    switch (g->has_table ? 0 : g->bits) {
    case 0: ALL_LINES(4, true)
    case 2: ALL_LINES(2, false)
    case 3: ALL_LINES(3, false)
    case 4: ALL_LINES(4, false)
    case 5: ALL_LINES(5, false)
    case 6: ALL_LINES(6, false)
    default: ALL_LINES(8, false)
    }
    const int groups = g->group < APUS_GROUPED_UNIT ? APUS_GROUPED_UNIT / g->group : 1;
    float *scales = (float *)(void *)(wide + WIDE_CODES), *offsets = scales + groups * APUS_PANEL;
    for (int group = 0; group < groups; group++) {
        for (int v = 0; v < VECTORS; v++) {
            const vfloat scale = scale_of(g, &place, group, v);
            store(scales + group * APUS_PANEL + v * LANES, scale);
            if (has_offset) store(offsets + group * APUS_PANEL + v * LANES, offset_of(g, &place, group, v, scale));
        }
    }
}

#undef ALL_LINES

// Adds one span of a unit to vector v of the sums of some rows.
INLINE void add_group(const int count, const bool has_offset, int zero, const grouped_rows *rows, size_t row, size_t unit,
                      int span, int part, const vint *partial, vfloat scale, vfloat offset, int v, vfloat sums[][VECTORS]) {
    const size_t stride = rows->stride / sizeof(float), at = unit * (size_t)(APUS_GROUPED_UNIT / span) + (size_t)part;
    const float *x_scales = grouped_scales(rows, row) + at * (size_t)span / APUS_GROUPED_SPAN;
    const int32_t *x_sums = grouped_sums(rows, row, (size_t)span) + at;
    const float *x_totals = grouped_totals(rows, row, (size_t)span) + at;
    UNROLLED for (int r = 0; r < count; r++) {
        vint products = partial[r];
        if (!has_offset) products -= zero * x_sums[(size_t)r * stride];
        const vfloat value = __builtin_convertvector(products, vfloat);
        sums[r][v] = value * (scale * x_scales[(size_t)r * stride]) + sums[r][v];
        if (has_offset) sums[r][v] = offset * x_totals[(size_t)r * stride] + sums[r][v];
        IN_TURN(sums[r][v]);
    }
}

// Adds one unit of a panel to the sums of the first rows, out of its planes. Products go to two sums in turn, neither of which
// has to wait for the other.
INLINE void add_planes(const int count, const int bits, const bool has_table, const int group, const bool has_offset,
                       const apus_grouping *g, const grouped_rows *rows, size_t unit, const unit_place *place,
                       vfloat sums[][VECTORS]) {
    const uint8_t *x = (const uint8_t *)grouped_values(rows, 0) + unit * APUS_GROUPED_UNIT;
    const int span = group; // of a unit at most
    // The higher four bits of a byte stay where they are, and the sum of their products, which is 16 times as large, is brought down.
    const bool lifts = bits == 4 && !has_table;
    for (int v = 0; v < VECTORS; v++) {
        UNROLLED for (int part = 0; part < APUS_GROUPED_UNIT / span; part++) {
            vint partial[FEW_ROWS], other[FEW_ROWS];
            UNROLLED for (int r = 0; r < count; r++) partial[r] = other[r] = (vint){};
            UNROLLED for (int step = 0; step < span / 4; step++) {
                const int at = part * span / 4 + step;
                const vint w = lifts && step % 2 ? high_halves(place->codes, at, v)
                                                 : code_line(bits, has_table, g, place->codes, at, v);
                UNROLLED for (int r = 0; r < count; r++) {
                    vint *sum = step % 2 ? &other[r] : &partial[r];
                    *sum = dot_u8(*sum, load_four(x + (size_t)r * rows->stride + at * 4), w);
                }
            }
            UNROLLED for (int r = 0; r < count; r++) partial[r] += lifts ? other[r] >> 4 : other[r];
            const vfloat scale = scale_of(g, place, part * span / group, v);
            const vfloat offset = has_offset ? offset_of(g, place, part * span / group, v, scale) : (vfloat){};
            add_group(count, has_offset, g->zero, rows, 0, unit, span, part, partial, scale, offset, v, sums);
        }
    }
}

// The same for some rows, out of a widened copy.
INLINE void add_widened(const int count, const int group, const bool has_offset, const apus_grouping *g,
                        const grouped_rows *rows, size_t row, size_t unit, const uint8_t *wide, vfloat sums[][VECTORS]) {
    const uint8_t *x = (const uint8_t *)grouped_values(rows, row) + unit * APUS_GROUPED_UNIT;
    const float *scales = (const float *)(const void *)(wide + WIDE_CODES);
    const float *offsets = scales + APUS_GROUPED_UNIT / group * APUS_PANEL;
    const int span = group; // of a unit at most
    UNROLLED for (int v = 0; v < VECTORS; v++) {
        for (int part = 0; part < APUS_GROUPED_UNIT / span; part++) {
            vint partial[GROUPED_TILE];
            UNROLLED for (int r = 0; r < count; r++) partial[r] = (vint){};
            for (int at = part * span / 4; at < (part + 1) * span / 4; at++) {
                const vint w = load_bytes(wide + at * 64 + v * LANES * 4);
                UNROLLED for (int r = 0; r < count; r++) {
                    partial[r] = dot_u8(partial[r], load_four(x + (size_t)r * rows->stride + at * 4), w);
                }
            }
            const size_t of = (size_t)(part * span / group * APUS_PANEL + v * LANES);
            const vfloat scale = load(scales + of), offset = has_offset ? load(offsets + of) : (vfloat){};
            add_group(count, has_offset, g->zero, rows, row, unit, span, part, partial, scale, offset, v, sums);
        }
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
        add_widened(count, group, has_offset, task->grouping, rows, row, unit, wide, sums);
    }
    for (int r = 0; r < count; r++) store_panel(task, row + (size_t)r, output, sums[r]);
}

#define TILE(count)                                                                                                    \
    case count: grouped_tile(count, group, has_offset, task, &rows, row, units, unit_bytes, output); break;

// Many rows: a panel is widened once for all of them.
INLINE void grouped_many(const int group, const bool has_offset, const apus_linear *task, const uint8_t *panel,
                         size_t output) {
    const unit_layout layout = unit_layout_of(task->grouping, task->inputs);
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    const size_t units = layout.count;
    const size_t unit_bytes = WIDE_CODES + (size_t)(APUS_GROUPED_UNIT / group) * APUS_PANEL * 4 * (has_offset ? 2 : 1);
    for (size_t unit = 0; unit < units; unit++) {
        const unit_place place = place_of(&layout, panel, unit / layout.each * layout.block, unit % layout.each);
        widen_unit(has_offset, task->grouping, place, (uint8_t *)task->scratch + unit * unit_bytes);
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

INLINE void grouped_widened(const int group, const bool has_offset, const apus_linear *task, const uint8_t *panel,
                            size_t stride, size_t first, size_t end) {
    for (; first < end; first++, panel += stride) {
        grouped_many(group, has_offset, task, panel, first * APUS_PANEL);
    }
}

// Of a matrix whose scales are of any type.
#define APUS_SCALE_ANY 0xff

// Few rows: bound by memory. A panel is multiplied as it stands, line after line. Of one row the processor fetches them ahead by
// itself, faster than by any request; beside the work of more it does not come to that. What is known when this is compiled is read from no grouping.
INLINE void grouped_few(const int count, const int bits, const bool has_table, const int group, const int scale,
                        const int offset, const apus_linear *task, const uint8_t *panel, size_t stride, size_t first,
                        size_t end) {
    apus_grouping own = *task->grouping;
    if (scale != APUS_SCALE_ANY) own.scale = (uint8_t)scale;
    own.offset = (uint8_t)offset;
    const unit_layout units = unit_layout_of(&own, task->inputs);
    const grouped_rows rows = grouped_rows_of(task->packed, task->inputs);
    for (; first < end; first++, panel += stride) {
        vfloat sums[FEW_ROWS][VECTORS];
        UNROLLED for (int r = 0; r < count; r++) {
            UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] = (vfloat){};
        }
        for (size_t unit = 0, block = 0; unit < units.count; block += units.block) {
            for (size_t at = 0; at < units.each; at++, unit++) {
                const unit_place place = place_of(&units, panel, block, at);
                const uint8_t *ahead = at == 0 ? panel + block : place.codes, *until = place.codes + units.codes;
                for (; count > 1 && ahead < until; ahead += 64) __builtin_prefetch(ahead + STREAM_AHEAD, 0, 2);
                add_planes(count, bits, has_table, group, offset != APUS_OFFSET_NONE, &own, &rows, unit, &place, sums);
            }
        }
        for (int r = 0; r < count; r++) store_panel(task, (size_t)r, first * APUS_PANEL, sums[r]);
    }
}

// Kinds that files have; others are widened first. For a row alone, the most usual types of scales too.
#define KINDS_ALONE(KIND)                                                                                              \
    KIND(4, false, 32, APUS_SCALE_U8, APUS_OFFSET_OWN, q4k)                                                            \
    KIND(5, false, 32, APUS_SCALE_U8, APUS_OFFSET_OWN, q5k)                                                            \
    KIND(8, false, 32, APUS_SCALE_F16, APUS_OFFSET_NONE, q80)                                                          \
    KIND(4, false, 32, APUS_SCALE_F16, APUS_OFFSET_NONE, q40)                                                          \
    KIND(4, false, 32, APUS_SCALE_F16, APUS_OFFSET_OWN, q41)                                                           \
    KIND(4, false, 64, APUS_SCALE_F16, APUS_OFFSET_NONE, gptq)                                                         \
    KIND(4, false, 64, APUS_SCALE_F16, APUS_OFFSET_ZERO, gptq_zero)                                                    \
    KIND(8, false, 64, APUS_SCALE_ROW, APUS_OFFSET_NONE, rows)

#define KINDS_FEW(KIND)                                                                                                \
    KIND(4, false, 32, APUS_SCALE_ANY, APUS_OFFSET_NONE, four)                                                         \
    KIND(4, false, 32, APUS_SCALE_ANY, APUS_OFFSET_OWN, four_own)                                                      \
    KIND(4, false, 32, APUS_SCALE_ANY, APUS_OFFSET_ZERO, four_zero)                                                    \
    KIND(4, true, 32, APUS_SCALE_ANY, APUS_OFFSET_NONE, four_table)                                                    \
    KIND(4, false, 64, APUS_SCALE_ANY, APUS_OFFSET_NONE, four_long)                                                    \
    KIND(4, false, 64, APUS_SCALE_ANY, APUS_OFFSET_OWN, four_long_own)                                                 \
    KIND(4, false, 64, APUS_SCALE_ANY, APUS_OFFSET_ZERO, four_long_zero)                                               \
    KIND(5, false, 32, APUS_SCALE_ANY, APUS_OFFSET_NONE, five)                                                         \
    KIND(5, false, 32, APUS_SCALE_ANY, APUS_OFFSET_OWN, five_own)                                                      \
    KIND(6, false, 16, APUS_SCALE_I8, APUS_OFFSET_NONE, q6k)                                                           \
    KIND(8, false, 32, APUS_SCALE_ANY, APUS_OFFSET_NONE, eight)                                                        \
    KIND(8, false, 64, APUS_SCALE_ANY, APUS_OFFSET_NONE, eight_long)                                                   \
    KIND(3, false, 16, APUS_SCALE_I8, APUS_OFFSET_NONE, q3k)                                                           \
    KIND(2, false, 16, APUS_SCALE_U8, APUS_OFFSET_OWN, q2k)

#if FEW_AT_ONCE == 1
#undef KINDS_ALONE
#define KINDS_ALONE(KIND)
#define FEW(bits, has_table, group, scale, offset, name)                                                               \
    static void few_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {   \
        grouped_few(1, bits, has_table, group, scale, offset, task, panel, stride, first, end);                        \
    }
#else
#define FEW(bits, has_table, group, scale, offset, name)                                                               \
    static void few_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) {   \
        switch (task->rows) {                                                                                          \
        case 1: grouped_few(1, bits, has_table, group, scale, offset, task, panel, stride, first, end); break;         \
        case 2: grouped_few(2, bits, has_table, group, scale, offset, task, panel, stride, first, end); break;         \
        case 3: grouped_few(3, bits, has_table, group, scale, offset, task, panel, stride, first, end); break;         \
        default: grouped_few(4, bits, has_table, group, scale, offset, task, panel, stride, first, end); break;        \
        }                                                                                                              \
    }
#endif
#define ALONE(bits, has_table, group, scale, offset, name)                                                             \
    static void alone_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) { \
        grouped_few(1, bits, has_table, group, scale, offset, task, panel, stride, first, end);                        \
    }
KINDS_FEW(FEW)
KINDS_ALONE(ALONE)
#undef FEW
#undef ALONE

typedef void grouped_product(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end);

#define IS(own_bits, own_table, own_group, own_scale, own_offset)                                                      \
    (g->bits == own_bits && g->has_table == own_table && group == own_group && g->offset == own_offset &&              \
     (own_scale == APUS_SCALE_ANY || g->scale == own_scale))
#define ALONE(bits, has_table, group, scale, offset, name)                                                             \
    if (rows == 1 && IS(bits, has_table, group, scale, offset)) return alone_##name;
#define FEW(bits, has_table, group, scale, offset, name)                                                               \
    if (IS(bits, has_table, group, scale, offset)) return few_##name;

// The product of few rows with a kind of matrix, or NULL.
static grouped_product *few_product(const apus_grouping *g, int group, size_t rows) {
    (void)rows;
    KINDS_ALONE(ALONE)
    KINDS_FEW(FEW)
    return NULL;
}

#undef FEW
#undef ALONE
#undef IS
#undef KINDS_ALONE
#undef KINDS_FEW

#define WIDENED_KIND(group, has_offset, name)                                                                          \
    static void widened_##name(const apus_linear *task, const uint8_t *panel, size_t stride, size_t first, size_t end) { \
        grouped_widened(group, has_offset, task, panel, stride, first, end);                                           \
    }
WIDENED_KIND(16, false, sixteen)
WIDENED_KIND(16, true, sixteen_offset)
WIDENED_KIND(32, false, thirty_two)
WIDENED_KIND(32, true, thirty_two_offset)
WIDENED_KIND(64, false, sixty_four)
WIDENED_KIND(64, true, sixty_four_offset)
#undef WIDENED_KIND

void BYTE(linear_grouped)(const apus_linear *task, size_t first, size_t end) {
    const apus_grouping *g = task->grouping;
    const size_t stride = apus_grouped_panel_bytes(g, task->inputs);
    const uint8_t *panel = (const uint8_t *)task->panels + first * stride;
    const int group = g->group < APUS_GROUPED_UNIT ? g->group : APUS_GROUPED_UNIT;
    const bool offsets = g->offset != APUS_OFFSET_NONE;
    grouped_product *few = task->rows > FEW_AT_ONCE ? NULL : few_product(g, group, task->rows);
    if (few) {
        few(task, panel, stride, first, end);
        return;
    }
    switch (group) {
    case 16: (offsets ? widened_sixteen_offset : widened_sixteen)(task, panel, stride, first, end); break;
    case 32: (offsets ? widened_thirty_two_offset : widened_thirty_two)(task, panel, stride, first, end); break;
    default: (offsets ? widened_sixty_four_offset : widened_sixty_four)(task, panel, stride, first, end);
    }
}
