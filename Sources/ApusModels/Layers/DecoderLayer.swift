import ApusCheckpoints
import ApusCompute

/// One block, on its device: attention and an MLP, each behind a norm and added to what came in.
struct DecoderLayer: Sendable {
    let device: any Device
    let kind: LayerKind
    /// In the order in which they are used.
    let matrices: [any PreparedWeight]
    private let query, key, value, output: Projection
    private let gate, up, down: Projection
    private let attentionNorm, mlpNorm: Norm
    private let headNorms: HeadNorms

    init(_ place: WeightCursor, _ spec: DecoderSpec, _ kind: LayerKind, _ loader: WeightLoader) throws {
        let parts = try LayerParts(place, spec.weights(of: kind), loader)
        device = loader.device
        self.kind = kind
        matrices = parts.matrices
        query = try parts.projection(.query)
        key = try parts.projection(.key)
        value = try parts.projection(.value)
        output = try parts.projection(.output)
        gate = try parts.projection(.gate)
        up = try parts.projection(.up)
        down = try parts.projection(.down)
        headNorms = HeadNorms(
            query: try kind.attention.headNorm.map { try parts.norm(.queryNorm, $0) },
            key: try kind.attention.headNorm.map { try parts.norm(.keyNorm, $0) })
        attentionNorm = try parts.norm(.attentionNorm, kind.attentionNorm)
        mlpNorm = try parts.norm(.mlpNorm, kind.mlpNorm)
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(
        _ buffers: ActivationBuffers.View, angles: Tensor, cache: KVCache.Layer, batch: AttentionBatch
    ) throws {
        try device.linear(
            buffers.hidden, norm: attentionNorm,
            [query.into(buffers.query), key.into(buffers.key), value.into(buffers.value)])
        try device.prepareHeads(
            query: buffers.query, key: buffers.key, value: buffers.value, norms: headNorms,
            angles: kind.attention.isRotary ? angles : nil,
            in: cache.memory, layout: cache.layout, batch: batch)
        try device.attention(
            query: buffers.query, cache: cache.memory, layout: cache.layout, batch: batch, rule: kind.attention.rule,
            into: buffers.attended)
        try device.linear(buffers.attended, norm: nil, [output.added(to: buffers.hidden, scale: kind.branchScale)])

        try device.gatedLinear(
            buffers.hidden, norm: mlpNorm, gate: gate, up: up, kind.mlp.activation, into: buffers.gated)
        try device.linear(buffers.gated, norm: nil, [down.added(to: buffers.hidden, scale: kind.branchScale)])
    }
}
