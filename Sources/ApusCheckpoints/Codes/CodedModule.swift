package import ApusCompute
import ApusJSON

/// The tensors of a module that holds codes, by what follows its name and a dot.
struct CodedModule: Sendable {
    let name: String
    let settings: CodeSettings
    private let tensors: [String: StoredTensor]

    /// All that may stand beside codes. What says how activations were rounded is of no use here.
    private static let suffixes = [
        "qweight", "qzeros", "scales", "g_idx", "biases",
        "weight", "weight_packed", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_global_scale",
        "weight_zero_point", "weight_shape", "weight_g_idx", "scale", "qscale_weight", "pre_quant_scale",
        "SCB", "weight_format", "weight.absmax", "weight.quant_map", "weight.nested_absmax", "weight.nested_quant_map",
        "weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__fp4",
        "_weight_qdata", "_weight_scale", "_weight_zero_point",
        "input_scale", "input_global_scale", "input_zero_point", "input_scale_ub", "activation_scale", "output_scale",
        "k_scale", "v_scale",
    ]

    init(_ name: String, _ settings: CodeSettings, _ tensor: (_ name: String) -> StoredTensor?) {
        self.name = name
        self.settings = settings
        var tensors: [String: StoredTensor] = [:]
        for suffix in Self.suffixes { tensors[suffix] = tensor(name.isEmpty ? suffix : "\(name).\(suffix)") }
        self.tensors = tensors
    }

    var parts: [StoredTensor] { Self.suffixes.compactMap { tensors[$0] } }

    subscript(suffix: String) -> StoredTensor? { tensors[suffix] }

    /// The first that is there of some.
    func first(of suffixes: [String]) -> StoredTensor? { suffixes.lazy.compactMap { tensors[$0] }.first }

    /// A tensor of a type and as many extents. Throws `CheckpointError` (`.weights`).
    func tensor(_ suffix: String, _ types: [StoredDType], rank: Int? = nil) throws(CheckpointError) -> StoredTensor {
        guard let tensor = tensors[suffix] else { throw fault("lacks its '\(suffix)'") }
        return try checked(tensor, types, rank: rank)
    }

    func checked(_ tensor: StoredTensor, _ types: [StoredDType], rank: Int? = nil) throws(CheckpointError)
        -> StoredTensor
    {
        guard types.contains(tensor.dtype) else {
            throw fault(
                "'\(tensor.name)' is \(tensor.dtype.rawValue); expected "
                    + types.map(\.rawValue).joined(separator: " or "))
        }
        guard rank == nil || tensor.shape.count == rank else {
            throw fault("'\(tensor.name)' has the shape \(tensor.shape), which no such part has")
        }
        return tensor
    }

    /// Throws unless a tensor has a shape.
    func check(_ tensor: StoredTensor, is shape: [Int]) throws(CheckpointError) {
        guard tensor.shape == shape else {
            throw fault("'\(tensor.name)' has the shape \(tensor.shape); expected \(shape)")
        }
    }

    func fault(_ what: String) -> CheckpointError {
        .weights("\(tensors.values.map(\.file).min() ?? settings.file): module \(name.quoted): \(what)")
    }

    func unsupported(_ what: String) -> CheckpointError {
        .unsupported("\(tensors.values.map(\.file).min() ?? settings.file): module \(name.quoted): \(what)")
    }

    // MARK: What formats have in common

    static let floats: [StoredDType] = [.float16, .bfloat16, .float32]

    /// The elements of a tensor of floating point, [lines, steps] or of one for all.
    func values(
        _ tensor: StoredTensor, lines: Int, steps: Int, isTurned: Bool = false, factor: Float? = nil,
        divides: Bool = false
    ) throws(CheckpointError) -> CodeArrays.Values {
        let type: CodeArrays.ElementType
        switch tensor.dtype {
        case .float16: type = .float16
        case .bfloat16: type = .bfloat16
        case .float32: type = .float32
        case .float8E4M3: type = .float8E4M3
        case .uint8, .float8E8M0: type = .power
        default: throw fault("'\(tensor.name)' is \(tensor.dtype.rawValue), which scales are not")
        }
        let size = tensor.dtype.bitCount / 8
        if tensor.count == 1 {
            return CodeArrays.Values(tensor.bytes, type, line: 0, step: 0, factor: factor, divides: divides)
        }
        guard tensor.count == lines * steps else {
            throw fault("'\(tensor.name)' has the shape \(tensor.shape); expected \(lines) × \(steps) scales")
        }
        return CodeArrays.Values(
            tensor.bytes, type, line: isTurned ? size : steps * size, step: isTurned ? lines * size : size,
            factor: factor, divides: divides)
    }

    /// A single number.
    func number(_ suffix: String) throws(CheckpointError) -> Float {
        let tensor = try tensor(suffix, [.float32])
        guard tensor.count == 1 else {
            throw fault("'\(tensor.name)' has the shape \(tensor.shape); expected one number")
        }
        return tensor.withBytes { $0.loadUnaligned(as: Float.self) }
    }

    /// What products make of codes.
    ///
    /// - Parameter zero: which all groups have; `nil` where each has its own.
    func product(
        bits: Int, zero: Int?, hasOffsets: Bool = false, scales: CodeArrays.Values, group: Int, groups: Int
    ) -> WeightFormat {
        let size: Int?
        let scale: WeightGrouping.Scale
        if groups == 1 || scales.step == 0 && zero != nil && !hasOffsets {
            (size, scale) = (64, .row)
        } else {
            size = [128, 64, 32, 16].first { group % $0 == 0 }
            switch (scales.type, scales.factor) {
            case (.float16, nil): scale = .float16
            case (.bfloat16, nil): scale = .bfloat16
            case (.float32, nil): scale = .float32
            default: return .bfloat16
            }
        }
        guard let size else { return .bfloat16 }
        let offset: WeightGrouping.Offset =
            hasOffsets || zero == nil && scale == .row ? .own : zero == nil ? .zero : .none
        return .grouped(
            WeightGrouping(
                bits: bits == 7 ? 8 : bits, zero: offset == .none ? zero ?? 0 : 0, group: size, scale: scale,
                offset: offset))
    }

    /// The inputs of a group: what is said of it, or what so many groups show.
    func group(said: Int?, inputs: Int, groups: Int) throws(CheckpointError) -> Int {
        func fits(_ size: Int) -> Bool { size > 0 && (inputs + size - 1) / size == groups }
        if groups == 1 { return max(inputs, 1) }
        if let said, fits(said) { return said }
        guard let size = (0..<17).lazy.map({ 1 << $0 }).first(where: fits) else {
            throw fault("\(groups) groups of \(inputs) inputs are of no size that is known")
        }
        return size
    }

    /// The order of inputs by a map of groups; `nil` where it is that of the inputs.
    func order(_ map: StoredTensor?, inputs: Int, group: Int, groups: Int) throws(CheckpointError) -> InputOrder? {
        guard let map else { return nil }
        let tensor = try checked(map, [.int32], rank: 1)
        try check(tensor, is: [inputs])
        let numbers = tensor.withBytes { bytes in
            (0..<inputs).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        }
        // compressed-tensors writes -1 where there is none.
        if numbers.contains(-1) || numbers.indices.allSatisfy({ Int(numbers[$0]) == $0 / group }) { return nil }
        guard let wrong = numbers.first(where: { $0 < 0 || Int($0) >= groups }) else {
            return settings.orders.order(numbers)
        }
        throw fault("'\(tensor.name)' names the group \(wrong) of \(groups)")
    }
}
