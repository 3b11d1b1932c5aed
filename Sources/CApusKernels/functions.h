// Functions of vectors of floats: each element's result depends on nothing but the element.

// A polynomial by Cephes' tanhf near zero, e^2x elsewhere: about two units in the last place.
INLINE vfloat hyperbolic_tangent(vfloat x) {
    const vfloat square = x * x;
    vfloat near = square * -5.70498872745e-3f + 2.06390887954e-2f;
    near = near * square - 5.37397155531e-2f;
    near = near * square + 1.33314422036e-1f;
    near = near * square - 3.33332819422e-1f;
    near = near * square * x + x;
    const vfloat far = 1.0f - 2.0f / (exponential(x * 2.0f) + 1.0f);
    return pick(square < splat(0.390625f), near, far);
}

// The share of a normal distribution below x, (1 + erf(x / √2)) / 2, by two polynomials for erf that N. Juffa fitted
// (stackoverflow.com/a/35148199): of x near zero, in the exponent elsewhere, where a small share keeps its digits.
INLINE vfloat normal_share(vfloat x) {
    x = x * 0.70710678118654752f;
    const vfloat square = x * x, size = maximum(x, -x);
    vfloat far = size * -1.72853470e-5f + 3.83197126e-4f;
    far = far * square + (size * -3.88396438e-3f + 2.42546219e-2f);
    far = far * size - 1.06777877e-1f;
    far = far * size - 6.34846687e-1f;
    far = far * size - 1.28717512e-1f;
    far = exponential(far * size - size) * 0.5f;
    vfloat near = square * -5.96761703e-4f + 4.99119423e-3f;
    near = near * square - 2.67681349e-2f;
    near = near * square + 1.12819925e-1f;
    near = near * square - 3.76125336e-1f;
    near = near * square + 1.28379166e-1f;
    near = (near * x + x) * 0.5f + 0.5f;
    return pick(size < splat(0.927734375f), near, pick(x < (vfloat){}, far, 1.0f - far));
}

// What an activation multiplies its result with, of the product beside its own.
INLINE vfloat factor_beside(const apus_activation activation, vfloat up) {
    if (activation != APUS_CLAMPED_SWIGLU) return up;
    return pick(up < splat(-7), splat(-7), pick(up > splat(7), splat(7), up)) + 1.0f;
}

INLINE vfloat activated(const apus_activation activation, vfloat x) {
    switch (activation) {
    case APUS_SILU: return x / (exponential(-x) + 1.0f);
    case APUS_GELU: return x * normal_share(x);
    // x (1 + tanh u) / 2, without the difference of nearly equal numbers where u is far below 0.
    case APUS_GELU_TANH: return x / (exponential((x + x * x * x * 0.044715f) * -1.59576912160573072f) + 1.0f);
    case APUS_RELU: return pick(x < (vfloat){}, (vfloat){}, x);
    case APUS_RELU_SQUARED: return pick(x < (vfloat){}, (vfloat){}, x * x);
    case APUS_QUICK_GELU: return x / (exponential(x * -1.702f) + 1.0f);
    case APUS_SIGMOID: return 1.0f / (exponential(-x) + 1.0f);
    case APUS_CLAMPED_SWIGLU:
        x = pick(x > splat(7), splat(7), x);
        return x / (exponential(x * -1.702f) + 1.0f);
    }
    return x;
}
