import ApusCheckpoints
import ApusCompute

/// One block, on its device: attention and an MLP, whose results are added to what came in.
struct DecoderLayer: Sendable {
    let device: any Device
    let kind: LayerKind
    /// In the order in which they are used.
    let matrices: [any PreparedWeight]
    private let query, key, value, output: Projection
    private let gate: Projection?
    private let up, down: Projection
    private let attentionNorm, attentionAfterNorm, mlpNorm, mlpAfterNorm: Norm?
    private let headRule: HeadRule
    private let attentionRule: AttentionRule
    private let scalesQueries: Bool

    init(_ place: WeightCursor, _ spec: DecoderSpec, _ kind: LayerKind, _ loader: WeightLoader) throws {
        let weights = try LoadedWeights(place, spec.weights(of: kind), loader)
        let attention = kind.attention
        device = loader.device
        self.kind = kind
        matrices = weights.matrices
        query = try weights.projection(.query)
        key = try weights.projection(.key)
        value = try weights.projection(.value)
        output = try weights.projection(.output)
        gate = weights.projections[.gate]
        up = try weights.projection(.up)
        down = try weights.projection(.down)
        attentionNorm = weights.norms[.attentionNorm]
        attentionAfterNorm = weights.norms[.attentionAfterNorm]
        mlpNorm = weights.norms[.mlpNorm]
        mlpAfterNorm = weights.norms[.mlpAfterNorm]
        var headRule = HeadRule()
        let spansHeads = attention.headNorm?.span == .row
        headRule.query = weights.norms[.queryNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.key = weights.norms[.keyNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.normsComeLast = attention.normsComeLast
        headRule.clip = attention.clip
        headRule.turnsNeighbours = attention.rotary.map { spec.rotaries[$0].turnsNeighbours } ?? false
        self.headRule = headRule
        scalesQueries = spec.queryScaling != nil
        var rule = AttentionRule(scale: attention.scale, window: attention.window)
        rule.softCap = attention.softCap
        rule.slopes = try attention.slopes.map { try loader.device.makeTensor($0) }
        rule.sinks = weights.vectors[.sinks]
        attentionRule = rule
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(_ buffers: ActivationBuffers.View, _ step: StepTensors, cache: KVCache.Layer) throws {
        let hidden = buffers.hidden
        let attentionInput = try norm(hidden, attentionNorm)
        try device.linear(
            hidden, norm: attentionInput,
            [query.into(buffers.query), key.into(buffers.key), value.into(buffers.value)])
        if kind.residual == .parallel { try open(hidden, norm: mlpNorm ?? attentionNorm, into: buffers.gated) }
        var headRule = headRule
        if scalesQueries { headRule.queryScales = step.queryScales }
        try device.prepareHeads(
            query: buffers.query, key: buffers.key, value: buffers.value, rule: headRule,
            angles: kind.attention.rotary.map { step.angles[$0] }, in: cache.memory, layout: cache.layout,
            batch: step.attention)
        try device.attention(
            query: buffers.query, cache: cache.memory, layout: cache.layout, batch: step.attention,
            rule: attentionRule, into: buffers.attended)
        try add(output, of: buffers.attended, norm: attentionAfterNorm, sumNorm: attentionNorm, buffers)
        if kind.residual != .parallel { try open(hidden, norm: norm(hidden, mlpNorm), into: buffers.gated) }
        try add(down, of: buffers.gated, norm: mlpAfterNorm, sumNorm: mlpNorm, buffers)
    }

    /// The norm that is left for the products of a hidden state.
    private func norm(_ hidden: Tensor, _ norm: Norm?) throws -> Norm? {
        switch kind.residual {
        case .serial, .parallel: return norm
        case .normedSum: return nil
        case .normedInput:
            if let norm { try device.normalize(hidden, norm, scale: 1, into: hidden, accumulates: false) }
            return nil
        }
    }

    private func open(_ hidden: Tensor, norm: Norm?, into gated: Tensor) throws {
        let activation = kind.mlp.activation
        guard let gate else {
            return try device.linear(hidden, norm: norm, [up.into(gated, then: .activation(activation))])
        }
        try device.gatedLinear(hidden, norm: norm, gate: gate, up: up, activation, into: gated)
    }

    /// Adds the result of a branch to the hidden state.
    private func add(
        _ projection: Projection, of x: Tensor, norm: Norm?, sumNorm: Norm?, _ buffers: ActivationBuffers.View
    ) throws {
        let hidden = buffers.hidden
        if let norm, let branch = buffers.branch {
            try device.linear(x, norm: nil, [projection.into(branch)])
            try device.normalize(branch, norm, scale: kind.branchScale, into: hidden, accumulates: true)
        } else {
            try device.linear(x, norm: nil, [projection.added(to: hidden, scale: kind.branchScale)])
        }
        if kind.residual == .normedSum, let sumNorm {
            try device.normalize(hidden, sumNorm, scale: 1, into: hidden, accumulates: false)
        }
    }
}
