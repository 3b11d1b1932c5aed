import ApusJSON

/// Puts in the place of the tensors of each module that holds codes the one weight that they make.
struct CodedModules {
    /// What Apus writes has tensors of such names too, and is read as it is.
    private static let ownMethod = "apus"

    private let names: [String]
    private let settings: CodeSettings

    /// `nil` if no tensor looks like one of codes. Throws `CheckpointError` for a configuration that cannot be read.
    init?(
        of tensors: [ExactString: StoredTensor], _ contents: DirectoryContents
    ) throws(CheckpointError) {
        names = Self.modules(in: tensors)
        guard !names.isEmpty else { return nil }
        settings = try CodeSettings(contents)
    }

    /// Of the format, if Apus has written it.
    var version: Int? { settings.version }

    /// Throws `CheckpointError` (`.weights`, `.unsupported`) for codes that cannot be read.
    func replace(in tensors: inout [ExactString: StoredTensor]) throws(CheckpointError) {
        guard settings.method != Self.ownMethod else { return }
        try settings.check()
        for name in names {
            let module = CodedModule(name, settings) { tensors[ExactString($0)] }
            guard let weight = try Self.weight(module), let first = weight.parts.first else { continue }
            for part in weight.parts { tensors[ExactString(part.name)] = nil }
            let whole = name.isEmpty ? "weight" : "\(name).weight"
            tensors[ExactString(whole)] = StoredTensor(name: whole, of: weight, like: first)
        }
    }

    /// Names of modules with tensors that only codes have.
    private static func modules(in tensors: [ExactString: StoredTensor]) -> [String] {
        let ends = [".qweight", ".weight_packed", "._weight_qdata", ".weight.absmax"]
        return tensors.values.compactMap { tensor -> String? in
            if let end = ends.first(where: tensor.name.hasSuffix) { return String(tensor.name.dropLast(end.count)) }
            let types: [StoredDType] = [.int8, .uint8, .uint32, .float8E4M3, .float8E5M2]
            guard tensor.name.hasSuffix(".weight"), types.contains(tensor.dtype), tensor.blocks == nil else {
                return nil
            }
            return String(tensor.name.dropLast(".weight".count))
        }.sorted()
    }

    /// `nil` for a module whose tensors are nothing that is known.
    private static func weight(_ module: CodedModule) throws(CheckpointError) -> CodedWeight? {
        if module["pre_quant_scale"] != nil {
            throw module.unsupported("weights whose inputs are scaled first ('pre_quant_scale') are not read")
        }
        if module["qweight"] != nil { return try module.words() }
        if let packed = module["weight_packed"] {
            return packed.dtype == .uint8 ? try module.smallFloats(packed) : try module.packedIntegers(packed)
        }
        if module["weight.absmax"] != nil { return try module.bitsandbytesFour() }
        if let codes = module["_weight_qdata"] {
            return try codes.dtype == .int8
                ? module.bytes(codes, "_weight_scale", "_weight_zero_point")
                : module.bytesOfFloat(codes, "_weight_scale")
        }
        guard let weight = module["weight"] else { return nil }
        switch weight.dtype {
        case .uint32 where module["scales"] != nil: return try module.mlx(weight)
        case .int8 where module["SCB"] != nil: return try module.bytes(weight, "SCB", nil, factor: 0.007874015718698502)
        case .int8 where module["weight_scale"] != nil:
            return try module.bytes(weight, "weight_scale", "weight_zero_point")
        case .uint8 where module["weight_scale"] != nil: return try module.smallFloats(weight)
        case .float8E4M3:
            let names = ["weight_scale_inv", "weight_scale", "scale", "qscale_weight"]
            guard let scale = names.first(where: { module[$0] != nil }) else {
                throw module.fault("has no scale beside its weight of F8_E4M3")
            }
            return try module.bytesOfFloat(weight, scale)
        default: return nil
        }
    }
}
