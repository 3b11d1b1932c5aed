import ApusCompute
import ApusJSON

/// Codes of small floats, and places in a table: what has no exact form of integers, and products read as bfloat16
/// (Tests/Parity/QUANTIZED.md has the layouts, and what they were checked against).
extension CodedModule {
    /// 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their opposites (E2M1 of Open Compute Project, Microscaling Formats 1.0).
    private static let e2m1: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6]

    // MARK: FP8

    /// Bytes of E4M3 with a scale for the matrix, each output, each block, or each group of inputs.
    func bytesOfFloat(_ weight: StoredTensor, _ scale: String) throws(CheckpointError) -> CodedWeight {
        let codes = try checked(weight, [.float8E4M3], rank: 2)
        let scale = try tensor(scale, Self.floats + [.float8E8M0, .uint8])
        let (outputs, inputs) = (codes.shape[0], codes.shape[1])
        // ModelOpt's blocks have two extents of 1 between.
        let grid =
            scale.shape.filter { $0 != 1 }.count <= 2 && scale.shape.count == 4
            ? [scale.shape[0], scale.shape[2]] : scale.shape
        return CodedWeight(self, shape: [outputs, inputs]) { [self] (inputs: Int) throws(CheckpointError) in
            let (lines, groups) = grid.count == 2 ? (grid[0], grid[1]) : (scale.count, 1)
            let block =
                settings.integers("weight_block_size", of: name) ?? settings.integers("block_structure", of: name)
            let high = try size(of: lines, in: outputs, said: block?.first)
            let wide = try size(of: groups, in: inputs, said: block?.last)
            var values = try values(scale, lines: lines, steps: groups)
            values.rows = high
            return CodeArrays.widened(
                outputs, inputs, CodeArrays.Codes(codes.bytes, line: inputs, bits: 8), values, codes: .float8,
                group: wide, groups: groups, owner: parts.map(\.mapping))
        }
    }

    /// How many share one of so many scales: what is said, 128, or what divides them evenly.
    private func size(of scales: Int, in count: Int, said: Int?) throws(CheckpointError) -> Int {
        if scales == 1 { return max(count, 1) }
        if scales == count { return 1 }
        let sizes = [said ?? 128, 128, 64, 32, 16]
        guard let size = sizes.first(where: { $0 > 0 && (count + $0 - 1) / $0 == scales }) else {
            throw fault("\(scales) scales of \(count) are blocks of no size that is known")
        }
        return size
    }

    // MARK: Four bits

    /// Two codes of E2M1 a byte, with scales of E4M3 for 16 inputs and a number for all (NVFP4), or powers of two for 32
    /// (MXFP4): compressed-tensors, which divides by that number, and ModelOpt, which multiplies with it.
    func smallFloats(_ weight: StoredTensor) throws(CheckpointError) -> CodedWeight {
        let codes = try checked(weight, [.uint8], rank: 2)
        let scale = try tensor("weight_scale", [.float8E4M3, .uint8, .float8E8M0], rank: 2)
        let (outputs, inputs) = (codes.shape[0], codes.shape[1] * 2)
        let group = scale.dtype == .float8E4M3 ? 16 : 32
        guard scale.shape == [outputs, (inputs + group - 1) / group] else {
            throw fault("'\(codes.name)' of shape \(codes.shape) has scales of shape \(scale.shape)")
        }
        var factor: Float?
        let divides = self["weight_scale_2"] == nil
        if scale.dtype == .float8E4M3 {
            factor = try number(divides ? "weight_global_scale" : "weight_scale_2")
        }
        return CodedWeight(self, shape: [outputs, inputs]) { [self, factor] (inputs: Int) throws(CheckpointError) in
            let values = try values(
                scale, lines: outputs, steps: scale.shape[1], factor: factor, divides: divides)
            return CodeArrays.widened(
                outputs, inputs, CodeArrays.Codes(codes.bytes, line: codes.shape[1], bits: 4), values,
                codes: .floats(Self.e2m1),
                group: group, groups: scale.shape[1], owner: parts.map(\.mapping))
        }
    }

    /// MLX's modes without offsets: "mxfp4", "mxfp8" and "nvfp4", told by their bits and the size of a group.
    func mlxFloats(_ codes: StoredTensor, _ scales: StoredTensor, outputs: Int) throws(CheckpointError) -> CodedWeight {
        let (words, groups) = (codes.shape[codes.shape.count - 1], scales.shape[scales.shape.count - 1])
        // 32 × 4, 32 × 8 or 16 × 4 bits a group.
        guard groups > 0, words % groups == 0, [2, 4, 8].contains(words / groups) else {
            throw fault("'\(codes.name)' of shape \(codes.shape) has scales of shape \(scales.shape)")
        }
        let bits = words / groups == 8 ? 8 : 4
        let group = words / groups == 2 ? 16 : 32
        return CodedWeight(self, shape: codes.shape.dropLast() + [groups * group]) {
            [self] (inputs: Int) throws(CheckpointError) in
            var values = try values(scales, lines: outputs, steps: groups)
            if group == 16 { values.type = .float8E4M3 }
            return CodeArrays.widened(
                outputs, inputs, CodeArrays.Codes(codes.bytes, line: words * 4, bits: bits), values,
                codes: bits == 8 ? .float8 : .floats(Self.e2m1), group: group, groups: groups,
                owner: parts.map(\.mapping))
        }
    }

    // MARK: bitsandbytes

    /// Blocks of the flattened matrix, two codes a byte, which stand for the entries of a table in the file.
    func bitsandbytesFour() throws(CheckpointError) -> CodedWeight {
        let codes = try tensor("weight", [.uint8, .float16, .bfloat16, .float32])
        let absmax = try tensor("weight.absmax", [.float32, .uint8], rank: 1)
        let table = try tensor("weight.quant_map", [.float32])
        let names = ["weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__fp4"]
        guard let state = first(of: names) else { throw fault("lacks its 'quant_state'") }
        let said: JSONObject = try state.withBytes { bytes throws(CheckpointError) in
            try MappedFile.jsonObject(bytes, of: "\(state.file): '\(state.name)'")
        }
        let shape = said["shape"]?.array?.compactMap(\.integer) ?? []
        let size = said["blocksize"]?.integer ?? 64
        guard shape.count == 2, shape.allSatisfy({ 1..<1 << 31 ~= $0 }), 1...1 << 20 ~= size, table.count == 16 else {
            throw fault("'\(state.name)' describes no matrix")
        }
        let count = shape[0] * shape[1]
        let blocks = (count + size - 1) / size
        guard codes.byteCount >= (count + 1) / 2, absmax.count == blocks else {
            throw fault("'\(codes.name)' of shape \(codes.shape) does not hold a matrix of shape \(shape)")
        }
        let offset = Float(said["nested_offset"]?.double ?? 0)
        let nested = said["nested_blocksize"]?.integer ?? 256
        return CodedWeight(self, shape: shape) { [self] (inputs: Int) throws(CheckpointError) in
            let scales = try ScaleBuffer(
                absmax.dtype == .float32 ? floats(absmax) : widened(absmax, blockSize: nested, offset: offset))
            return CodeArrays.widened(
                shape[0], inputs, CodeArrays.Codes(codes.bytes, line: 0, bits: 4),
                CodeArrays.Values(scales.bytes, .float32, line: 0, step: 4), codes: .floats(try floats(table)),
                group: size, groups: blocks, isFlat: true, owner: (parts.map(\.mapping), scales))
        }
    }

    /// Scales that are codes themselves ("double quantization").
    private func widened(_ absmax: StoredTensor, blockSize: Int, offset: Float) throws(CheckpointError) -> [Float] {
        let outer = try floats(tensor("weight.nested_absmax", [.float32], rank: 1))
        let table = try floats(tensor("weight.nested_quant_map", [.float32], rank: 1))
        guard blockSize > 0, table.count == 256, outer.count == (absmax.count + blockSize - 1) / blockSize else {
            throw fault("'\(absmax.name)' of \(absmax.count) codes has \(outer.count) scales")
        }
        return absmax.withBytes { bytes in
            bytes.enumerated().map { index, code in table[Int(code)] * outer[index / blockSize] + offset }
        }
    }

    private func floats(_ tensor: StoredTensor) throws(CheckpointError) -> [Float] {
        tensor.withBytes { bytes in
            (0..<tensor.count).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
    }
}

/// Scales that were made for a matrix.
private final class ScaleBuffer: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer

    init(_ values: [Float]) {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(values.count, 1))
        _ = memory.initialize(from: values)
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { bytes.deallocate() }
}

extension CodeArrays {
    /// A matrix of what codes stand for. Products widen it to bfloat16 panel by panel, or where no panel can hold its groups, when
    /// it is prepared.
    ///
    /// - Parameter isFlat: one line of codes and of groups, which rows cross; the first of two codes is in a byte's high half.
    fileprivate static func widened(
        _ outputs: Int, _ inputs: Int, _ codes: Codes, _ scales: Values, codes kind: WeightGrouping.Codes, group: Int,
        groups: Int, isFlat: Bool = false, owner: any Sendable
    ) -> CodeArrays {
        var arrays = CodeArrays(
            outputs: outputs, inputs: inputs,
            product: product(kind, scales, group: group, groups: groups, inputs: isFlat ? inputs : nil), codes: codes,
            scales: scales, group: group, groups: groups, owner: owner)
        (arrays.isFlat, arrays.isHighFirst) = (isFlat, isFlat)
        switch kind {
        case .integers: break
        case .floats(let floats): arrays.values = floats
        case .float8: arrays.values = .float8
        }
        return arrays
    }

    /// - Parameter inputs: of a row that must have whole groups.
    private static func product(
        _ kind: WeightGrouping.Codes, _ scales: Values, group: Int, groups: Int, inputs: Int?
    ) -> WeightFormat {
        if groups == 1 || scales.step == 0 { return .grouped(WeightGrouping(kind, group: 64, scale: .row)) }
        guard let size = [128, 64, 32, 16].first(where: { group % $0 == 0 && (inputs ?? 0) % $0 == 0 }) else {
            return .bfloat16
        }
        let scale: WeightGrouping.Scale =
            switch (scales.type, scales.factor) {
            case (.float8E4M3, _): .float8
            case (.float16, nil): .float16
            case (.bfloat16, nil), (.power, nil): .bfloat16
            default: .float32
            }
        return .grouped(WeightGrouping(kind, group: size, scale: scale))
    }
}

extension [Float] {
    /// What the 256 codes of E4M3 stand for (Micikevicius et al., arXiv 2209.05433).
    fileprivate static let float8: [Float] = (0..<256).map { code in
        let (sign, exponent, fraction): (Float, Int, Float) = (
            code & 128 == 0 ? 1 : -1, code >> 3 & 15, Float(code & 7)
        )
        if code & 127 == 127 { return .nan }
        return exponent == 0
            ? sign * fraction * 0x1p-9
            : sign * (1 + fraction / 8) * Float(sign: .plus, exponent: exponent - 7, significand: 1)
    }
}
