import ApusCompute

/// What a run has on one device, all of it from the start.
struct DeviceShare: Sendable {
    let device: any Device
    let buffers: ActivationBuffers
    /// The device's copy of a step's block.
    private let block: Tensor
    /// Of one group after the other: int32 [groups · sequences, blocksPerSequence]
    private let tables: Tensor

    init(_ device: any Device, _ spec: DecoderSpec, _ limits: StepLimits) throws {
        self.device = device
        buffers = try ActivationBuffers(limits, spec, on: device)
        block = try device.makeTensor(
            [StepLayout.byteCount(limits, spec) / 4], .int32, isSparse: true)
        tables = try device.makeTensor(
            [limits.groups * limits.sequences, limits.blocksPerSequence], .int32, isSparse: true)
    }

    /// Brings a step to the device.
    func receive(_ batch: ForwardBatch, _ layout: StepLayout, _ source: HostBlock, byteCount: Int) throws -> StepTensors
    {
        try device.copyIn(source, byteCount: byteCount, to: block)
        let tensors = try layout.tensors(batch, in: block, tables: tables)
        if let updates = tensors.updates { try device.scatter(updates, into: tables) }
        return tensors
    }
}
