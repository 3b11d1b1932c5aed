/// A rendered chat and which parts of it came out of strings of the conversation.
package struct MarkedText: Sendable, Equatable {
    package let utf8: [UInt8]
    /// Ranges of bytes that came from strings inside the chosen variables, ascending, with bytes of the template between
    /// them. A control token that lies in one of them is text.
    package let given: [Range<Int>]

    package init(utf8: [UInt8], given: [Range<Int>]) {
        (self.utf8, self.given) = (utf8, given)
    }

    package var text: String { String(decoding: utf8, as: UTF8.self) }
}

extension MarkedText {
    /// Nothing if there is a lone surrogate, which UTF-8 cannot write.
    init?(_ units: [UInt32]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(units.count)
        var ranges: [Range<Int>] = []
        var start: Int?
        for unit in units {
            let isGiven = unit & Text.mark != 0
            if isGiven != (start != nil) {
                if let begin = start { ranges.append(begin..<bytes.count) }
                start = isGiven ? bytes.count : nil
            }
            guard let scalar = Unicode.Scalar(unit & Text.scalarMask) else { return nil }
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        if let start { ranges.append(start..<bytes.count) }
        (utf8, given) = (bytes, ranges)
    }
}
