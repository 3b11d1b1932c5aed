/// Lower case, scalar by scalar, without regard to context.
struct LowercaseNormalizer: Normalizer {
    private static let mappings: [UInt32: [UInt32]] = {
        var mappings: [UInt32: [UInt32]] = [:]
        var reader = UnicodeTableReader(UnicodeTables.lowercase)
        var scalar: UInt32 = 0
        while let difference = reader.next(), let count = reader.next() {
            scalar += difference
            mappings[scalar] = (0..<count).compactMap { _ in
                reader.nextSigned().map { UInt32(truncatingIfNeeded: Int64(scalar) + Int64($0)) }
            }
        }
        return mappings
    }()

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var lower: [UInt8] = []
        lower.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { text in
            var position = 0
            while position < text.count {
                let (scalar, length) = text.scalar(at: position)
                position += length
                if scalar < 0x80 {
                    lower.append(0x41...0x5A ~= scalar ? UInt8(scalar) + 0x20 : UInt8(scalar))
                } else if let mapped = Self.mappings[scalar] {
                    for scalar in mapped { lower.append(scalar: scalar) }
                } else {
                    lower.append(scalar: scalar)
                }
            }
        }
        return lower
    }
}
