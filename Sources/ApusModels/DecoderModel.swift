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
    /// Of the weights in products.
    package let format: WeightFormat
    /// Of keys and values. By default never float16, whose range is too small for keys.
    package let cacheType: DType
    /// Tensors of the checkpoint that the model has no use for.
    package let unusedWeights: [String]
    /// Where the checkpoint is otherwise than its configuration says.
    package let remarks: [String]

    let table: any PreparedWeight
    let layers: [DecoderLayer]
    let finalNorm: Tensor
    let head: Projection
    let rotary: RotaryAngles

    var tableDevice: any Device { devices[0] }
    let headDevice: any Device

    /// - Parameters:
    ///   - devices: all that the placement names; one device of any name if there is none.
    ///   - quantization: what products are rounded to.
    ///   - stored: what the checkpoint has rounded them to already.
    ///
    /// Throws `CheckpointError` (`.weights`) naming all weights that are missing or of another shape, `ModelError`
    /// (`.unsupported`) for element types without kernels, `ComputeError` from the devices.
    package init(
        _ spec: DecoderSpec, _ checkpoint: Checkpoint, devices: [any Device], placement: Placement? = nil, dtype: DType,
        quantization: Quantization? = nil, stored: Quantization? = nil, cacheType: DType? = nil
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
                device: try device(placement.devices[part]), dtype: dtype, format: format, stored: stored,
                isStreamed: placement.streamed.contains(part))
        }
        self.spec = spec
        self.remarks = remarks
        self.placement = placement
        self.devices = try placement.distinctDevices.map(device)
        headDevice = try device(placement.head)
        rotary = RotaryAngles(spec.rotary)
        self.dtype = dtype
        self.format = format
        self.cacheType = cacheType ?? Self.defaultCacheType(dtype)
        layers = try LoadingOrder.load(spec.layers, of: placement.device(ofLayer:)) { layer in
            try DecoderLayer(body.at(names.layers)[layer], spec, spec.kind(ofLayer: layer), loader(layer + 1))
        }
        let last = try loader(spec.layers + 1)
        finalNorm = try last.vector(body.at(names.finalNorm), "weight", count: spec.hiddenSize)
        head = Projection(try last.head(weights.at(spec.headPlace(stored)), spec.storedHead(stored)))
        table = try loader(0).table(
            weights.at(names.table), spec.vocabularySize, spec.hiddenSize,
            tiedTo: spec.sharesTable(stored) && placement.table == placement.head ? head.weight : nil)
        if spec.tiedEmbeddings, stored == nil { weights.ignore(names.head + ".weight") }
        unusedWeights = weights.unusedNames.filter { name in !names.ignoredSuffixes.contains(where: name.hasSuffix) }
    }

    /// Matrices that a part streams.
    func streamedWeights(_ part: Int) -> [any PreparedWeight] {
        guard placement.streamed.contains(part), part > 0 else { return [] }
        return part > spec.layers ? [head.weight] : layers[part - 1].matrices
    }

    package static func defaultCacheType(_ dtype: DType) -> DType { dtype == .bfloat16 ? .bfloat16 : .float32 }

    /// Throws one error about all weights that are missing or of another shape.
    static func verify(
        _ weights: WeightCursor, _ spec: DecoderSpec, stored: Quantization?
    ) throws(CheckpointError) {
        let body = weights.at(spec.names.body)
        let table = [spec.vocabularySize, spec.hiddenSize]
        weights.at(spec.names.table).expect("weight", shape: table)
        body.at(spec.names.finalNorm).expect("weight", shape: [spec.hiddenSize])
        for (place, matrix) in spec.matrices(stored) { weights.at(place).expect(matrix) }
        let ofKinds = spec.kinds.map(spec.weights(of:))
        for (layer, kind) in spec.pattern.enumerated() {
            let place = body.at(spec.names.layers)[layer]
            for weight in ofKinds[kind] {
                for vector in weight.vectors { place.at(weight.module).expect(vector.name, shape: [vector.count]) }
            }
        }
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

    /// Bytes of one token's keys and values in all layers.
    package var cacheBytesPerToken: Int { spec.cacheBytesPerToken(cacheType) }

    func makeCache(blocks: Int) throws -> KVCache {
        let layouts = spec.kinds.map { $0.cacheLayout(blocks: blocks, cacheType) }
        return KVCache(
            layers: try zip(layers, spec.pattern).map { layer, kind in
                KVCache.Layer(layout: layouts[kind], memory: try layer.device.makeKVCache(layouts[kind]))
            })
    }
}
