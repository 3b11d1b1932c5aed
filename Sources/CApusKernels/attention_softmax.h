// Weights of keys from their scores, and merging of partitions (Milakov & Gimelshein, arXiv 1805.02867). Scores come
// scaled by log2(e), so that weights are powers of two.

// a where the mask is set, b elsewhere.
INLINE vfloat pick(vint mask, vfloat a, vfloat b) { return (vfloat)((mask & (vint)a) | (~mask & (vint)b)); }
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

// Scores from `at` on, times their keys' scales; beyond `valid` there are none.
INLINE vfloat read_scores(const bool whole, const float *scales, float *scores, size_t at, size_t valid) {
    vfloat s = load(scores + at);
    if (scales) s *= load(scales + at);
    if (!whole) s = pick(lanes_from((int)at) < (int)valid, s, splat(-INFINITY));
    if (scales || !whole) store(scores + at, s);
    return s;
}

INLINE vfloat write_weights(const bool whole, const bool pairs, const float *scales, float *scores, size_t at,
                            size_t valid, float peak) {
    vfloat w = power_of_two(load(scores + at) - peak), result = w;
    if (!whole) result = w = pick(lanes_from((int)at) < (int)valid, w, (vfloat){});
    if (scales) w *= load(scales + at);
    if (scales && !whole) w = pick(lanes_from((int)at) < (int)valid, w, (vfloat){});
    if (pairs) {
        STORE_HALVES((uint16_t *)(void *)scores + at, w);
    } else {
        store(scores + at, w);
    }
    return result;
}

#define CHAINS 4

// Turns a row's first `valid` scores into weights, in their place, and those up to the end of a block into zeros. The
// total is of weights before each is multiplied by its value's scale.
INLINE void weigh_row(const bool pairs, const float *key_scales, const float *value_scales, float *scores, size_t valid,
                      const struct state *state, size_t row) {
    const size_t whole = valid / APUS_KV_BLOCK * APUS_KV_BLOCK;
    const size_t end = (valid + APUS_KV_BLOCK - 1) / APUS_KV_BLOCK * APUS_KV_BLOCK;
    // Some sums at once, since each waits for its last step.
    const size_t many = whole / (CHAINS * LANES) * (CHAINS * LANES);
    vfloat top[CHAINS], total[CHAINS];
    UNROLLED for (int i = 0; i < CHAINS; i++) top[i] = splat(-INFINITY), total[i] = (vfloat){};
    size_t at = 0;
    for (; at < many; at += CHAINS * LANES) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            top[i] = larger(read_scores(true, key_scales, scores, at + (size_t)i * LANES, valid), top[i]);
        }
    }
    for (; at < whole; at += LANES) top[0] = larger(read_scores(true, key_scales, scores, at, valid), top[0]);
    for (; at < end; at += LANES) top[0] = larger(read_scores(false, key_scales, scores, at, valid), top[0]);
    UNROLLED for (int i = 1; i < CHAINS; i++) top[0] = larger(top[i], top[0]);
    const float peak = largest(top[0]);
    for (at = 0; at < many; at += CHAINS * LANES) {
        UNROLLED for (int i = 0; i < CHAINS; i++) {
            total[i] += write_weights(true, pairs, value_scales, scores, at + (size_t)i * LANES, valid, peak);
        }
    }
    for (; at < whole; at += LANES) total[0] += write_weights(true, pairs, value_scales, scores, at, valid, peak);
    for (; at < end; at += LANES) total[0] += write_weights(false, pairs, value_scales, scores, at, valid, peak);
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
