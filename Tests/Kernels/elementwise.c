#include "checks.h"

#include "apus_quantizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void check_embedding(const apus_kernels *kernels, apus_dtype type, size_t width) {
    const size_t size = type == APUS_F32 ? 4 : 2, rows = 3;
    float *values = random_floats(rows * width, 2);
    void *table = guarded(rows * width * size, size);
    apus_convert(values, APUS_F32, table, type, rows * width);
    const int32_t *tokens = guarded_indices((int32_t[]){2, 0, 2, 1}, 4);
    float *expected = guarded_floats(4 * width), *got = guarded_floats(4 * width);
    instruction_sets[0]->embedding(table, type, width, tokens, 4, expected);
    kernels->embedding(table, type, width, tokens, 4, got);
    require(memcmp(expected, got, 4 * width * sizeof(float)) == 0, "%s: embedding of %zu", kernels->name, width);
    release_guarded();
}

static void check_rotary(const apus_kernels *kernels, size_t head_dim, bool pairs) {
    const size_t rows = 3, heads = 1 + head_dim % 3, count = rows * heads * head_dim;
    const size_t turned = head_dim % 4 == 0 ? head_dim : head_dim / 4 * 2;
    float *x = random_floats(count, 1), *angles = random_floats(rows * turned, 1), *got = guarded_floats(count);
    memcpy(got, x, count * sizeof(float));
    instruction_sets[0]->rotary(x, angles, rows, heads, head_dim, turned, pairs);
    kernels->rotary(got, angles, rows, heads, head_dim, turned, pairs);
    require_near(x, got, count, 1e-6f, "rotary");
    release_guarded();
}

static void check_norm(const apus_kernels *kernels, size_t width) {
    const size_t sets = 1 + width % 3, rows = 2 * sets, count = rows * width;
    const apus_norm norm = {.weight = random_floats(sets * width, 1), .epsilon = 1e-3f, .is_centered = width % 2,
                            .bias = width % 5 == 0 ? NULL : random_floats(sets * width, 1)};
    const float *x = random_floats(count, 3);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        float *y = random_floats(count, 1), *got = guarded_floats(count);
        memcpy(got, y, count * sizeof(float));
        instruction_sets[0]->norm_rows(&norm, x, y, rows, width, sets, 0.7f, accumulate);
        kernels->norm_rows(&norm, x, got, rows, width, sets, 0.7f, accumulate);
        require_near(y, got, count, 2e-5f, "norm_rows");
    }
    release_guarded();
}

static void check_cap(const apus_kernels *kernels, size_t count) {
    float *x = random_floats(count, 90), *got = guarded_floats(count);
    memcpy(got, x, count * sizeof(float));
    instruction_sets[0]->soft_cap(x, 30, count);
    kernels->soft_cap(got, 30, count);
    require_near(x, got, count, 2e-5f, "soft_cap");
    release_guarded();
}

static void check_gate(const apus_kernels *kernels, apus_activation activation, size_t count) {
    float *gate = random_floats(count, 8), *up = random_floats(count, 1), *got = guarded_floats(count);
    memcpy(got, gate, count * sizeof(float));
    instruction_sets[0]->gated_activation(activation, gate, up, count);
    kernels->gated_activation(activation, got, up, count);
    require_near(gate, got, count, activation >= APUS_RELU_SQUARED ? 2e-5f : 4e-6f, "gated_activation");
    memcpy(got, up, count * sizeof(float));
    instruction_sets[0]->activate(activation, up, count);
    kernels->activate(activation, got, count);
    require_near(up, got, count, 1e-6f, "activate");
    // What is next to nothing keeps its digits: a norm may be next.
    float *tail = random_floats(count, 5), *exact = random_floats(count, 1);
    memcpy(exact, tail, count * sizeof(float)), memcpy(got, tail, count * sizeof(float));
    instruction_sets[0]->activate(activation, exact, count);
    kernels->activate(activation, got, count);
    for (size_t i = 0; i < count; i++) {
        require(fabsf(got[i] - exact[i]) <= 2e-4f * fabsf(exact[i]), "%s: activation %d of %g is %g, not %g", kernels->name,
                (int)activation, (double)tail[i], (double)got[i], (double)exact[i]);
    }
    release_guarded();
}

static void check_convolution(const apus_kernels *kernels, size_t channels) {
    const size_t taps = 2 + channels % 3, tokens = 1 + channels % 7, states = (taps - 1) * channels;
    float *state = random_floats(states, 1), *own = guarded_floats(states);
    memcpy(own, state, states * sizeof(float));
    apus_convolution task = {.x = random_floats(tokens * channels, 1), .state = state, .tokens = tokens,
                             .weight = random_floats(taps * channels, 1), .channels = channels, .taps = taps,
                             .bias = channels % 2 ? random_floats(channels, 1) : NULL, .begins = channels % 5 == 0,
                             .has_silu = channels % 3 == 0, .y = guarded_floats(tokens * channels)};
    apus_convolution got = task;
    got.y = guarded_floats(tokens * channels), got.state = own;
    instruction_sets[0]->convolve(&task, 0, channels);
    kernels->convolve(&got, 0, channels / 2);
    kernels->convolve(&got, channels / 2, channels);
    require_near(task.y, got.y, tokens * channels, 4e-6f, "convolve");
    require(memcmp(state, own, states * sizeof(float)) == 0, "%s: state of a convolution", kernels->name);
    release_guarded();
}

static void check_delta(const apus_kernels *kernels, size_t width) {
    const size_t key_heads = 2, value_heads = 4, key_dim = 3 + width % 8, tokens = 1 + width % 4;
    const size_t values = value_heads * width, states = value_heads * key_dim * width;
    float *state = random_floats(states, 1), *own = guarded_floats(states);
    memcpy(own, state, states * sizeof(float));
    apus_delta task = {.mixed = random_floats(tokens * (2 * key_heads * key_dim + values), 1), .state = state,
                       .a = random_floats(tokens * value_heads, 1), .b = random_floats(tokens * value_heads, 1),
                       .z = random_floats(tokens * values, 1), .decay = random_floats(value_heads, 1),
                       .offset = random_floats(value_heads, 1), .norm = random_floats(width, 1), .epsilon = 1e-3f,
                       .tokens = tokens, .key_heads = key_heads, .value_heads = value_heads, .key_dim = key_dim,
                       .value_dim = width, .begins = width % 3 == 0, .y = guarded_floats(tokens * values),
                       .scratch = guarded_floats(2 * key_dim)};
    apus_delta got = task;
    got.y = guarded_floats(tokens * values), got.state = own;
    for (size_t head = 0; head < value_heads; head++) {
        instruction_sets[0]->delta_scan(&task, head);
        kernels->delta_scan(&got, head);
    }
    require_near(task.y, got.y, tokens * values, 4e-5f, "delta_scan");
    require_near(state, own, states, 4e-5f, "state of delta_scan");
    release_guarded();
}

static void check_argmax(const apus_kernels *kernels, size_t count) {
    float *x = random_floats(count, 1);
    for (int odd = 0; odd < 4; odd++) {
        const float values[] = {2, NAN, INFINITY, -INFINITY};
        const size_t place = random_below((uint32_t)count);
        const float before = x[place];
        x[place] = values[odd];
        require(instruction_sets[0]->argmax(x, count) == kernels->argmax(x, count), "%s: argmax of %zu with %g at %zu",
                kernels->name, count, (double)values[odd], place);
        x[place] = before;
    }
    release_guarded();
}

static void check_conversion(apus_dtype from, apus_dtype to, size_t count) {
    const size_t sizes[] = {4, 2, 2};
    float *values = random_floats(count, 2);
    void *source = guarded(count * sizes[from], sizes[from]), *target = guarded(count * sizes[to], sizes[to]);
    apus_convert(values, APUS_F32, source, from, count);
    apus_convert(source, from, target, to, count);
    release_guarded();
}

static void check_quantizer(size_t set) {
    const apus_quantizer *quantizer = apus_quantizer_for(instruction_set_numbers[set]);
    float *values = random_floats(APUS_GROUP, 3);
    const float largest = quantizer->largest(values);
    quantizer->to_i8(values, 127 / largest, guarded(APUS_GROUP, 1));
    for (int odd = 0; odd < 3; odd++) {
        values[odd * 7] = odd == 0 ? NAN : odd == 1 ? INFINITY : -3e38f;
        quantizer->to_i8(values, 1, guarded(APUS_GROUP, 1));
    }
    release_guarded();
}

// Sixteen outputs of so many inputs, with and without a spread, some of them no numbers.
static void check_codes(size_t set, size_t inputs) {
    const apus_quantizer *quantizer = apus_quantizer_for(instruction_set_numbers[set]);
    const size_t groups = (inputs + APUS_GROUP - 1) / APUS_GROUP, padded = groups * APUS_GROUP * APUS_PANEL;
    const float *drawn = random_floats(padded, 3), *spread = random_floats(inputs * inputs, 4);
    float *inverses = random_floats(APUS_PANEL, 5);
    for (int odd = 0; odd < 4; odd++) {
        float *values = guarded(padded * sizeof(float), 64);
        memcpy(values, drawn, padded * sizeof(float));
        if (odd > 0) values[inputs / 2 * APUS_PANEL + 3] = odd == 1 ? NAN : odd == 2 ? INFINITY : -3e38f;
        uint8_t *codes = guarded(padded, 1), *grids = guarded(groups * APUS_PANEL, 1);
        quantizer->to_i4(values, inputs, inverses, odd % 2 ? spread : NULL, codes, grids);
        for (size_t i = 0; i < padded; i++) require(codes[i] < 16, "a code of %d", codes[i]);
        for (size_t i = 0; i < groups * APUS_PANEL; i++) {
            const int multiplier = APUS_GRID_MULTIPLIER(grids[i]), zero = APUS_GRID_ZERO(grids[i]);
            require(multiplier > 0 && zero * multiplier <= 128 && (15 - zero) * multiplier <= 127, "a grid of %d", grids[i]);
        }
    }
    const size_t width = (inputs + 15) / 16 * 16;
    float *moments = guarded_floats(width * width);
    memset(moments, 0, width * width * sizeof(float));
    quantizer->add_moments(random_floats(3 * width, 6), 3, width, moments);
    release_guarded();
}

void check_elementwise(void) {
    for (int from = 0; from < 3; from++) {
        for (int to = 0; to < 3; to++) check_conversion((apus_dtype)from, (apus_dtype)to, 1 + (size_t)(from * 3 + to));
    }
    for (size_t set = 0; set < instruction_set_count; set++) {
        const apus_kernels *kernels = instruction_sets[set];
        for (size_t size = 1; size <= 67; size++) {
            for (int type = 0; type < 3; type++) check_embedding(kernels, (apus_dtype)type, size);
            for (int kind = 0; kind <= APUS_SIGMOID; kind++) check_gate(kernels, (apus_activation)kind, size);
            check_rotary(kernels, 2 * size, false);
            check_rotary(kernels, 2 * size, true);
            check_norm(kernels, size);
            check_cap(kernels, size);
            check_convolution(kernels, size);
            check_delta(kernels, size);
            check_argmax(kernels, size);
        }
        for (size_t lanes = 4; lanes <= 16; lanes *= 2) {
            for (size_t size = 64 * lanes - 2; size < 64 * lanes + 4; size++) check_argmax(kernels, size);
            check_argmax(kernels, 130 * lanes + 3);
        }
        check_quantizer(set);
        for (size_t inputs = 1; inputs <= APUS_SPREAD; inputs += inputs < 70 ? 3 : 31) check_codes(set, inputs);
    }
}
