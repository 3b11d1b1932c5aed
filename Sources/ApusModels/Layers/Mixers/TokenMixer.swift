import ApusCompute

/// What brings the tokens of a sequence together in a layer.
protocol TokenMixer: Sendable {
    /// Writes what the layer's last product of it takes into `buffers.attended`. The hidden state stays as it is.
    ///
    /// - Parameter norm: of the hidden state, on its way into products.
    func mix(
        _ hidden: Tensor, norm: Norm?, _ buffers: ActivationBuffers.View, _ step: StepTensors, _ memory: LayerMemory,
        on device: any Device
    ) throws
}

extension TokenMixer {
    /// Throws `ComputeError` (`.misuse`): a layer has the memory of its own kind.
    func wrongMemory() -> ComputeError { .misuse("a layer with the memory of another kind") }
}
