import ApusCheckpoints
package import ApusCompute

extension DecoderModel {
    /// Loads a checkpoint directory.
    ///
    /// - Parameter dtype: type of the products' weights; by default what `config.json` names, or else the type of the
    ///   first tensor of floating point, as transformers chooses.
    /// - Parameter quantization: of the products' weights; by default that of the checkpoint, or none.
    /// - Parameter cacheType: of keys and values; by default bfloat16 for weights of bfloat16, else float32.
    /// - Throws: `ModelError` (`.unsupported`) if the checkpoint has another quantization already.
    package static func load(
        directory: String, device: any Device, dtype: DType? = nil, quantization: Quantization? = nil,
        cacheType: DType? = nil
    ) throws -> DecoderModel {
        let config = try ConfigurationFile(path: directory + "/config.json")
        let spec = try ArchitectureRegistry.decoder(for: config)
        let stored = try Quantization(storedAsIn: config)
        if let stored, let quantization, stored != quantization {
            throw ModelError.unsupported(
                "\(config.file): the weights are \(stored.rawValue) already and cannot become \(quantization.rawValue)")
        }
        let checkpoint = try Checkpoint(directory: directory)
        return try DecoderModel(
            spec, checkpoint, device: device, dtype: dtype ?? storedType(config, checkpoint),
            quantization: quantization, stored: stored, cacheType: cacheType)
    }

    static func storedType(_ config: ConfigurationFile, _ checkpoint: Checkpoint) throws -> DType {
        if let name = try config.optionalString("dtype") ?? config.optionalString("torch_dtype") {
            guard let dtype = DType(rawValue: name), dtype.isFloatingPoint else {
                throw ModelError.unsupported("\(config.file): dtype '\(name)'; use float32, float16 or bfloat16")
            }
            return dtype
        }
        for name in checkpoint.names {
            if let stored = checkpoint[name], let dtype = DType(stored.dtype) { return dtype }
        }
        throw ModelError.unsupported("\(checkpoint.directory): holds no tensor of float32, float16 or bfloat16")
    }
}
