import ApusCompute

/// A short convolution between two gates: gate · convolve(gate · x).
struct ConvolutionMixer: TokenMixer {
    private let gate, input, outputGate: Projection
    private let filter: (weight: Tensor, bias: Tensor?)

    init(_ weights: LoadedWeights) throws {
        gate = try weights.projection(.convolutionGate)
        input = try weights.projection(.convolutionInput)
        outputGate = try weights.projection(.convolutionOutputGate)
        filter = try weights.filter(.convolution)
    }

    func mix(
        _ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, _ step: StepTensors, _ memory: LayerMemory,
        on device: any Device
    ) throws {
        guard case .states(let before, _) = memory, let mixer = buffers.mixer, let gates = buffers.gate else {
            throw wrongMemory()
        }
        try device.linear(
            hidden, norm: norm, [gate.into(gates), input.into(mixer.mixed), outputGate.into(mixer.second)])
        try device.multiply(mixer.mixed, by: gates, from: 0, scale: 1)
        try device.convolve(
            mixer.mixed, filter.weight, bias: filter.bias, hasSiLU: false, state: before, batch: step.attention,
            into: buffers.attended)
        try device.multiply(buffers.attended, by: mixer.second, from: 0, scale: 1)
    }
}
