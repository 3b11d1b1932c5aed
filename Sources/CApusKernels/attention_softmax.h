// Weights of keys from their scores, and merging of partitions (Milakov & Gimelshein, arXiv 1805.02867). Scores come
// scaled by log2(e), so that weights are powers of two.

INLINE vfloat larger(vfloat a, vfloat b) { return pick(a > b, a, b); } // b if either is not a number

INLINE float largest(vfloat v) {
#if LANES == 16
    v = larger(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
    v = larger(v, __builtin_shufflevector(v, v, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0));
#elif LANES == 8
    v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 0, 1));
    v = larger(v, __builtin_shufflevector(v, v, 1, 0, 1, 0, 1, 0, 1, 0));
#else
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
    v = larger(v, __builtin_shufflevector(v, v, 1, 0, 1, 0));
#endif
    return v[0];
}

// 2^x to about two units in the last place for x in [-125, 0], and 2^-125 below: x = n + r with |r| <= 1/2, a
// polynomial in r with the least relative error, and n put into the exponent.
INLINE vfloat power_of_two(vfloat x) {
    x = larger(splat(-125), x);
    const float shift = 12582912 + 127; // 1.5 * 2^23: adding it rounds to an integer, here with the exponent's offset
    vfloat t = x + shift, r = x - (t - shift);
    vfloat p = r * 1.3264727080e-3f + 9.6715128622e-3f;
    p = p * r + 5.5507337456e-2f;
    p = p * r + 2.4022242082e-1f;
    p = p * r + 6.9314697760e-1f;
    p = p * r + 1.0f;
    return p * (vfloat)((vint)t << 23);
}

INLINE vint lanes_from(int first) {
    vint v;
    for (int i = 0; i < LANES; i++) v[i] = first + i;
    return v;
}

// The sums of a partition: each row's largest score, its total weight and its weighted values.
struct state {
    float *peaks, *totals, *sums; // [capacity], [capacity], [capacity, width]
};

// Those of the lanes from key `at` on whose keys are seen.
INLINE vint seen_lanes(size_t at, struct span seen) {
    const vint keys = lanes_from((int)at);
    return (keys >= (int)seen.first) & (keys < (int)seen.end);
}

// Scores from `at` on, times their keys' scales; of keys that are not seen there are none.
INLINE vfloat read_scores(const bool whole, const float *scales, float *scores, size_t at, struct span seen) {
    vfloat s = load(scores + at);
    if (scales) s *= load(scales + at);
    if (!whole) s = pick(seen_lanes(at, seen), s, splat(-INFINITY));
    if (scales || !whole) store(scores + at, s);
    return s;
}

INLINE vfloat write_weights(const bool whole, const bool pairs, const float *scales, float *scores, size_t at,
                            struct span seen, float peak) {
    vfloat w = power_of_two(load(scores + at) - peak), result = w;
    if (!whole) result = w = pick(seen_lanes(at, seen), w, (vfloat){});
    if (scales) w *= load(scales + at);
    if (scales && !whole) w = pick(seen_lanes(at, seen), w, (vfloat){});
    if (pairs) {
        STORE_HALVES((uint16_t *)(void *)scores + at, w);
    } else {
        store(scores + at, w);
    }
    return result;
}

// What is done to a row's scores before they become weights.
struct bend {
    const float *key_scales; // or NULL
    float cap, slope;        // or 0
    int distance;            // of the partition's first key from the row's token
};

// Bends the scores of all blocks in which a row sees keys.
static void bend_scores(const struct bend *bend, float *scores, struct span seen) {
    const size_t start = seen.first / APUS_KV_BLOCK * APUS_KV_BLOCK;
    for (size_t at = start; at < seen.end; at += LANES) {
        vfloat s = load(scores + at);
        if (bend->key_scales) s *= load(bend->key_scales + at);
        if (bend->cap > 0) s = hyperbolic_tangent(s) * (bend->cap * LOG2_E);
        const vint distance = lanes_from((int)at + bend->distance);
        if (bend->slope != 0) s += __builtin_convertvector(distance, vfloat) * (bend->slope * LOG2_E);
        store(scores + at, s);
    }
}

#define CHAINS 4

// Turns the scores of the keys that a row sees into weights, in their place, and others of their blocks into zeros. The
// total is of weights before each is multiplied by its value's scale. Where a key's weight is added does not depend on
// where the seen ones begin.
INLINE void weigh_row(const bool pairs, const float *key_scales, const float *value_scales, float *scores,
                      struct span seen, const struct state *state, size_t row) {
    const size_t whole = seen.end / APUS_KV_BLOCK * APUS_KV_BLOCK;
    const size_t end = (seen.end + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK * APUS_KV_BLOCK;
    // Some sums at once, since each waits for its last step.
    const size_t chunk = CHAINS * LANES, many = whole / chunk * chunk;
    // Where the first chunk or block begins, and where keys before the first need no more be looked out for.
    const size_t unit = seen.first < many ? chunk : APUS_KV_BLOCK, start = seen.first / unit * unit;
    const size_t clear = seen.first < many ? (seen.first + chunk - 1) / chunk * chunk : start;
    vfloat top[CHAINS], total[CHAINS];
    UNROLLED for (int i = 0; i < CHAINS; i++) top[i] = splat(-INFINITY), total[i] = (vfloat){};
    size_t at = start;
    for (; at < clear; at += chunk) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            top[i] = larger(read_scores(false, key_scales, scores, at + (size_t)i * LANES, seen), top[i]);
        }
    }
    for (; at < many; at += chunk) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            top[i] = larger(read_scores(true, key_scales, scores, at + (size_t)i * LANES, seen), top[i]);
        }
    }
    for (; at < whole && at >= seen.first; at += LANES) {
        top[0] = larger(read_scores(true, key_scales, scores, at, seen), top[0]);
    }
    for (; at < end; at += LANES) top[0] = larger(read_scores(false, key_scales, scores, at, seen), top[0]);
    UNROLLED for (int i = 1; i < CHAINS; i++) top[0] = larger(top[i], top[0]);
    const float peak = largest(top[0]);
    for (at = start; at < clear; at += chunk) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            total[i] += write_weights(false, pairs, value_scales, scores, at + (size_t)i * LANES, seen, peak);
        }
    }
    for (; at < many; at += chunk) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            total[i] += write_weights(true, pairs, value_scales, scores, at + (size_t)i * LANES, seen, peak);
        }
    }
    for (; at < whole && at >= seen.first; at += LANES) {
        total[0] += write_weights(true, pairs, value_scales, scores, at, seen, peak);
    }
    for (; at < end; at += LANES) total[0] += write_weights(false, pairs, value_scales, scores, at, seen, peak);
    UNROLLED for (int i = 1; i < CHAINS; i++) total[0] += total[i];
    state->peaks[row] = peak;
    state->totals[row] = sum(total[0]);
}

// Adds what `later` sums up for one row to `state`.
static void merge_row(const struct state *state, const struct state *later, size_t row, size_t width) {
    float a[LANES] = {state->peaks[row]}, b[LANES] = {later->peaks[row]};
    const float peak = a[0] > b[0] ? a[0] : b[0];
    store(a, power_of_two(load(a) - peak));
    store(b, power_of_two(load(b) - peak));
    float *sums = state->sums + row * width;
    const float *more = later->sums + row * width;
    for (size_t i = 0; i < width; i += LANES) store(sums + i, load(sums + i) * a[0] + load(more + i) * b[0]);
    state->totals[row] = state->totals[row] * a[0] + later->totals[row] * b[0];
    state->peaks[row] = peak;
}

// What a row's sums are multiplied with where a score of no key has its share of the total.
static float share_beside(float score, float peak, float total) {
    const float top = score > peak ? score : peak;
    const float own = power_of_two(splat(peak - top))[0], beside = power_of_two(splat(score - top))[0];
    return own / (total * own + beside);
}

// Makes what `later` sums up for one row all that there is.
static void copy_row(const struct state *state, const struct state *later, size_t row, size_t width) {
    memcpy(state->sums + row * width, later->sums + row * width, width * sizeof(float));
    state->totals[row] = later->totals[row];
    state->peaks[row] = later->peaks[row];
}
