import ApusCompute

/// What one layer adds of what it gets of a token beside the hidden state: norm(output(activation(gate(x)) · own)).
struct PerLayerInput: Sendable {
    private let gate, output: Projection
    private let norm: Norm
    private let activation: Activation
    /// Where the layer's own begins.
    private let column: Int

    init(_ spec: EmbeddingSpec.PerLayer, _ weights: LoadedWeights, index: Int) throws {
        gate = try weights.projection(.perLayerGate)
        output = try weights.projection(.perLayerOutput)
        guard let norm = weights.norms[.perLayerAfterNorm] else {
            throw ModelError.unsupported("a layer without \(WeightRole.perLayerAfterNorm)")
        }
        self.norm = norm
        activation = spec.activation
        column = index * spec.width
    }

    func add(_ buffers: ActivationBuffers.View, on device: any Device) throws {
        guard let own = buffers.perLayerGated, let all = buffers.perLayer, let branch = buffers.branch else { return }
        try device.linear(buffers.hidden, norm: nil, [gate.into(own, then: .activation(activation))])
        try device.multiply(own, by: all, from: column, scale: 1)
        try device.linear(own, norm: nil, [output.into(branch)])
        try device.normalize(branch, norm, scale: 1, into: buffers.hidden, accumulates: true)
    }
}
