// Panels of floats that are codes, widened to bfloat16: entries of a table, or bytes of E4M3, times the scale of their group.

// The bits of vectors rounded to bfloat16, in the lower halves.
INLINE vint rounded_halves(vfloat value) {
    typedef uint32_t vbits __attribute__((vector_size(LANES * 4)));
    const vbits bits = (vbits)value;
    return (vint)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

INLINE void widen_floats_by(const bool is_table, const apus_linear *task, const uint8_t *panel, uint8_t *target) {
    const apus_grouping *g = task->grouping;
    const unit_layout units = unit_layout_of(g, task->inputs);
    const int steps = (g->group < APUS_GROUPED_UNIT ? g->group : APUS_GROUPED_UNIT) / 4;
    for (size_t unit = 0; unit < units.count; unit++, target += APUS_GROUPED_UNIT * APUS_PANEL * 2) {
        const unit_place place = place_of(&units, panel, unit / units.each * units.block, unit % units.each);
        for (int v = 0; v < VECTORS; v++) {
            for (int group = 0; group < 16 / steps; group++) {
                const vfloat scale = scale_of(g, &place, group, v);
                for (int step = group * steps; step < (group + 1) * steps; step++) {
                    const vint line = is_table ? code_line(4, false, g, place.codes, step, v) : code_line(8, false, g, place.codes, step, v);
                    vint halves[4];
                    UNROLLED for (int i = 0; i < 4; i++) {
                        const vint code = line >> 8 * i & 0xff;
                        halves[i] = rounded_halves(scale * (is_table ? LOOK_UP_FLOATS(code, g->floats) : floats_of_e4m3(code)));
                    }
                    uint8_t *pairs = target + step * 128 + v * LANES * 4;
                    store_bytes(pairs, halves[0] | halves[1] << 16);
                    store_bytes(pairs + 64, halves[2] | halves[3] << 16);
                }
            }
        }
    }
}

void ELEMENT(widen_floats)(const apus_linear *task, const void *panel, void *target) {
    if (task->grouping->codes == APUS_CODES_FLOATS) {
        widen_floats_by(true, task, (const uint8_t *)panel, (uint8_t *)target);
    } else {
        widen_floats_by(false, task, (const uint8_t *)panel, (uint8_t *)target);
    }
}
