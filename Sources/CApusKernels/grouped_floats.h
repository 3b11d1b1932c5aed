// Panels of floats that are codes, widened to bfloat16: entries of a table, or bytes of E4M3, times the scale of their group. The
// includer may define PAIR_HALVES(low, high): both rounded, the first in the lower halves.

#ifndef PAIR_HALVES
#define PAIR_HALVES pair_halves
INLINE vint pair_halves(vfloat low, vfloat high) {
    typedef uint32_t vbits __attribute__((vector_size(LANES * 4)));
    const vbits a = (vbits)low, b = (vbits)high;
    return (vint)((a + 0x7fff + (a >> 16 & 1)) >> 16 | ((b + 0x7fff + (b >> 16 & 1)) & 0xffff0000));
}
#endif

INLINE void widen_floats_by(const bool is_table, const apus_linear *task, const uint8_t *panel, uint8_t *target) {
    const apus_grouping *g = task->grouping;
    const unit_layout units = unit_layout_of(g, task->inputs);
    const int steps = (g->group < APUS_GROUPED_UNIT ? g->group : APUS_GROUPED_UNIT) / 4;
    for (size_t unit = 0; unit < units.count; unit++, target += APUS_GROUPED_UNIT * APUS_PANEL * 2) {
        const unit_place place = place_of(&units, panel, unit / units.each * units.block, unit % units.each);
        for (int v = 0; v < VECTORS; v++) {
            for (int group = 0; group < 16 / steps; group++) {
                const vfloat scale = scale_of(g, &place, group, v);
                for (int step = group * steps; step < (group + 1) * steps; step += 2) {
                    UNROLLED for (int half = 0; half < 2; half++) {
                        const int line = is_table ? step / 2 : step + half;
                        const vint codes = load_bytes(place.codes + line * 64 + v * LANES * 4);
                        vfloat values[4];
                        UNROLLED for (int i = 0; i < 4; i++) {
                            const vint code = codes >> (8 * i + (is_table ? 4 * half : 0));
                            values[i] = scale * (is_table ? LOOK_UP_FLOATS(code, g->floats) : floats_of_e4m3(code & 0xff));
                        }
                        uint8_t *pairs = target + (step + half) * 128 + v * LANES * 4;
                        store_bytes(pairs, PAIR_HALVES(values[0], values[1]));
                        store_bytes(pairs + 64, PAIR_HALVES(values[2], values[3]));
                    }
                }
            }
        }
    }
}

void HALF(widen_floats)(const apus_linear *task, const void *panel, void *target) {
    if (task->grouping->codes == APUS_CODES_FLOATS) {
        widen_floats_by(true, task, (const uint8_t *)panel, (uint8_t *)target);
    } else {
        widen_floats_by(false, task, (const uint8_t *)panel, (uint8_t *)target);
    }
}
