package import ApusCheckpoints
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
        directory: String, devices: [any Device], placement: Placement? = nil, dtype: DType? = nil,
        quantization: Quantization? = nil, cacheType: DType? = nil
    ) throws -> DecoderModel {
        try load(
            ModelDescription(path: directory, dtype: dtype, quantization: quantization), devices: devices,
            placement: placement, cacheType: cacheType)
    }

    /// Loads a checkpoint directory that was described.
    package static func load(
        _ description: ModelDescription, devices: [any Device], placement: Placement? = nil, cacheType: DType? = nil
    ) throws -> DecoderModel {
        try DecoderModel(
            description.spec, Checkpoint(directory: description.path), devices: devices, placement: placement,
            dtype: description.dtype, quantization: description.quantization, stored: description.stored,
            keepsCodes: description.keepsCodes,
            cacheType: cacheType)
    }

    /// The same on one device.
    package static func load(
        directory: String, device: any Device, dtype: DType? = nil, quantization: Quantization? = nil,
        cacheType: DType? = nil
    ) throws -> DecoderModel {
        try load(
            directory: directory, devices: [device],
            placement: nil, dtype: dtype, quantization: quantization, cacheType: cacheType)
    }
}

extension DType {
    /// A type of floating point by one of torch's names for it; float64 is computed in float32.
    package init?(torchName name: String) {
        switch name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name {
        case "float32", "float", "float64", "double": self = .float32
        case "float16", "half": self = .float16
        case "bfloat16": self = .bfloat16
        default: return nil
        }
    }

    /// What a configuration names under `dtype`, or `torch_dtype` before; `nil` if nothing.
    /// Throws `ModelError` (`.unsupported`) for a name that is none of a type of floating point.
    package init?(namedIn config: ConfigurationFile) throws {
        guard let name = try config.optionalString("dtype") ?? config.optionalString("torch_dtype"), name != "auto"
        else {
            return nil
        }
        guard let dtype = DType(torchName: name) else {
            throw ModelError.unsupported("\(config.file): dtype '\(name)'; use float32, float16 or bfloat16")
        }
        self = dtype
    }

    /// What stored elements are computed in: their own type, or float32 for float64. `nil` for those of no model.
    init?(computing stored: StoredDType) {
        if let dtype = DType(stored) { self = dtype } else if stored == .float64 { self = .float32 } else { return nil }
    }
}
