package import ApusCheckpoints
package import ApusCompute

/// A decoder-only transformer: its weights, each on the device that its placement says, and nothing that changes.
package final class DecoderModel: Sendable {
    package let spec: DecoderSpec
    package let placement: Placement
    /// In the order in which a token comes to them.
    package let devices: [any Device]
    /// Of the weights, unless products have them quantized.
    package let dtype: DType
    /// Of the weights in products, unless the checkpoint has them in formats of their own.
    package let format: WeightFormat
    /// All that they have.
    package let formats: [WeightFormat]
    /// Of keys and values. By default never float16, whose range is too small for keys.
    package let cacheType: DType
    /// Tensors of the checkpoint that the model has no use for.
    package let unusedWeights: [String]
    /// Where the checkpoint is otherwise than its configuration says.
    package let remarks: [String]

    let input: DecoderInput
    let layers: [DecoderLayer]
    let output: DecoderOutput
    let positions: PositionFactors

    /// - Parameters:
    ///   - devices: all that the placement names; one device of any name if there is none.
    ///   - quantization: what products are rounded to.
    ///   - stored: what the checkpoint has rounded them to already.
    ///   - keepsCodes: whether what it holds as codes of other formats stays so.
    ///
    /// Throws `CheckpointError` (`.weights`) naming all weights that are missing or of another shape, `ModelError`
    /// (`.unsupported`) for element types without kernels, `ComputeError` from the devices.
    package init(
        _ spec: DecoderSpec, _ checkpoint: Checkpoint, devices: [any Device], placement: Placement? = nil, dtype: DType,
        quantization: Quantization? = nil, stored: Quantization? = nil, keepsCodes: Bool = true, cacheType: DType? = nil
    ) throws {
        let weights = WeightCursor(checkpoint)
        let (spec, remarks) = spec.settled(in: weights, stored: stored)
        let body = weights.at(spec.names.body)
        let names = spec.names
        try Self.verify(weights, spec, stored: stored)
        guard let format = (stored ?? quantization)?.format ?? WeightFormat(dtype) else {
            throw ModelError.unsupported("weights of \(dtype); use float32, float16 or bfloat16")
        }
        @Sendable func device(_ id: DeviceID) throws(ComputeError) -> any Device {
            guard let device = devices.first(where: { $0.id == id }) else {
                throw .unknownDevice("\(id) is none of the model's devices")
            }
            return device
        }
        let placement = placement ?? Placement(layers: spec.layers, on: devices.first?.id ?? .cpu)
        @Sendable func loader(_ part: Int) throws -> WeightLoader {
            WeightLoader(
                device: try device(placement.devices[part]), dtype: dtype, format: format, keepsCodes: keepsCodes,
                stored: stored,
                isStreamed: placement.streamed.contains(part))
        }
        self.spec = spec
        self.remarks = remarks
        self.placement = placement
        self.devices = try placement.distinctDevices.map(device)
        positions = PositionFactors(spec)
        self.dtype = dtype
        self.format = format
        formats = [format] + (keepsCodes ? try spec.codeFormats(in: checkpoint) : [])
        self.cacheType = cacheType ?? Self.defaultCacheType(dtype)
        layers = try LoadingOrder.load(spec.layers, of: placement.device(ofLayer:)) { layer in
            try DecoderLayer(body.at(names.layers)[layer], spec, layer, loader(layer + 1))
        }
        output = try DecoderOutput(weights, spec, loader(spec.layers + 1))
        let sharesTable = spec.sharesTable(stored) && placement.table == placement.head
        input = try DecoderInput(weights, spec, loader(0), tiedTo: sharesTable ? output.head.weight : nil)
        if spec.tiedEmbeddings, stored == nil { weights.ignore(names.head + ".weight") }
        unusedWeights = weights.unusedNames.filter { !names.ignores($0) }
    }

    /// Matrices that a part streams.
    func streamedWeights(_ part: Int) -> [any PreparedWeight] {
        guard placement.streamed.contains(part), part > 0 else { return [] }
        return part > spec.layers ? [output.head.weight] : layers[part - 1].matrices
    }

    package static func defaultCacheType(_ dtype: DType) -> DType { dtype == .bfloat16 ? .bfloat16 : .float32 }

    /// Throws one error about all weights that are missing or of another shape.
    static func verify(
        _ weights: WeightCursor, _ spec: DecoderSpec, stored: Quantization?
    ) throws(CheckpointError) {
        for tensor in spec.tensors(stored) { weights.expect(tensor.name, shape: tensor.shape) }
        try weights.verify()
    }

    /// The device of each module.
    package var deviceMap: [String: DeviceID] {
        Dictionary(ModuleNames(spec).map(placement).map { ($0.module, $0.device) }) { first, _ in first }
    }

    /// Bytes of the weights that there was no memory to prepare.
    package var unpreparedByteCount: Int { devices.reduce(0) { $0 + $1.unpreparedByteCount } }

    /// Whether steps are best asked for before those before them are done.
    package var answersLater: Bool { devices.contains { $0.answersLater } }

    /// The memory of each layer.
    func makeMemory(_ limits: StepLimits) throws -> [LayerMemory] {
        let sequences = limits.sequences
        let groups = spec.kinds.map { limits.group(ofWindow: $0.attention.window) }
        let layouts = zip(spec.kinds, groups).map { kind, group in
            kind.cacheLayout(blocks: limits.blocks(ofGroup: group), cacheType)
        }
        var memories: [LayerMemory] = []
        for (layer, kind) in zip(layers, spec.pattern) {
            if let counts = layer.kind.recurrent?.stateCounts {
                let convolution = try layer.device.makeTensor([sequences] + counts.convolution)
                let matrix = counts.matrix.isEmpty ? nil : try layer.device.makeTensor([sequences] + counts.matrix)
                memories.append(.states(convolution: convolution, matrix))
            } else if let source = layer.kind.attention.sharedCache {
                memories.append(memories[source])
            } else {
                let cache = try layer.device.makeKVCache(layouts[kind])
                memories.append(.blocks(group: groups[kind], layouts[kind], cache))
            }
        }
        return memories
    }
}
