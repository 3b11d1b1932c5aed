import ApusCheckpoints
import ApusCompute

/// One block, on its device: attention and an MLP, whose results are added to what came in.
struct DecoderLayer: Sendable {
    let device: any Device
    let kind: LayerKind
    /// In the order in which they are used.
    let matrices: [any PreparedWeight]
    private let query, output: Projection
    /// None where those of another layer are taken up.
    private let key, value: Projection?
    private let mlp: DecoderMLP
    private let attentionNorm, attentionAfterNorm, mlpNorm, mlpAfterNorm: Norm?
    private let headRule: HeadRule
    private let attentionRule: AttentionRule
    private let scalesQueries: Bool
    private let perLayer: PerLayerInput?
    private let outputScale: Float?

    /// - Parameter index: the layer's number.
    init(_ place: WeightCursor, _ spec: DecoderSpec, _ index: Int, _ loader: WeightLoader) throws {
        let kind = spec.kind(ofLayer: index)
        let weights = try LoadedWeights(place, spec.weights(of: kind), loader)
        let attention = kind.attention
        device = loader.device
        self.kind = kind
        matrices = weights.matrices
        query = try weights.projection(.query)
        key = weights.projections[.key]
        value = weights.projections[.value] ?? key
        output = try weights.projection(.output)
        mlp = try DecoderMLP(kind.mlp, weights)
        attentionNorm = weights.norms[.attentionNorm]
        attentionAfterNorm = weights.norms[.attentionAfterNorm]
        mlpNorm = weights.norms[.mlpNorm]
        mlpAfterNorm = weights.norms[.mlpAfterNorm]
        var headRule = HeadRule()
        let spansHeads = attention.headNorm?.span == .row
        headRule.query = weights.norms[.queryNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.key = weights.norms[.keyNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.value = try attention.valueNorm.map { spec in
            let ones = try loader.device.makeTensor([Float](repeating: 1, count: attention.headDim))
            return HeadNorm(Norm(weight: ones, epsilon: spec.epsilon, isCentered: spec.kind == .layer))
        }
        headRule.normsComeLast = attention.normsComeLast
        (headRule.clip, headRule.clipsNormed) = (attention.clip, attention.clipsNormed)
        headRule.turnsNeighbours = attention.rotary.map { spec.rotaries[$0].turnsNeighbours } ?? false
        self.headRule = headRule
        scalesQueries = spec.queryScaling != nil
        var rule = AttentionRule(scale: attention.scale, window: attention.window)
        rule.softCap = attention.softCap
        rule.slopes = try attention.slopes.map { try loader.device.makeTensor($0) }
        rule.sinks = weights.vectors[.sinks]
        attentionRule = rule
        perLayer = try spec.embedding.perLayer.map { try PerLayerInput($0, weights, index: index) }
        outputScale = try weights.vectors[.outputScale].flatMap { scale -> Float? in
            let values: [Float] = try loader.device.download(scale).elements()
            return values.first
        }
    }

    /// Replaces `buffers.hidden` by what the block makes of it.
    func forward(_ buffers: ActivationBuffers.View, _ step: StepTensors, cache: KVCache.Layer) throws {
        let hidden = buffers.hidden
        let attentionInput = try norm(hidden, attentionNorm)
        try device.linear(
            hidden, norm: attentionInput,
            [query.into(buffers.query)] + (key.map { [$0.into(buffers.key)] } ?? [])
                + (value.map { [$0.into(buffers.value)] } ?? []))
        if kind.residual == .parallel { try mlp.open(hidden, norm: mlpNorm ?? attentionNorm, buffers, on: device) }
        var headRule = headRule
        if scalesQueries { headRule.queryScales = step.queryScales }
        try device.prepareHeads(
            query: buffers.query, key: key == nil ? nil : buffers.key, value: key == nil ? nil : buffers.value,
            rule: headRule,
            angles: kind.attention.rotary.map { step.angles[$0] }, in: cache.memory, layout: cache.layout,
            batch: step.attention)
        try device.attention(
            query: buffers.query, cache: cache.memory, layout: cache.layout, batch: step.attention,
            rule: attentionRule, into: buffers.attended)
        try add(attentionAfterNorm, sumNorm: attentionNorm, buffers) { target, accumulates, scale in
            try device.linear(
                buffers.attended, norm: nil, [Product(output, into: target, accumulates: accumulates, scale: scale)])
        }
        let mlpInput = kind.residual == .parallel ? nil : try norm(hidden, mlpNorm)
        if kind.residual != .parallel { try mlp.open(hidden, norm: mlpInput, buffers, on: device) }
        try add(mlpAfterNorm, sumNorm: mlpNorm, buffers) { target, accumulates, scale in
            try mlp.close(
                into: target, accumulates: accumulates, scale: scale, norm: mlpInput, buffers, on: device)
        }
        try perLayer?.add(buffers, on: device)
        if let outputScale { try device.multiply(hidden, by: nil, from: 0, scale: outputScale) }
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

    /// Adds the result of a branch to the hidden state, through its norm if it has one.
    private func add(
        _ norm: Norm?, sumNorm: Norm?, _ buffers: ActivationBuffers.View,
        _ branch: (_ target: Tensor, _ accumulates: Bool, _ scale: Float) throws -> Void
    ) throws {
        let hidden = buffers.hidden
        if let norm, let target = buffers.branch {
            try branch(target, false, 1)
            try device.normalize(target, norm, scale: kind.branchScale, into: hidden, accumulates: true)
        } else {
            try branch(hidden, true, kind.branchScale)
        }
        if kind.residual == .normedSum, let sumNorm {
            try device.normalize(hidden, sumNorm, scale: 1, into: hidden, accumulates: false)
        }
    }
}
