/// Well-formed UTF-8; positions are byte offsets.
typealias UTF8Text = UnsafeBufferPointer<UInt8>

extension UnsafeBufferPointer<UInt8> {
    /// The scalar that starts at a position, and its length in bytes. The text must be well-formed there.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(self[position])
        if first < 0x80 { return (first, 1) }
        return multibyteScalar(at: position, first: first)
    }

    private func multibyteScalar(at position: Int, first: UInt32) -> (value: UInt32, length: Int) {
        func tail(_ offset: Int) -> UInt32 { UInt32(self[position + offset]) & 0x3F }
        if first < 0xE0 { return ((first & 0x1F) << 6 | tail(1), 2) }
        if first < 0xF0 { return ((first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3) }
        return ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4)
    }

    /// The start of the scalar that ends at a position greater than 0.
    func startOfScalar(endingAt end: Int) -> Int {
        var start = end - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// The end of the longest run from a position of scalars that satisfy a condition.
    func end(ofRunFrom start: Int, upTo limit: Int, where condition: (UInt32) -> Bool) -> Int {
        var position = start
        while position < limit {
            let (value, length) = scalar(at: position)
            guard condition(value) else { break }
            position += length
        }
        return position
    }
}

extension [UInt8] {
    /// Appends the UTF-8 form of a scalar; nothing for a value that is no scalar.
    mutating func append(scalar value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else if let scalar = Unicode.Scalar(value) {
            append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    var scalars: [UInt32] {
        withUnsafeBufferPointer { text in
            var scalars: [UInt32] = []
            scalars.reserveCapacity(text.count)
            var position = 0
            while position < text.count {
                let (value, length) = text.scalar(at: position)
                scalars.append(value)
                position += length
            }
            return scalars
        }
    }
}
