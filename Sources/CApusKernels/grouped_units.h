// Units of 64 inputs of a grouped panel (grouped.h), as vectors: where they lie, their codes, scales and offsets.

typedef uint8_t narrow_bytes __attribute__((vector_size(LANES)));
typedef uint16_t narrow_halves __attribute__((vector_size(LANES * 2)));

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

INLINE vfloat floats_of_e4m3(vint codes) {
    const vint rest = codes & 0x7f, sign = (codes & 0x80) << 24;
    const vfloat normal = (vfloat)((rest << 20) + (120 << 23));
    const vfloat small = __builtin_convertvector(rest, vfloat) * 0x1p-9f;
    const vfloat size = pick(rest < 8, small, pick(rest == 0x7f, (vfloat)((vint){} + 0x7fc00000), normal));
    return (vfloat)((vint)size | sign);
}

INLINE vfloat load_e4m3(const uint8_t *p) {
    narrow_bytes bytes;
    memcpy(&bytes, p, sizeof bytes);
    return floats_of_e4m3(__builtin_convertvector(bytes, vint));
}

INLINE vfloat load_half_floats(const uint8_t *p) { return LOAD_F16((const uint16_t *)(const void *)p); }

// The codes of step `step` of four inputs, for vector v of the outputs, out of the planes of a unit.
INLINE vint code_line(const int bits, const bool has_table, const apus_grouping *g, const uint8_t *planes, int step, int v) {
    const vint ones = (vint){} + 0x01010101;
    const uint8_t *line = planes + v * LANES * 4;
    if (bits == 8) return load_bytes(line + step * 64);
    if (bits < 4) {
        const vint low = load_bytes(line + apus_low_line(bits, step / 4)) >> 2 * (step % 4) & ones * 3;
        if (bits == 2) return low;
        const vint one = load_bytes(line + apus_high_line(bits, step / 8));
        return low | ((step % 8 < 2 ? one << (2 - step % 8) : one >> (step % 8 - 2)) & ones * 4);
    }
    const vint low = load_bytes(line + apus_low_line(bits, step / 2)) >> (step % 2 ? 4 : 0) & ones * 15;
    if (bits == 4) return has_table ? look_up(low, g->table) : low;
    if (bits == 5) {
        const vint one = load_bytes(line + apus_high_line(bits, step / 8));
        return low | ((step % 8 < 4 ? one << (4 - step % 8) : one >> (step % 8 - 4)) & ones * 0x10);
    }
    const vint two = load_bytes(line + apus_high_line(bits, step / 4));
    return low | ((step % 4 < 2 ? two << (4 - 2 * (step % 4)) : two >> (2 * (step % 4) - 4)) & ones * 0x30);
}

// Of codes of 4 bits, step `step`, an odd one: 16 times each.
INLINE vint high_halves(const uint8_t *planes, int step, int v) {
    return load_bytes(planes + v * LANES * 4 + step / 2 * 64) & (vint){} + (int)0xf0f0f0f0;
}

// Where units lie in a panel, in bytes: what a loop over them would have to divide for.
typedef struct {
    size_t count, each;            // of all, of a block
    size_t block;                  // from one block to the next
    size_t codes, scales, offsets; // of a unit
    size_t first_code, first_offset, halves;
    size_t rows;                   // where floats of rows stand
    bool has_row_scales;
} unit_layout;

INLINE unit_layout unit_layout_of(const apus_grouping *g, size_t inputs) {
    const apus_block_layout layout = apus_block_layout_of(g);
    const size_t each = layout.inputs / APUS_GROUPED_UNIT, blocks = (inputs + layout.inputs - 1) / layout.inputs;
    const size_t values = g->group > APUS_GROUPED_UNIT ? 0 : APUS_GROUPED_UNIT / g->group * APUS_PANEL;
    unit_layout units = {.count = blocks * each, .each = each, .block = layout.bytes, .codes = layout.codes / each};
    units.scales = values * layout.scale, units.offsets = values * layout.offset;
    units.first_code = layout.values;
    units.first_offset = layout.groups * APUS_PANEL * layout.scale;
    units.halves = units.first_offset + layout.groups * APUS_PANEL * layout.offset;
    units.rows = blocks * layout.bytes;
    units.has_row_scales = g->scale == APUS_SCALE_ROW;
    return units;
}

// Where a unit of a panel has its codes, scales and offsets.
typedef struct {
    const uint8_t *codes, *scales, *offsets, *halves, *floats;
} unit_place;

// Of unit `at` of the block that begins at `block`.
INLINE unit_place place_of(const unit_layout *units, const uint8_t *panel, size_t block, size_t at) {
    const uint8_t *start = panel + block;
    unit_place place = {.codes = start + units->first_code + at * units->codes};
    if (units->has_row_scales) {
        place.scales = panel + units->rows;
        place.offsets = place.scales + APUS_PANEL * sizeof(float);
        return place;
    }
    place.scales = start + at * units->scales;
    place.offsets = start + units->first_offset + at * units->offsets;
    place.halves = start + units->halves;
    place.floats = panel + units->rows;
    return place;
}

// Vector v of the scales of a group, and of its offsets.
INLINE vfloat scale_of(const apus_grouping *g, const unit_place *place, int group, int v) {
    const size_t at = (size_t)(group * APUS_PANEL + v * LANES);
    switch (g->scale) {
    case APUS_SCALE_F16: return load_half_floats(place->scales + at * 2);
    case APUS_SCALE_BF16: return load_bf16(place->scales + at * 2);
    case APUS_SCALE_F32: return load((const float *)(const void *)place->scales + at);
    case APUS_SCALE_E4M3: return load_e4m3(place->scales + at) * load((const float *)(const void *)place->floats + v * LANES);
    case APUS_SCALE_U8: return load_u8(place->scales + at) * load_half_floats(place->halves + v * LANES * 2);
    case APUS_SCALE_I8: return load_i8(place->scales + at) * load_half_floats(place->halves + v * LANES * 2);
    default: return load((const float *)(const void *)place->scales + v * LANES);
    }
}

INLINE vfloat offset_of(const apus_grouping *g, const unit_place *place, int group, int v, vfloat scale) {
    const size_t at = (size_t)(group * APUS_PANEL + v * LANES);
    if (g->scale == APUS_SCALE_ROW) return load((const float *)(const void *)place->offsets + v * LANES);
    if (g->offset == APUS_OFFSET_ZERO) return -(scale * load_half_floats(place->offsets + at * 2));
    switch (g->scale) {
    case APUS_SCALE_F16: return load_half_floats(place->offsets + at * 2);
    case APUS_SCALE_BF16: return load_bf16(place->offsets + at * 2);
    case APUS_SCALE_F32: return load((const float *)(const void *)place->offsets + at);
    default: return -(load_u8(place->offsets + at) * load_half_floats(place->halves + (APUS_PANEL + v * LANES) * 2));
    }
}
