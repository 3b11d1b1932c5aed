import ApusCompute

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A gated delta net behind a short convolution.
struct DeltaNetMixer: TokenMixer {
    private let mixed, gate, forgetting, learning: Projection
    private let filter: Tensor
    private let rule: DeltaRule

    init(_ spec: DeltaNetSpec, _ weights: LoadedWeights, on device: any Device) throws {
        mixed = try weights.projection(.mixed)
        gate = try weights.projection(.mixedGate)
        forgetting = try weights.projection(.forgetting)
        learning = try weights.projection(.learning)
        filter = try weights.filter(.convolution).weight
        let logarithms: [Float] = try device.download(weights.vector(.decay)).elements()
        rule = DeltaRule(
            keyHeads: spec.keyHeads, valueHeads: spec.valueHeads, keyDim: spec.keyDim, valueDim: spec.valueDim,
            decay: try device.makeTensor(logarithms.map { -expf($0) }), offset: try weights.vector(.decayOffset),
            norm: try weights.norm(.deltaNorm))
    }

    func mix(
        _ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, _ step: StepTensors, _ memory: LayerMemory,
        on device: any Device
    ) throws {
        guard case .states(let before, let state?) = memory, let mixer = buffers.mixer, let z = buffers.gate else {
            throw wrongMemory()
        }
        try device.linear(hidden, norm: norm, [mixed.into(mixer.mixed), gate.into(z)])
        try device.linear(
            hidden, norm: norm, [forgetting.into(mixer.forgetting), learning.into(mixer.learning)])
        try device.convolve(
            mixer.mixed, filter, bias: nil, hasSiLU: true, state: before, batch: step.attention, into: mixer.second)
        try device.advance(
            mixer.second, a: mixer.forgetting, b: mixer.learning, z: z, rule: rule, state: state,
            batch: step.attention, into: buffers.attended)
    }
}
