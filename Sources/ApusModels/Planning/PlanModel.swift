package import ApusCompute

/// The bytes that a model takes, part by part, for a batch and a context. Parts are numbered as in `Placement`.
///
/// Numbers are of 128 bits: configurations may name models that no machine has ever held.
package struct PlanModel: Sendable {
    package let spec: DecoderSpec
    package let dtype: DType
    /// Of the weights in products.
    package let formats: [WeightFormat]
    package let cacheType: DType
    /// Whether one matrix can serve as table and head where both are on one device.
    package let sharesTable: Bool

    private let layers: [Part]
    private let input: Part
    /// Bytes of the table that tokens are looked up in.
    let tableByteCount: Int128
    private let output: Part

    /// Bytes of a part.
    private struct Part {
        var vectors: Int128 = 0
        var matrices: Int128 = 0

        /// - Parameter codes: what the checkpoint holds modules in, if not in floating point.
        init(
            _ weights: [LayerWeight], _ dtype: DType, _ format: WeightFormat,
            codes: (_ module: String, _ inputs: Int) throws -> WeightFormat?
        ) rethrows {
            for weight in weights {
                vectors += 4 * Int128(weight.vectorCount)
                if let matrix = weight.matrix(nil) {
                    let format = try codes(weight.module, matrix.inputs) ?? format
                    add(matrix.outputs, matrix.inputs, weight.role.isExact ? .float32 : format)
                }
                if let table = weight.table { add(table: table, dtype) }
            }
        }

        mutating func add(_ outputs: Int, _ inputs: Int, _ format: WeightFormat) {
            matrices +=
                format.preparedByteCount(outputs: outputs, inputs: inputs).map { Int128($0) } ?? Int128(1) << 100
        }

        mutating func add(table: StoredMatrix, _ dtype: DType) {
            matrices += Int128(table.outputs) * Int128(table.inputs) * Int128(dtype.byteCount)
        }
    }

    /// - Parameters:
    ///   - quantization: of the products' weights, whether the checkpoint has it or it is asked for.
    ///   - codes: what the checkpoint holds the matrix of a module in, if not in floating point.
    package init(
        _ spec: DecoderSpec, dtype: DType, quantization: Quantization?, cacheType: DType?,
        codes: ((_ module: String, _ inputs: Int) throws -> WeightFormat?)? = nil
    ) throws {
        guard let format = quantization?.format ?? WeightFormat(dtype) else {
            throw ModelError.unsupported("weights of \(dtype); use float32, float16 or bfloat16")
        }
        self.spec = spec
        self.dtype = dtype
        var formats = [format]
        func noted(_ module: String, _ inputs: Int) throws -> WeightFormat? {
            guard let found = try codes?(module, inputs) else { return nil }
            if !formats.contains(found) { formats.append(found) }
            return found
        }
        let cacheType = cacheType ?? DecoderModel.defaultCacheType(dtype)
        self.cacheType = cacheType
        func layer(_ kind: LayerKind, _ codes: (String, Int) throws -> WeightFormat?) rethrows -> Part {
            var part = try Part(spec.weights(of: kind), dtype, format, codes: codes)
            part.vectors += 4 * Int128(kind.attention.slopes?.count ?? 0)
            if kind.attention.valueNorm != nil { part.vectors += 4 * Int128(kind.attention.headDim) }
            return part
        }
        if codes == nil {
            let kinds = spec.kinds.map { layer($0) { _, _ in nil } }
            layers = spec.pattern.map { kinds[$0] }
        } else {
            layers = try spec.pattern.enumerated().map { index, kind in
                try layer(spec.kinds[kind]) { try noted(spec.names.layer(index, $0), $1) }
            }
        }
        func end(_ weights: [LayerWeight]) throws -> Part {
            try Part(weights, dtype, format) { try noted(spec.names.inBody($0), $1) }
        }
        var (input, output) = (try end(spec.inputWeights), try end(spec.outputWeights))
        let table = spec.storedTable
        tableByteCount =
            try noted(spec.names.table, table.inputs)?.preparedByteCount(outputs: table.outputs, inputs: table.inputs)
            .map { Int128($0) }
            ?? Int128(table.outputs) * Int128(table.inputs) * Int128(dtype.byteCount)
        input.matrices += tableByteCount
        output.add(
            spec.vocabularySize, spec.embedding.width,
            try noted(spec.headPlace(quantization), spec.embedding.width) ?? spec.headFormat(format))
        self.formats = formats
        if spec.headHasBias { output.vectors += 4 * Int128(spec.vocabularySize) }
        (self.input, self.output) = (input, output)
        sharesTable = spec.tiedEmbeddings && quantization == nil
    }

    /// Whether a device may begin with a part: not with a layer that takes up what is on the device before.
    func mayBegin(with part: Int) -> Bool {
        guard let first = spec.firstInseparableLayer else { return true }
        return part <= first + 1 || part > spec.layers
    }

    package var partCount: Int { spec.layers + 2 }

    /// Vectors of a part, which are float32 and always on the device.
    func vectors(_ part: Int) -> Int128 { bytes(of: part).vectors }

    /// Prepared matrices of a part.
    func matrices(_ part: Int) -> Int128 { bytes(of: part).matrices }

    /// Of what stands before the layers beside the table.
    var inputBesideTable: Int128 { input.matrices + input.vectors - tableByteCount }

    private func bytes(of part: Int) -> Part {
        part == 0 ? input : part > spec.layers ? output : layers[part - 1]
    }

    /// Keys and values of a layer, and states.
    func cache(_ part: Int, _ limits: StepLimits) -> Int128 {
        guard (1...spec.layers).contains(part) else { return 0 }
        return spec.memoryByteCount(spec.kind(ofLayer: part - 1), limits, cacheType)
    }

    /// What a run keeps on a device beside weights and cache (`DeviceShare`, `OutputBuffers`, `Lane`).
    func activations(hasTable: Bool, hasHead: Bool, _ limits: StepLimits, lanes: Int) -> Int128 {
        var bytes = spec.activationByteCount(tokens: limits.tokens)
        bytes += Int128(StepLayout.byteCount(limits, spec))
        bytes += Int128(limits.groups) * Int128(limits.sequences) * Int128(limits.blocksPerSequence) * 4
        let outputs = Int128(limits.outputs)
        if hasHead {
            bytes += spec.outputByteCount(outputs: limits.outputs) + outputs * 4 * Int128(lanes)
        }
        if hasTable, !hasHead { bytes += outputs * 4 * Int128(lanes) }
        return bytes
    }
}
