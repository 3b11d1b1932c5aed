import ApusCheckpoints
package import ApusCompute

/// What a model is, before any of its weights are read.
package struct ModelDescription: Sendable {
    /// Where it stands, for messages.
    package let path: String
    package let spec: DecoderSpec
    /// Of the weights, unless products have them quantized.
    package let dtype: DType
    /// What products are rounded to.
    package let quantization: Quantization?
    /// What the checkpoint has rounded them to already.
    package let stored: Quantization?
    /// Whether what the checkpoint holds as codes of other formats stays so: where nobody asked for another type.
    package let keepsCodes: Bool

    /// - Parameters:
    ///   - path: a checkpoint's directory, or a `config.json`.
    ///   - dtype: by default what the configuration names, or else the type of the first tensor of floating point, as
    ///     transformers chooses; float32 where there are no weights either.
    ///   - quantization: by default that of the checkpoint, or none.
    /// - Throws: `ModelError` (`.unsupported`) if the checkpoint has another quantization already, `CheckpointError`.
    package init(
        path: String, dtype: DType? = nil, quantization: Quantization? = nil
    ) throws {
        let isFile = path.hasSuffix(".json")
        self.path = path
        keepsCodes = dtype == nil && quantization == nil
        if GGUFFile.isOne(path) {
            let model = try GGUFModel(path: path)
            spec = try model.spec()
            stored = nil
            self.quantization = quantization
            self.dtype = dtype ?? model.storedType
            return
        }
        if !isFile { try Checkpoint.requireDirectory(path) }
        let config = try ConfigurationFile(path: isFile ? path : path + "/config.json")
        spec = try DecoderSpec(config)
        stored = try Quantization(storedAsIn: config)
        if let stored, let quantization, stored != quantization {
            throw ModelError.unsupported(
                "\(config.file): the weights are \(stored.rawValue) already and cannot become \(quantization.rawValue)")
        }
        self.quantization = stored ?? quantization
        if let dtype = try dtype ?? DType(namedIn: config) {
            self.dtype = dtype
        } else if !isFile, let checkpoint = try? Checkpoint(directory: path) {
            self.dtype = try Self.storedType(config, checkpoint)
        } else {
            self.dtype = .float32
        }
    }

    /// What the configuration names, or else the type of the first tensor of floating point.
    static func storedType(_ config: ConfigurationFile, _ checkpoint: Checkpoint) throws -> DType {
        if let dtype = try DType(namedIn: config) { return dtype }
        for name in checkpoint.names {
            if let stored = checkpoint[name], let dtype = DType(computing: stored.dtype) { return dtype }
        }
        throw ModelError.unsupported("\(checkpoint.directory): holds no tensor of float32, float16 or bfloat16")
    }

    /// Bytes in the file of the matrices that a token is multiplied with; `nil` unless they are codes of other formats.
    package var codeByteCountOfProducts: Int? {
        guard keepsCodes, let checkpoint = try? Checkpoint(directory: path), checkpoint.holdsCodes else {
            return nil
        }
        return spec.storedMatrices(nil).reduce(0) { $0 + (checkpoint["\($1.place).weight"]?.byteCount ?? 0) }
    }

    /// The model as a plan counts it.
    package func planned(cacheType: DType?) throws -> PlanModel {
        var spec = spec
        // A checkpoint may hold a head of its own although its configuration says that the table is one.
        let checkpoint = path.hasSuffix(".json") ? nil : try? Checkpoint(directory: path)
        if spec.tiedEmbeddings, let checkpoint {
            spec.tiedEmbeddings = spec.settled(in: WeightCursor(checkpoint), stored: stored).0.tiedEmbeddings
        }
        guard keepsCodes, let checkpoint, checkpoint.holdsCodes else {
            return try PlanModel(spec, dtype: dtype, quantization: quantization, cacheType: cacheType)
        }
        return try PlanModel(spec, dtype: dtype, quantization: nil, cacheType: cacheType) { module, inputs in
            try checkpoint["\(module).weight"]?.codeFormat(inputs: inputs)
        }
    }
}
