import ApusCompute

/// How the tensors of several processes become one, element by element.
public enum Reduction: String, Sendable, Hashable, CaseIterable {
    case sum
    case mean
    case max
    case min
}

extension Reduction {
    /// Combines the elements of all ranks, in rank order. All parts have the same number of bytes.
    func combine(_ parts: [[UInt8]], _ dtype: DType) throws(DistributedError) -> [UInt8] {
        switch dtype {
        case .float32: floats(parts, UInt32.self, { Float(bitPattern: $0) }, { $0.bitPattern })
        case .float16: floats(parts, UInt16.self, HalfPrecision.float(float16:), HalfPrecision.float16)
        case .bfloat16: floats(parts, UInt16.self, HalfPrecision.float(bfloat16:), HalfPrecision.bfloat16)
        case .int64: try integers(parts, Int64.self)
        case .int32: try integers(parts, Int32.self)
        case .int8: try integers(parts, Int8.self)
        case .uint8: try integers(parts, UInt8.self)
        }
    }

    private func floats<Bits: BitwiseCopyable>(
        _ parts: [[UInt8]], _: Bits.Type, _ read: (Bits) -> Float, _ write: (Float) -> Bits
    ) -> [UInt8] {
        var result = (parts.first.map { Self.elements($0, Bits.self) } ?? []).map(read)
        for part in parts.dropFirst() {
            for (index, bits) in Self.elements(part, Bits.self).enumerated() where index < result.count {
                result[index] = combine(result[index], read(bits))
            }
        }
        if self == .mean {
            let count = Float(parts.count)
            for index in result.indices { result[index] /= count }
        }
        return result.map(write).withUnsafeBytes { Array($0) }
    }

    /// A NaN anywhere is a NaN in the result, as in PyTorch.
    private func combine(_ left: Float, _ right: Float) -> Float {
        switch self {
        case .sum, .mean: left + right
        case .max: left.isNaN || left > right ? left : right
        case .min: left.isNaN || left < right ? left : right
        }
    }

    private func integers<Element: FixedWidthInteger & BitwiseCopyable>(
        _ parts: [[UInt8]], _: Element.Type
    ) throws(DistributedError) -> [UInt8] {
        var result = parts.first.map { Self.elements($0, Element.self) } ?? []
        for part in parts.dropFirst() {
            for (index, element) in Self.elements(part, Element.self).enumerated() where index < result.count {
                switch self {
                case .sum: result[index] &+= element
                case .max: result[index] = Swift.max(result[index], element)
                case .min: result[index] = Swift.min(result[index], element)
                case .mean: throw .invalidArgument("reduce: there is no mean of integers")
                }
            }
        }
        return result.withUnsafeBytes { Array($0) }
    }

    private static func elements<Element: BitwiseCopyable>(_ bytes: [UInt8], _: Element.Type) -> [Element] {
        let count = bytes.count / MemoryLayout<Element>.stride
        return bytes.withUnsafeBytes { source in
            Array(unsafeUninitializedCapacity: count) { target, initialized in
                UnsafeMutableRawBufferPointer(target).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[..<(count * MemoryLayout<Element>.stride)]))
                initialized = count
            }
        }
    }
}
