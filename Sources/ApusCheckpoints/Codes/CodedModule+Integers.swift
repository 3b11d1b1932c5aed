import ApusCompute
import ApusJSON

/// Codes of integers, in words of 32 bits or in bytes (Tests/Parity/QUANTIZED.md has the layouts, and what they were checked
/// against).
extension CodedModule {
    // MARK: GPTQ, AWQ, AutoRound

    func words() throws(CheckpointError) -> CodedWeight {
        let codes = try tensor("qweight", [.int32], rank: 2)
        let scales = try tensor("scales", Self.floats, rank: 2)
        let outputs = scales.shape[1]
        // AWQ packs along the outputs, the others along the inputs.
        let isAWQ =
            settings.method == "awq" || settings.string("packing_format")?.hasSuffix("awq") ?? false
            || codes.shape[1] != outputs && codes.shape[1] * 8 == outputs
        return isAWQ ? try awq(codes, scales) : try gptq(codes, scales)
    }

    private func gptq(_ codes: StoredTensor, _ scales: StoredTensor) throws(CheckpointError) -> CodedWeight {
        let (groups, outputs) = (scales.shape[0], scales.shape[1])
        try check(codes, is: [codes.shape[0], outputs])
        let map = self["g_idx"]
        let zeros = self["qzeros"]
        func fits(_ bits: Int) -> Bool {
            if let map, map.shape != [map.count] || (map.count * bits + 31) / 32 != codes.shape[0] { return false }
            return zeros.map { $0.shape == [groups, (outputs * bits + 31) / 32] } ?? true
        }
        let said = settings.integer("bits", of: name)
        guard let bits = ([said].compactMap(\.self) + [4, 8, 2, 3, 5, 6, 7]).first(where: { 2...8 ~= $0 && fits($0) })
        else { throw fault("'\(codes.name)' of shape \(codes.shape) has codes of no number of bits beside its scales") }
        let room = codes.shape[0] * 32 / bits
        let inputs = map.map(\.count) ?? room
        let isSecond =
            settings.string("checkpoint_format") == "gptq_v2" || settings.string("packing_format") == "auto_round"
        let isSymmetric = settings.bool("sym", of: name) ?? true
        return CodedWeight(self, shape: [outputs, inputs], padding: map == nil ? 31 / bits : 0) {
            [self] (inputs: Int) throws(CheckpointError) in
            let group = try group(said: settings.integer("group_size", of: name), inputs: inputs, groups: groups)
            var shift = isSecond ? 0 : 1
            var zero: Int? = 1 << (bits - 1)
            if let zeros {
                let stored = try sameCode(zeros, bits: bits, count: outputs)
                // Files of the second version that say they are of the first: nothing else has this zero everywhere.
                if isSymmetric, stored == 1 << (bits - 1) { shift = 0 }
                zero = stored.map { ($0 + shift) & (1 << bits - 1) }
            }
            let values = try values(scales, lines: outputs, steps: groups, isTurned: true)
            var arrays = CodeArrays(
                outputs: outputs, inputs: inputs,
                product: product(bits: bits, zero: zero, scales: values, group: group, groups: groups),
                codes: CodeArrays.Codes(codes.bytes, line: 4, word: outputs * 4, bits: bits), scales: values,
                group: group, groups: groups, owner: parts.map(\.mapping))
            if let zeros, zero == nil {
                let line = zeros.shape[1] * 4
                arrays.zeros = CodeArrays.Codes(zeros.bytes, line: line, bits: bits, isAlongInputs: false)
                (arrays.zeroShift, arrays.zeroMask) = (shift, 1 << bits - 1)
            }
            arrays.zero = zero ?? 0
            try put(order(map, inputs: inputs, group: group, groups: groups), into: &arrays)
            return arrays
        }
    }

    private func awq(_ codes: StoredTensor, _ scales: StoredTensor) throws(CheckpointError) -> CodedWeight {
        let (groups, outputs, inputs) = (scales.shape[0], scales.shape[1], codes.shape[0])
        let bits = settings.integer("bits", of: name) ?? settings.integer("w_bit", of: name) ?? 4
        guard bits == 4 else { throw unsupported("AWQ of \(bits) bits is not read, only of 4") }
        try check(codes, is: [inputs, outputs / 8])
        let zeros = self["qzeros"]
        if let zeros { try check(checked(zeros, [.int32]), is: [groups, outputs / 8]) }
        let said = settings.integer("group_size", of: name) ?? settings.integer("q_group_size", of: name)
        let group = try group(said: said, inputs: inputs, groups: groups)
        return CodedWeight(self, shape: [outputs, inputs]) { [self] (inputs: Int) throws(CheckpointError) in
            let zero =
                try zeros.map { zeros throws(CheckpointError) in try sameCode(zeros, bits: 4, count: outputs) } ?? 8
            let values = try values(scales, lines: outputs, steps: groups, isTurned: true)
            func packed(_ tensor: StoredTensor) -> CodeArrays.Codes {
                CodeArrays.Codes(
                    tensor.bytes, line: outputs / 2, bits: 4, isAlongInputs: false, takesTurns: true)
            }
            var arrays = CodeArrays(
                outputs: outputs, inputs: inputs,
                product: product(bits: 4, zero: zero, scales: values, group: group, groups: groups),
                codes: packed(codes), scales: values, group: group, groups: groups, owner: parts.map(\.mapping))
            arrays.zeros = zero == nil ? zeros.map(packed) : nil
            arrays.zero = zero ?? 0
            return arrays
        }
    }

    /// The code that all of a tensor of words is made of, lines of so many; `nil` if there are several.
    private func sameCode(_ tensor: StoredTensor, bits: Int, count: Int) throws(CheckpointError) -> Int? {
        let tensor = try checked(tensor, [.int32], rank: 2)
        let (lines, words) = (tensor.shape[0], tensor.shape[1])
        return tensor.withBytes { bytes in
            guard let first = bytes.first, lines > 0 else { return nil }
            let code = Int(first) & (1 << bits - 1)
            // Words of one line as they would be; the last ends with what is not counted.
            var expected = [UInt32](repeating: 0, count: words)
            for index in 0..<count {
                let bit = index * bits
                let wide = UInt64(code) << UInt64(bit % 32)
                expected[bit / 32] |= UInt32(truncatingIfNeeded: wide)
                if bit % 32 + bits > 32, bit / 32 + 1 < words { expected[bit / 32 + 1] |= UInt32(wide >> 32) }
            }
            let rest = count * bits % 32
            let mask = rest == 0 ? UInt32.max : UInt32(1) << UInt32(rest) - 1
            for line in 0..<lines {
                for word in 0..<words {
                    let stored = bytes.loadUnaligned(fromByteOffset: (line * words + word) * 4, as: UInt32.self)
                    if (stored ^ expected[word]) & (word == words - 1 ? mask : .max) != 0 { return nil }
                }
            }
            return code
        }
    }

    /// Groups whose inputs a panel cannot put together are widened.
    private func put(_ order: InputOrder?, into arrays: inout CodeArrays) {
        guard let order, arrays.groups > 1 else { return }
        arrays.order = order
        if !order.hasGroups(of: arrays.group) { arrays.product = .bfloat16 }
    }

    // MARK: compressed-tensors

    func packedIntegers(_ packed: StoredTensor) throws(CheckpointError) -> CodedWeight {
        let codes = try checked(packed, [.int32], rank: 2)
        let shape = try tensor("weight_shape", [.int64, .int32], rank: 1)
        guard shape.count == 2 else { throw fault("'\(shape.name)' has the shape \(shape.shape); expected [2]") }
        let extents = shape.withBytes { bytes in
            (0..<2).map { index in
                shape.dtype == .int64
                    ? Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
                    : Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
            }
        }
        let (outputs, inputs, words) = (extents[0], extents[1], codes.shape[1])
        guard outputs == codes.shape[0], 1..<1 << 40 ~= inputs else {
            throw fault("'\(shape.name)' says \(extents), but '\(codes.name)' has the shape \(codes.shape)")
        }
        @Sendable func isDense(_ bits: Int) -> Bool { (inputs * bits + 31) / 32 == words }
        @Sendable func isWhole(_ bits: Int) -> Bool { (inputs + 32 / bits - 1) / (32 / bits) == words }
        let said = settings.integer("num_bits", of: name)
        guard
            let bits = ([said].compactMap(\.self) + [4, 8, 2, 3, 5, 6, 7]).first(where: {
                2...8 ~= $0 && (isDense($0) || isWhole($0))
            })
        else { throw fault("'\(codes.name)' of shape \(codes.shape) does not hold \(inputs) codes a row") }
        let scale = try tensor("weight_scale", Self.floats)
        let zeros = self["weight_zero_point"]
        let map = self["weight_g_idx"]
        return CodedWeight(self, shape: [outputs, inputs]) { [self] (inputs: Int) throws(CheckpointError) in
            let groups = scale.shape.count == 2 ? scale.shape[1] : 1
            let group = try group(said: settings.integer("group_size", of: name), inputs: inputs, groups: groups)
            let values = try values(scale, lines: outputs, steps: groups)
            // Versions before 0.13 left the rest of a word empty.
            let each = isDense(bits) ? 32 : 32 / bits
            let zero = zeros == nil ? 1 << (bits - 1) : nil
            var arrays = CodeArrays(
                outputs: outputs, inputs: inputs,
                product: product(bits: bits, zero: zero, scales: values, group: group, groups: groups),
                codes: CodeArrays.Codes(codes.bytes, line: words * 4, bits: bits, each: each), scales: values,
                group: group, groups: groups, owner: parts.map(\.mapping))
            arrays.zero = zero ?? 0
            if let zeros {
                let rows = each == 32 ? (outputs * bits + 31) / 32 : (outputs + each - 1) / each
                try check(checked(zeros, [.int32]), is: [rows, groups])
                arrays.zeros = CodeArrays.Codes(
                    zeros.bytes, line: 4, word: groups * 4, bits: bits, each: each, isAlongInputs: false)
            }
            try put(order(map, inputs: inputs, group: group, groups: groups), into: &arrays)
            return arrays
        }
    }

    // MARK: Bytes

    /// Signed bytes with a scale for each output, or each group of inputs: compressed-tensors, bitsandbytes, torchao.
    func bytes(
        _ weight: StoredTensor, _ scale: String, _ zero: String?, factor: Float? = nil
    ) throws(CheckpointError) -> CodedWeight {
        let codes = try checked(weight, [.int8], rank: 2)
        let scale = try tensor(scale, Self.floats)
        let (outputs, inputs) = (codes.shape[0], codes.shape[1])
        let groups = scale.shape.count == 2 ? scale.shape[1] : 1
        let zeros = zero.flatMap { self[$0] }
        return CodedWeight(self, shape: [outputs, inputs]) { [self] (inputs: Int) throws(CheckpointError) in
            let group = try group(said: settings.integer("group_size", of: name), inputs: inputs, groups: groups)
            let values = try values(scale, lines: outputs, steps: groups, factor: factor)
            let hasZeros = try zeros.map { zeros throws(CheckpointError) in
                let zeros = try checked(zeros, [.int8])
                return zeros.withBytes { $0.contains { $0 != 0 } }
            }
            let zero = hasZeros ?? false ? nil : 128
            var arrays = CodeArrays(
                outputs: outputs, inputs: inputs,
                product: product(bits: 8, zero: zero, scales: values, group: group, groups: groups),
                codes: CodeArrays.Codes(codes.bytes, line: inputs, bits: 8, flip: 0x80), scales: values, group: group,
                groups: groups, owner: parts.map(\.mapping))
            arrays.zero = zero ?? 0
            if let zeros, zero == nil {
                guard zeros.count == outputs * groups else {
                    throw fault("'\(zeros.name)' has the shape \(zeros.shape); expected [\(outputs), \(groups)]")
                }
                arrays.zeros = CodeArrays.Codes(zeros.bytes, line: groups, bits: 8, flip: 0x80)
            }
            return arrays
        }
    }

    // MARK: MLX

    func mlx(_ weight: StoredTensor) throws(CheckpointError) -> CodedWeight {
        let codes = try checked(weight, [.uint32])
        let scales = try tensor("scales", Self.floats + [.uint8])
        let rank = codes.shape.count
        guard rank == 2 || rank == 3, scales.shape.count == rank, scales.shape.dropLast() == codes.shape.dropLast()
        else {
            throw fault("'\(codes.name)' of shape \(codes.shape) has scales of shape \(scales.shape)")
        }
        let outputs = codes.shape.dropLast().reduce(1, *)
        let (words, groups) = (codes.shape[rank - 1], scales.shape[rank - 1])
        if scales.dtype == .uint8 { return try mlxFloats(codes, scales, outputs: outputs) }
        let group = settings.integer("group_size", of: name) ?? 64
        let bits = settings.integer("bits", of: name) ?? 4
        let biases = try tensor("biases", [scales.dtype])
        try check(biases, is: scales.shape)
        guard 2...8 ~= bits, 1...1024 ~= group, words * 32 == groups * group * bits else {
            throw fault(
                "'\(codes.name)' of shape \(codes.shape) does not hold groups of \(group) codes of \(bits) bits")
        }
        return CodedWeight(self, shape: codes.shape.dropLast() + [groups * group]) {
            [self] (inputs: Int) throws(CheckpointError) in
            let values = try values(scales, lines: outputs, steps: groups)
            var arrays = CodeArrays(
                outputs: outputs, inputs: inputs,
                product: product(
                    bits: bits, zero: nil, hasOffsets: true, scales: values, group: group, groups: groups),
                codes: CodeArrays.Codes(codes.bytes, line: words * 4, bits: bits), scales: values, group: group,
                groups: groups, owner: parts.map(\.mapping))
            arrays.offsets = try self.values(biases, lines: outputs, steps: groups)
            return arrays
        }
    }
}
