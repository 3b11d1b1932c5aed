package import ApusCheckpoints
package import ApusCompute

/// A decoder-only transformer on one device: its weights, and nothing that changes.
package final class DecoderModel: Sendable {
    package let spec: DecoderSpec
    package let device: any Device
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

    private let embedding: any PreparedWeight
    private let layers: [DecoderLayer]
    private let finalNorm: Tensor
    private let head: Projection
    private let rotary: RotaryAngles

    /// What a run keeps from step to step; every run has its own.
    package struct State: Sendable {
        fileprivate var buffers: ActivationBuffers?
        fileprivate var outputs: OutputBuffers?
    }

    /// - Parameters:
    ///   - quantization: what products are rounded to.
    ///   - stored: what the checkpoint has rounded them to already.
    ///
    /// Throws `CheckpointError` (`.weights`) naming all weights that are missing or of another shape, `ModelError`
    /// (`.unsupported`) for element types without kernels, `ComputeError` from the device.
    package init(
        _ spec: DecoderSpec, _ checkpoint: Checkpoint, device: any Device, dtype: DType,
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
        let loader = WeightLoader(device: device, dtype: dtype, format: format, stored: stored)
        self.spec = spec
        self.remarks = remarks
        self.device = device
        rotary = RotaryAngles(spec.rotary)
        self.dtype = dtype
        self.format = format
        self.cacheType = cacheType ?? (dtype == .bfloat16 ? .bfloat16 : .float32)
        embedding = try loader.table(weights.at(names.table), spec.vocabularySize, spec.hiddenSize)
        layers = try (0..<spec.layers).map { try DecoderLayer(body.at(names.layers)[$0], spec, loader) }
        finalNorm = try loader.vector(body.at(names.finalNorm), "weight", count: spec.hiddenSize)
        head = Projection(try loader.head(weights.at(spec.headPlace(stored)), spec.storedHead(stored)))
        if spec.tiedEmbeddings, stored == nil { weights.ignore(names.head + ".weight") }
        unusedWeights = weights.unusedNames.filter { name in !names.ignoredSuffixes.contains(where: name.hasSuffix) }
    }

    /// Throws one error about all weights that are missing or of another shape.
    static func verify(
        _ weights: WeightCursor, _ spec: DecoderSpec, stored: Quantization?
    ) throws(CheckpointError) {
        let body = weights.at(spec.names.body)
        let table = [spec.vocabularySize, spec.hiddenSize]
        weights.at(spec.names.table).expect("weight", shape: table)
        body.at(spec.names.finalNorm).expect("weight", shape: [spec.hiddenSize])
        for (place, matrix) in spec.matrices(stored) { weights.at(place).expect(matrix) }
        for layer in 0..<spec.layers { DecoderLayer.expectVectors(body.at(spec.names.layers)[layer], spec) }
        try weights.verify()
    }

    package func makeState() -> State { State() }

    /// Bytes of one token's keys and values in all layers.
    package var cacheBytesPerToken: Int { spec.layers * layout(blocks: 0).bytesPerToken }

    /// Most bytes that a step of so many tokens takes beside weights, cache and logits.
    package func workspaceByteCount(tokens: Int) -> Int {
        let attention = device.attentionWorkspaceByteCount(
            heads: spec.heads, kvHeads: spec.kvHeads, headDim: spec.headDim)
        return Int(min(ActivationBuffers.byteCount(tokens: tokens, spec) + Double(attention), 0x1p56))
    }

    package func makeCache(blocks: Int) throws -> KVCache {
        let layout = layout(blocks: blocks)
        return KVCache(layout: layout, layers: try layers.map { try $0.device.makeKVCache(layout) })
    }

    private func layout(blocks: Int) -> KVCacheLayout {
        KVCacheLayout(blocks: blocks, kvHeads: spec.kvHeads, headDim: spec.headDim, dtype: cacheType)
    }

    /// Runs one step and returns the logits of `batch.outputs`: float32 [outputs, vocabularySize], on the device, until the
    /// next step of the same state.
    /// Throws `ModelError` (`.invalidBatch`) for tokens beyond the vocabulary, `ComputeError` from the device.
    package func forward(_ batch: ForwardBatch, cache: KVCache, state: inout State) throws -> Tensor {
        if let token = batch.tokens.first(where: { $0 < 0 || Int($0) >= spec.vocabularySize }) {
            throw ModelError.invalidBatch("token \(token) is beyond the vocabulary of \(spec.vocabularySize)")
        }
        let tokens = batch.tokens.count
        let buffers = try view(tokens: tokens, &state)
        let angles = rotary.angles(positions: batch.positions, lengths: batch.rotaryLengths)
        try angles.withUnsafeBytes { try device.upload($0, to: buffers.angles) }
        let attention = try attentionBatch(batch)

        try device.embedding(device.makeTensor(batch.tokens), embedding, into: buffers.hidden)
        for (layer, cacheLayer) in zip(layers, cache.layers) {
            try layer.forward(buffers, spec, cache: cacheLayer, layout: cache.layout, batch: attention)
        }
        let (last, logits) = try outputs(count: batch.outputs.count, &state)
        try device.gather(buffers.hidden, rows: device.makeTensor(batch.outputs), into: last)
        try device.linear(last, norm: Norm(weight: finalNorm, epsilon: spec.normEpsilon), [head.into(logits)])
        return logits
    }

    private func outputs(count: Int, _ state: inout State) throws -> (hidden: Tensor, logits: Tensor) {
        if let outputs = state.outputs, outputs.capacity >= count { return try outputs.view(outputs: count) }
        let outputs = try OutputBuffers(capacity: count, spec, on: device)
        state.outputs = outputs
        return try outputs.view(outputs: count)
    }

    private func view(tokens: Int, _ state: inout State) throws -> ActivationBuffers.View {
        if let buffers = state.buffers, buffers.capacity >= tokens { return try buffers.view(tokens: tokens) }
        let buffers = try ActivationBuffers(capacity: tokens, spec, on: device)
        state.buffers = buffers
        return try buffers.view(tokens: tokens)
    }

    private func attentionBatch(_ batch: ForwardBatch) throws -> AttentionBatch {
        let stride = batch.blockTables.map(\.count).max() ?? 0
        let tables = batch.blockTables.flatMap { $0 + [Int32](repeating: 0, count: stride - $0.count) }
        return AttentionBatch(
            positions: try device.makeTensor(batch.positions),
            firstKeys: batch.firstKeys.isEmpty ? nil : try device.makeTensor(batch.firstKeys),
            sequences: try device.makeTensor(batch.sequences), slots: try device.makeTensor(batch.slots),
            blockTables: try device.makeTensor(tables, [batch.blockTables.count, stride]))
    }
}
