// Products over the checkpoint's own row-major weights: each output is a dot product along a row of weights.
// Each of four neighbouring outputs of up to ROW_TILE rows has a vector of partial sums; lane l of it adds the inputs
// that are l modulo the step, first to last, and the lanes are added at the end in sum()'s order.
//
// The includer defines SUFFIX, ROW_TILE, X (type of a packed activation), W (of a weight), XV and WV (vectors of STEP
// of them), LOAD_X, LOAD_W and DOT(accumulator, xv, wv).

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)

#define OUTPUT_TILE 4
// Rows whose packed activations stay in the second-level cache while the weights stream past.
#define ROW_BLOCK 48

INLINE void NAME(tile)(const int row_tile, const int output_tile, const apus_linear *task, size_t row, size_t output) {
    const size_t inputs = task->inputs, full = inputs - inputs % STEP;
    const size_t stride = full == inputs ? inputs : full + STEP;
    const X *x = (const X *)task->packed + row * stride;
    const W *w = (const W *)task->weight + output * inputs;
    vfloat sums[ROW_TILE][OUTPUT_TILE];
    WV weights[OUTPUT_TILE];
    for (int i = 0; i < row_tile; i++) {
        for (int j = 0; j < output_tile; j++) sums[i][j] = (vfloat){};
    }
    for (size_t k = 0; k < full; k += STEP) {
        for (int j = 0; j < output_tile; j++) weights[j] = LOAD_W(w + (size_t)j * inputs + k);
        // One row is bound by memory. The next tile's weights are asked for here, since the processor's own prefetch
        // starts anew at every page, and a row of weights is often just one page long.
        if (row_tile == 1) {
            for (int j = 0; j < output_tile; j++) __builtin_prefetch(w + (size_t)(output_tile + j) * inputs + k);
        }
        for (int i = 0; i < row_tile; i++) {
            XV xv = LOAD_X(x + (size_t)i * stride + k);
            for (int j = 0; j < output_tile; j++) sums[i][j] = DOT(sums[i][j], xv, weights[j]);
        }
    }
    if (full < inputs) {
        for (int j = 0; j < output_tile; j++) {
            W tail[STEP] = {};
            memcpy(tail, w + (size_t)j * inputs + full, (inputs - full) * sizeof(W));
            weights[j] = LOAD_W(tail);
        }
        for (int i = 0; i < row_tile; i++) {
            XV xv = LOAD_X(x + (size_t)i * stride + full);
            for (int j = 0; j < output_tile; j++) sums[i][j] = DOT(sums[i][j], xv, weights[j]);
        }
    }
    for (int i = 0; i < row_tile; i++) {
        float *y = task->y + (row + (size_t)i) * task->outputs + output;
        if (output_tile == OUTPUT_TILE) {
            vfloat4 result = sum_of_four(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
            if (task->bias) result += *(const vfloat4_unaligned *)(task->bias + output);
            *(vfloat4_unaligned *)y = result;
        } else {
            for (int j = 0; j < output_tile; j++) {
                y[j] = sum(sums[i][j]) + (task->bias ? task->bias[output + (size_t)j] : 0);
            }
        }
    }
}

// A tile of a row count known at compile time keeps its sums in registers.
INLINE void NAME(rows)(const int output_tile, const apus_linear *task, size_t row, size_t end, size_t output) {
    for (; row + ROW_TILE <= end; row += ROW_TILE) NAME(tile)(ROW_TILE, output_tile, task, row, output);
    switch (end - row) {
#if ROW_TILE > 4
    case 5: NAME(tile)(5, output_tile, task, row, output); break;
    case 4: NAME(tile)(4, output_tile, task, row, output); break;
#endif
#if ROW_TILE > 2
    case 3: NAME(tile)(3, output_tile, task, row, output); break;
    case 2: NAME(tile)(2, output_tile, task, row, output); break;
#endif
    case 1: NAME(tile)(1, output_tile, task, row, output); break;
    default: break;
    }
}

static void NAME(linear)(const apus_linear *task, size_t first, size_t end) {
    for (size_t row = 0; row < task->rows; row += ROW_BLOCK) {
        size_t row_end = row + ROW_BLOCK < task->rows ? row + ROW_BLOCK : task->rows;
        size_t output = first;
        for (; output + OUTPUT_TILE <= end; output += OUTPUT_TILE) {
            NAME(rows)(OUTPUT_TILE, task, row, row_end, output);
        }
        for (; output < end; output++) NAME(rows)(1, task, row, row_end, output);
    }
}

#undef OUTPUT_TILE
#undef ROW_BLOCK
#undef NAME
#undef JOIN
#undef JOIN_
#undef SUFFIX
#undef X
#undef W
#undef XV
#undef WV
#undef STEP
#undef LOAD_X
#undef LOAD_W
#undef DOT
