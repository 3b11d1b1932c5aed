// Asks for the panels that come next, two at a time, while others are multiplied: into the second-level cache, LEAD bytes of
// each panel ahead. A request is for a line of each of two neighbouring pages of both panels, since processors bring more
// at once where lines follow each other in four to eight pages than where they do in one or in many.

#include <stddef.h>
#include <stdint.h>

#define LEAD 16384
#define PAGE 4096
struct requests {
    const uint8_t *panel; // the first of the two that are asked for
    size_t stride, offset;
    size_t count, limit; // of requests, since the start of the two panels that are multiplied
    size_t per_pair;     // requests of two panels
    size_t steps, each;  // steps of two panels, and requests at each step of a pair of tiles
};

// `tile_pairs` are those that two panels are multiplied by, which share the requests.
static struct requests requests(const uint8_t *panel, size_t stride, size_t steps, size_t tile_pairs) {
    const size_t last = (stride % (2 * PAGE) + 63) / 64;
    const size_t per_pair = stride / (2 * PAGE) * (PAGE / 64) + (last < PAGE / 64 ? last : PAGE / 64);
    // Those of the lead were made by whoever multiplied the panels before.
    const size_t count = LEAD / 128, pairs = count / per_pair, rest = count % per_pair, page = PAGE / 64;
    return (struct requests){
        .panel = panel + pairs * 2 * stride, .stride = stride, .offset = (rest / page * 2 * page + rest % page) * 64,
        .count = count, .limit = count, .per_pair = per_pair, .steps = steps,
        .each = (per_pair + steps * tile_pairs - 1) / (steps * tile_pairs)};
}

// Allows the requests that are due before `step` ends.
INLINE void request_up_to(struct requests *s, size_t step) {
    s->limit = s->per_pair * step / s->steps + LEAD / 128;
}

INLINE void next_pair(struct requests *s) {
    s->count -= s->per_pair;
}

INLINE void request(struct requests *s) {
    for (size_t i = 0; i < s->each && s->count < s->limit; i++, s->count++) {
        const uint8_t *line = s->panel + s->offset;
        __builtin_prefetch(line, 0, 2);
        __builtin_prefetch(line + s->stride, 0, 2);
        __builtin_prefetch(line + PAGE, 0, 2);
        __builtin_prefetch(line + s->stride + PAGE, 0, 2);
        s->offset += 64;
        if (s->offset % PAGE == 0) s->offset += PAGE;
        if (s->offset >= s->stride) s->offset = 0, s->panel += 2 * s->stride;
    }
}
