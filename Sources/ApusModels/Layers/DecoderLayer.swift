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
        let names = spec.names
        let queries = spec.heads * spec.headDim
        let keys = spec.kvHeads * spec.headDim
        func projection(_ name: String, _ outputs: Int, _ inputs: Int, _ bias: Bool) throws -> Projection {
            try loader.projection(weights.at(name), outputs: outputs, inputs: inputs, bias: bias)
        }
        device = loader.device
        attentionNorm = try loader.vector(weights.at(names.attentionNorm), "weight", count: spec.hiddenSize)
        query = try projection(names.query, queries, spec.hiddenSize, spec.attentionBias)
        key = try projection(names.key, keys, spec.hiddenSize, spec.attentionBias)
        value = try projection(names.value, keys, spec.hiddenSize, spec.attentionBias)
        output = try projection(names.output, spec.hiddenSize, queries, spec.attentionBias)
        mlpNorm = try loader.vector(weights.at(names.mlpNorm), "weight", count: spec.hiddenSize)
        gate = try projection(names.gate, spec.intermediateSize, spec.hiddenSize, spec.mlpBias)
        up = try projection(names.up, spec.intermediateSize, spec.hiddenSize, spec.mlpBias)
        down = try projection(names.down, spec.hiddenSize, spec.intermediateSize, spec.mlpBias)
    }

    /// Notes every weight that `init` will ask for, so that all that is missing is reported at once.
    static func expect(_ weights: WeightCursor, _ spec: DecoderSpec) {
        let names = spec.names
        let queries = spec.heads * spec.headDim
        let keys = spec.kvHeads * spec.headDim
        func projection(_ name: String, _ outputs: Int, _ inputs: Int, _ bias: Bool) {
            weights.at(name).expect("weight", shape: [outputs, inputs])
            if bias { weights.at(name).expect("bias", shape: [outputs]) }
        }
        for norm in [names.attentionNorm, names.mlpNorm] {
            weights.at(norm).expect("weight", shape: [spec.hiddenSize])
        }
        projection(names.query, queries, spec.hiddenSize, spec.attentionBias)
        projection(names.key, keys, spec.hiddenSize, spec.attentionBias)
        projection(names.value, keys, spec.hiddenSize, spec.attentionBias)
        projection(names.output, spec.hiddenSize, queries, spec.attentionBias)
        projection(names.gate, spec.intermediateSize, spec.hiddenSize, spec.mlpBias)
        projection(names.up, spec.intermediateSize, spec.hiddenSize, spec.mlpBias)
        projection(names.down, spec.hiddenSize, spec.intermediateSize, spec.mlpBias)
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(
        _ buffers: ActivationBuffers.View, _ spec: DecoderSpec, cache: KVCacheLayer, layout: KVCacheLayout,
        batch: AttentionBatch
    ) throws {
        try device.rmsNorm(buffers.hidden, weight: attentionNorm, epsilon: spec.normEpsilon, into: buffers.normed)
        try query(buffers.normed, into: buffers.query, on: device)
        try key(buffers.normed, into: buffers.key, on: device)
        try value(buffers.normed, into: buffers.value, on: device)
        try device.rotaryEmbedding(buffers.query, angles: buffers.angles, headDim: spec.headDim)
        try device.rotaryEmbedding(buffers.key, angles: buffers.angles, headDim: spec.headDim)
        try device.storeKV(keys: buffers.key, values: buffers.value, in: cache, layout: layout, batch: batch)
        try device.attention(
            query: buffers.query, cache: cache, layout: layout, batch: batch, scale: spec.attentionScale,
            into: buffers.attended)
        try output(buffers.attended, into: buffers.normed, on: device)
        try device.add(buffers.normed, to: buffers.hidden)

        try device.rmsNorm(buffers.hidden, weight: mlpNorm, epsilon: spec.normEpsilon, into: buffers.normed)
        try gate(buffers.normed, into: buffers.gate, on: device)
        try up(buffers.normed, into: buffers.up, on: device)
        try device.gatedActivation(spec.activation, gate: buffers.gate, up: buffers.up)
        try down(buffers.gate, into: buffers.normed, on: device)
        try device.add(buffers.normed, to: buffers.hidden)
    }
}

extension WeightCursor {
    /// The place at a dotted path below this one.
    func at(_ path: String) -> WeightCursor {
        path.split(separator: ".").reduce(self) { $0[String($1)] }
    }
}
