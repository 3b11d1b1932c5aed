package import ApusCheckpoints
package import ApusCompute
package import ApusJSON

/// `quantization_config` of a checkpoint whose products have integers already (docs/QUANTIZATION.md).
extension Quantization {
    private static let key = "quantization_config"
    private static let method = "apus"
    /// Of other tools, whose codes are known by their tensors.
    private static let others = [
        "gptq", "awq", "auto-round", "auto_round", "compressed-tensors", "bitsandbytes", "fp8", "fbgemm_fp8",
        "modelopt",
        "torchao", "mxfp4",
    ]
    /// Of what is written.
    private var version: Int { self == .int4 ? Self.versionOfZeros : Self.versionOfRotation }
    /// Since when inputs are rotated.
    static let versionOfRotation = 2
    /// Since when grids of int4 say which code stands for nothing.
    static let versionOfZeros = 3

    /// What a checkpoint's `config.json` says of its weights; `nil` if they are of floating point.
    /// Throws `ModelError` (`.unsupported`) for the formats of others, `CheckpointError` for what is no description.
    package init?(storedAsIn config: ConfigurationFile) throws {
        // MLX names no method.
        guard let description = try config.optionalObject(Self.key),
            let method = try description.optionalString("quant_method")
        else { return nil }
        if Self.others.contains(method) { return nil }
        guard method == Self.method else {
            let known = Self.others.joined(separator: ", ")
            throw ModelError.unsupported(
                "\(config.file): \(Self.key): weights quantized by '\(method)' are not read; known are those of apus "
                    + "quantize and \(known)")
        }
        let version = try description.int("version")
        let name = try description.string("format")
        guard let format = Quantization(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: " or ")
            throw description.fault("format", expected: known, got: "'\(name)'")
        }
        guard 1...format.version ~= version else {
            throw ModelError.unsupported(
                "\(config.file): \(Self.key): version \(version) of \(name) is not read, only 1 to \(format.version)")
        }
        self = format
    }

    /// The configuration of a checkpoint once its weights are quantized. `dtype` is that of the others.
    package func describe(_ config: ConfigurationFile, dtype: DType) -> JSONObject {
        var members = config.object.members.filter { !$0.key.utf8.elementsEqual(Self.key.utf8) }
        if config["dtype"] == nil, config["torch_dtype"] == nil {
            members.removeAll { $0.key == "dtype" || $0.key == "torch_dtype" }
            members.append(.init(key: "dtype", value: .string(dtype.rawValue)))
        }
        members.append(
            .init(
                key: Self.key,
                value: [
                    "quant_method": .string(Self.method), "format": .string(rawValue),
                    "version": .integer(version),
                ]))
        return JSONObject(members)
    }

    /// The configuration of the same model with weights of floating point, of a type if it is to be named.
    package static func removed(from config: JSONObject, dtype: DType? = nil) -> JSONObject {
        let keys = [key, "quantization"] + (dtype == nil ? [] : ["dtype", "torch_dtype"])
        let members = config.members.filter { !keys.contains($0.key) }
        return JSONObject(members + (dtype.map { [.init(key: "dtype", value: .string($0.rawValue))] } ?? []))
    }
}
