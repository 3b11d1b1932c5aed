extension [UInt8] {
    /// A text that a closure appends scalar by scalar.
    func mappingScalars(_ body: (UInt32, inout [UInt8]) -> Void) -> [UInt8] {
        var mapped: [UInt8] = []
        mapped.reserveCapacity(count)
        withUnsafeBufferPointer { text in
            var position = 0
            while position < text.count {
                let (scalar, length) = text.scalar(at: position)
                body(scalar, &mapped)
                position += length
            }
        }
        return mapped
    }
}
