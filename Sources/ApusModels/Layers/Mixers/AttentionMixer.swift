import ApusCompute

/// Attention over the keys and values of a sequence's blocks.
struct AttentionMixer: TokenMixer {
    private let query: Projection
    /// None where those of another layer are taken up.
    private let key, value: Projection?
    private let outputGate: Projection?
    private let headRule: HeadRule
    private let rule: AttentionRule
    private let rotary: Int?
    private let scalesQueries: Bool

    init(_ spec: DecoderSpec, _ attention: AttentionSpec, _ weights: LoadedWeights, on device: any Device) throws {
        query = try weights.projection(.query)
        key = weights.projections[.key]
        value = weights.projections[.value] ?? key
        outputGate = weights.projections[.outputGate]
        var headRule = HeadRule()
        let spansHeads = attention.headNorm?.span == .row
        headRule.query = weights.norms[.queryNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.key = weights.norms[.keyNorm].map { HeadNorm($0, spansHeads: spansHeads) }
        headRule.value = try attention.valueNorm.map { spec in
            let ones = try device.makeTensor([Float](repeating: 1, count: attention.headDim))
            return HeadNorm(Norm(weight: ones, epsilon: spec.epsilon, isCentered: spec.kind == .layer))
        }
        headRule.normsComeLast = attention.normsComeLast
        (headRule.clip, headRule.clipsNormed) = (attention.clip, attention.clipsNormed)
        headRule.turnsNeighbours = attention.rotary.map { spec.rotaries[$0].turnsNeighbours } ?? false
        self.headRule = headRule
        rotary = attention.rotary
        scalesQueries = spec.queryScaling != nil
        var rule = AttentionRule(scale: attention.scale, window: attention.window)
        rule.softCap = attention.softCap
        rule.slopes = try attention.slopes.map { try device.makeTensor($0) }
        rule.sinks = weights.vectors[.sinks]
        self.rule = rule
    }

    func mix(
        _ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, _ step: StepTensors, _ memory: LayerMemory,
        on device: any Device
    ) throws {
        guard case .blocks(let group, let layout, let cache) = memory else { throw wrongMemory() }
        let batch = step.attentions[group]
        var products = [query.into(buffers.query)]
        if let key, let value { products += [key.into(buffers.key), value.into(buffers.value)] }
        if let outputGate, let gate = buffers.gate {
            products.append(outputGate.into(gate, then: .activation(.sigmoid)))
        }
        try device.linear(hidden, norm: norm, products)
        var headRule = headRule
        if scalesQueries { headRule.queryScales = step.queryScales }
        try device.prepareHeads(
            query: buffers.query, key: key == nil ? nil : buffers.key, value: key == nil ? nil : buffers.value,
            rule: headRule, angles: rotary.map { step.angles[$0] }, in: cache, layout: layout, batch: batch)
        try device.attention(
            query: buffers.query, cache: cache, layout: layout, batch: batch, rule: rule,
            into: buffers.attended)
        if outputGate != nil { try device.multiply(buffers.attended, by: buffers.gate, from: 0, scale: 1) }
    }
}
