package import ApusCompute

/// The bytes that a model takes, part by part, for a batch and a context. Parts are numbered as in `Placement`.
///
/// Numbers are of 128 bits: configurations may name models that no machine has ever held.
package struct PlanModel: Sendable {
    package let spec: DecoderSpec
    package let dtype: DType
    /// Of the weights in products.
    package let format: WeightFormat
    package let cacheType: DType
    /// Whether one matrix can serve as table and head where both are on one device.
    package let sharesTable: Bool

    /// Bytes of a layer, by its kind.
    private let layers: [Layer]

    private struct Layer {
        let vectors: Int128
        let matrices: Int128
        let cacheBytesPerToken: Int
    }

    /// - Parameter quantization: of the products' weights, whether the checkpoint has it or it is asked for.
    package init(
        _ spec: DecoderSpec, dtype: DType, quantization: Quantization?, cacheType: DType?
    ) throws(ModelError) {
        guard let format = quantization?.format ?? WeightFormat(dtype) else {
            throw .unsupported("weights of \(dtype); use float32, float16 or bfloat16")
        }
        self.spec = spec
        self.dtype = dtype
        self.format = format
        let cacheType = cacheType ?? DecoderModel.defaultCacheType(dtype)
        self.cacheType = cacheType
        layers = spec.kinds.map { kind in
            let weights = spec.weights(of: kind)
            return Layer(
                vectors: weights.flatMap(\.vectors).reduce(0) { $0 + 4 * Int128($1.count) },
                matrices: weights.matrices(nil).reduce(0) {
                    $0 + Self.prepared($1.matrix.outputs, $1.matrix.inputs, format)
                }, cacheBytesPerToken: kind.cacheLayout(blocks: 0, cacheType).bytesPerToken)
        }
        sharesTable = spec.tiedEmbeddings && quantization == nil
    }

    package var partCount: Int { spec.layers + 2 }

    /// Vectors of a part, which are float32 and always on the device.
    func vectors(_ part: Int) -> Int128 {
        switch part {
        case 0: return 0
        case spec.layers + 1: return Int128(spec.hiddenSize) * 4
        default:
            return layer(part).vectors
        }
    }

    /// Prepared matrices of a part.
    func matrices(_ part: Int) -> Int128 {
        switch part {
        case 0: return Int128(spec.vocabularySize) * Int128(spec.hiddenSize) * Int128(dtype.byteCount)
        case spec.layers + 1: return Self.prepared(spec.vocabularySize, spec.hiddenSize, spec.headFormat(format))
        default:
            return layer(part).matrices
        }
    }

    private func layer(_ part: Int) -> Layer { layers[spec.pattern[part - 1]] }

    private static func prepared(_ outputs: Int, _ inputs: Int, _ format: WeightFormat) -> Int128 {
        format.preparedByteCount(outputs: outputs, inputs: inputs).map { Int128($0) } ?? Int128(1) << 100
    }

    /// Keys and values of a layer.
    func cache(_ part: Int, _ limits: StepLimits) -> Int128 {
        guard (1...spec.layers).contains(part) else { return 0 }
        return Int128(limits.blocks) * Int128(KVCacheLayout.blockSize) * Int128(layer(part).cacheBytesPerToken)
    }

    /// What a run keeps on a device beside weights and cache (`DeviceShare`, `OutputBuffers`, `Lane`).
    func activations(hasTable: Bool, hasHead: Bool, _ limits: StepLimits, lanes: Int) -> Int128 {
        var bytes = spec.activationByteCount(tokens: limits.tokens)
        bytes += Int128(StepLayout.byteCount(limits, headDim: spec.rotary.headDim))
        bytes += Int128(limits.sequences) * Int128(limits.blocksPerSequence) * 4
        let outputs = Int128(limits.outputs)
        if hasHead {
            bytes += outputs * 4 * (Int128(spec.hiddenSize) + Int128(spec.vocabularySize) + Int128(lanes))
        }
        if hasTable, !hasHead { bytes += outputs * 4 * Int128(lanes) }
        return bytes
    }
}
