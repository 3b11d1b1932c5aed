#include "checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    apus_dtype type; // of the panels
    apus_dtype stored;
    size_t rows, outputs, inputs;
    bool has_norm, accumulates;
} product;

static size_t row_bytes(apus_dtype type, size_t inputs) {
    return type == APUS_F32 ? inputs * 4 : type == APUS_I8 ? inputs : type == APUS_I4 ? (inputs + 1) / 2 : inputs * 2;
}

// A matrix of random floats as a checkpoint holds it, at an odd address.
static apus_matrix stored_matrix(const product *p) {
    const size_t row = row_bytes(p->stored, p->inputs), groups = (p->inputs + APUS_GROUP - 1) / APUS_GROUP;
    float *floats = random_floats(p->outputs * p->inputs, 1);
    const apus_matrix source = {.rows = floats, .outputs = p->outputs, .inputs = p->inputs, .type = APUS_F32};
    apus_matrix matrix = source;
    matrix.type = p->stored;
    // Rows that end where the memory does.
    uint8_t *rows = guarded(p->outputs * row, 1);
    if (p->stored == APUS_F32) {
        memcpy(rows, floats, p->outputs * row);
    } else if (p->stored == APUS_BF16 || p->stored == APUS_F16) {
        uint16_t *halves = guarded(p->outputs * row, 2);
        apus_convert(floats, APUS_F32, halves, p->stored, p->outputs * p->inputs);
        memcpy(rows, halves, p->outputs * row);
    } else {
        float *scales = guarded_floats(p->outputs);
        uint8_t *grids = p->stored == APUS_I4 ? guarded(p->outputs * groups, 1) : NULL;
        for (size_t first = 0; first < p->outputs; first += APUS_PANEL) {
            const apus_quantized part = {.rows = rows + first * row, .row_bytes = row,
                                         .grids = grids ? grids + first * groups : NULL, .scales = scales + first};
            const size_t left = p->outputs - first;
            apus_quantize_rows(&source, p->stored, first, left < APUS_PANEL ? left : APUS_PANEL, NULL, &part);
        }
        matrix.scales = scales;
        matrix.grids = grids;
        matrix.has_zeros = true;
    }
    matrix.rows = rows;
    return matrix;
}

static float *multiply(const apus_kernels *kernels, const product *p, const void *panels, const float *x,
                       const float *norm, const float *bias, const float *before, size_t stride) {
    const size_t count = (p->rows - 1) * stride + p->outputs;
    apus_activations activations = {.x = x, .norm = {.weight = norm, .epsilon = 1e-5f}, .rows = p->rows,
                                    .inputs = p->inputs, .type = p->type};
    activations.packed = guarded(kernels->packed_bytes(p->type, p->rows, p->inputs), 64);
    for (size_t row = 0; row < p->rows; row += 16) {
        kernels->pack_rows(&activations, row, row + 16 < p->rows ? row + 16 : p->rows);
    }
    float *y = guarded_floats(count);
    memcpy(y, before, count * sizeof(float));
    apus_linear task = {.panels = panels, .type = p->type, .packed = activations.packed, .bias = bias, .y = y,
                        .y_stride = stride, .rows = p->rows, .inputs = p->inputs, .outputs = p->outputs,
                        .accumulate = p->accumulates, .scale = -1};
    task.scratch = guarded(kernels->linear_scratch(p->type, p->inputs), 64);
    // In two calls, as threads share it.
    const size_t end = (p->outputs + APUS_PANEL - 1) / APUS_PANEL, middle = end / 3;
    kernels->linear(&task, 0, middle);
    kernels->linear(&task, middle, end);
    for (size_t row = 0; row + 1 < p->rows; row++) {
        for (size_t i = p->outputs; i < stride; i++) {
            require(y[row * stride + i] == before[row * stride + i], "%s: written between rows", kernels->name);
        }
    }
    return y;
}

static void check_product(const product *p) {
    const apus_matrix matrix = stored_matrix(p);
    const size_t panels = (p->outputs + APUS_PANEL - 1) / APUS_PANEL, bytes = apus_panel_bytes(p->type, p->inputs);
    uint8_t *packed = guarded(panels * bytes, 64);
    for (size_t panel = 0; panel < panels; panel++) apus_pack_panel(&matrix, p->type, panel, packed + panel * bytes);
    const size_t stride = p->outputs + (p->rows % 3), count = (p->rows - 1) * stride + p->outputs;
    const float *x = random_floats(p->rows * p->inputs, 1), *bias = random_floats(p->outputs, 1);
    const float *norm = p->has_norm ? random_floats(p->inputs, 1) : NULL, *before = random_floats(count, 1);
    const float *expected = multiply(instruction_sets[0], p, packed, x, norm, bias, before, stride);
    for (size_t set = 1; set < instruction_set_count; set++) {
        // Rounding of activations may fall on the other side of a half after a norm.
        const float unit = p->type == APUS_I8 || p->type == APUS_I4               ? 0x1p-6f
                           : p->type == APUS_BF16 && multiplies_pairs(set) ? 0x1p-6f
                                                                           : 0x1p-19f;
        const float *got = multiply(instruction_sets[set], p, packed, x, norm, bias, before, stride);
        char what[160];
        snprintf(what, sizeof what, "%s: type %d from %d, %zu rows, %zu outputs, %zu inputs", instruction_sets[set]->name,
                 p->type, p->stored, p->rows, p->outputs, p->inputs);
        require_near(expected, got, count, unit * sqrtf((float)p->inputs) * (p->has_norm ? 2 : 1) + 4e-6f, what);
    }
    release_guarded();
}

// The types that a stored one is packed as.
static bool is_packed(apus_dtype stored, apus_dtype type) {
    return stored <= APUS_F16 ? true : stored == type;
}

void check_products(void) {
    static const size_t outputs[] = {1, 15, 16, 17, 33, 64, 81};
    for (int stored = 0; stored < 5; stored++) {
        for (int type = 0; type < 5; type++) {
            if (!is_packed((apus_dtype)stored, (apus_dtype)type)) continue;
            product p = {.type = (apus_dtype)type, .stored = (apus_dtype)stored};
            // Every row count at some sizes, and every size at some row counts.
            for (p.rows = 1; p.rows <= 20; p.rows++) {
                p.outputs = outputs[p.rows % 7];
                p.has_norm = p.rows % 2 == 0;
                p.accumulates = p.rows % 4 < 2;
                for (p.inputs = 1 + p.rows % 5; p.inputs < 140; p.inputs += 31) check_product(&p);
            }
            for (p.inputs = 1; p.inputs <= 33; p.inputs++) {
                for (p.rows = 1; p.rows <= 20; p.rows++) {
                    p.outputs = outputs[(p.inputs + p.rows) % 7];
                    check_product(&p);
                }
            }
            for (size_t edge = 64; edge <= 256; edge *= 2) {
                for (p.inputs = edge - 1; p.inputs <= edge + 1; p.inputs++) {
                    for (size_t i = 0; i < 7; i++) {
                        p.outputs = outputs[i];
                        p.rows = i == 0 ? 70 : 1 + i * 3;
                        check_product(&p);
                    }
                }
            }
        }
    }
}
