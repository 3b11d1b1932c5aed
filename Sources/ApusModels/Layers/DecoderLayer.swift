import ApusCheckpoints
import ApusCompute

/// One block: attention and a gated MLP, each behind a norm and added to what came in.
struct DecoderLayer: Sendable {
    let device: any Device
    let attentionNorm: Tensor
    let query, key, value, output: Projection
    let mlpNorm: Tensor
    let gate, up, down: Projection

    init(_ weights: WeightCursor, _ spec: DecoderSpec, _ loader: WeightLoader) throws {
        device = loader.device
        attentionNorm = try loader.vector(weights.at(spec.names.attentionNorm), "weight", count: spec.hiddenSize)
        query = try loader.projection(weights, spec.query)
        key = try loader.projection(weights, spec.key)
        value = try loader.projection(weights, spec.value)
        output = try loader.projection(weights, spec.output)
        mlpNorm = try loader.vector(weights.at(spec.names.mlpNorm), "weight", count: spec.hiddenSize)
        gate = try loader.projection(weights, spec.gate)
        up = try loader.projection(weights, spec.up)
        down = try loader.projection(weights, spec.down)
    }

    /// In the order in which they are used.
    var matrices: [any PreparedWeight] { [query, key, value, output, gate, up, down].map(\.weight) }

    /// Notes the norms and biases that `init` will ask for, so that all that is missing is reported at once.
    static func expectVectors(_ weights: WeightCursor, _ spec: DecoderSpec) {
        for norm in [spec.names.attentionNorm, spec.names.mlpNorm] {
            weights.at(norm).expect("weight", shape: [spec.hiddenSize])
        }
        for shape in spec.projections where shape.hasBias {
            weights.at(shape.name).expect("bias", shape: [shape.outputs])
        }
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(
        _ buffers: ActivationBuffers.View, _ spec: DecoderSpec, angles: Tensor, cache: KVCacheLayer,
        layout: KVCacheLayout, batch: AttentionBatch
    ) throws {
        try device.linear(
            buffers.hidden, norm: Norm(weight: attentionNorm, epsilon: spec.normEpsilon),
            [query.into(buffers.query), key.into(buffers.key), value.into(buffers.value)])
        try device.rotateAndStore(
            query: buffers.query, key: buffers.key, value: buffers.value, angles: angles, in: cache, layout: layout,
            batch: batch)
        try device.attention(
            query: buffers.query, cache: cache, layout: layout, batch: batch, scale: spec.attentionScale,
            into: buffers.attended)
        try device.linear(buffers.attended, norm: nil, [output.added(to: buffers.hidden)])

        try device.gatedLinear(
            buffers.hidden, norm: Norm(weight: mlpNorm, epsilon: spec.normEpsilon), gate: gate, up: up,
            spec.activation, into: buffers.gated)
        try device.linear(buffers.gated, norm: nil, [down.added(to: buffers.hidden)])
    }
}

extension WeightCursor {
    /// The place at a dotted path below this one.
    func at(_ path: String) -> WeightCursor {
        path.split(separator: ".").reduce(self) { $0[String($1)] }
    }
}
