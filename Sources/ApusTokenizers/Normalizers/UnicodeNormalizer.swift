/// The four Unicode normalization forms (UAX #15).
struct UnicodeNormalizer: Normalizer {
    /// NFC and NFKC compose, NFD and NFKD do not.
    let composes: Bool
    /// NFKC and NFKD decompose compatibly.
    let isCompatible: Bool

    func normalize(_ text: [UInt8]) -> [UInt8] {
        // Scalars whose first byte is below this never change, and begin anew what follows them.
        let inertLimit: UInt8 = composes && !isCompatible ? 0xCC : 0x80
        guard text.contains(where: { $0 >= inertLimit }) else { return text }
        var normalized: [UInt8] = []
        normalized.reserveCapacity(text.count)
        text.withUnsafeBufferPointer { text in
            var position = 0
            while position < text.count {
                var end = position
                while end < text.count, text[end] < inertLimit { end += 1 }
                if end == text.count {
                    normalized.append(contentsOf: text[position..<end])
                    return
                }
                let start = end > position ? text.startOfScalar(endingAt: end) : end
                normalized.append(contentsOf: text[position..<start])
                position = end
                while position < text.count, text[position] >= inertLimit {
                    position += text.scalar(at: position).length
                }
                append(text, start..<position, to: &normalized)
            }
        }
        return normalized
    }

    private func append(_ text: UTF8Text, _ range: Range<Int>, to normalized: inout [UInt8]) {
        let data = UnicodeNormalization.shared
        var scalars: [UInt32] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = text.scalar(at: position)
            position += length
            if let pieces = Hangul.decomposition(scalar) ?? data.decomposition(scalar, compatibly: isCompatible) {
                scalars.append(contentsOf: pieces)
            } else {
                scalars.append(scalar)
            }
        }
        reorder(&scalars, data)
        if composes { compose(&scalars, data) }
        for scalar in scalars { normalized.append(scalar: scalar) }
    }

    private func reorder(_ scalars: inout [UInt32], _ data: UnicodeNormalization) {
        var start = 0
        while start < scalars.count {
            guard data.combiningClass(scalars[start]) != 0 else {
                start += 1
                continue
            }
            var end = start + 1
            while end < scalars.count, data.combiningClass(scalars[end]) != 0 { end += 1 }
            // `sort` is stable, as the canonical ordering asks.
            if end > start + 1 {
                scalars[start..<end].sort { data.combiningClass($0) < data.combiningClass($1) }
            }
            start = end
        }
    }

    private func compose(_ scalars: inout [UInt32], _ data: UnicodeNormalization) {
        var starter: Int?
        var lastClass: UInt8 = 0
        var count = 0
        for scalar in scalars {
            let combiningClass = data.combiningClass(scalar)
            if let first = starter, count == first + 1 || lastClass < combiningClass,
                let composite = data.composition(scalars[first], scalar)
            {
                scalars[first] = composite
                continue
            }
            if combiningClass == 0 { starter = count }
            lastClass = combiningClass
            scalars[count] = scalar
            count += 1
        }
        scalars.removeSubrange(count...)
    }
}
