/// Every match of a pattern replaced by a content; a normalizer and a decoder share it.
struct Replacement: Sendable {
    let pattern: TextPattern
    let content: [UInt8]

    init(pattern: TextPattern, content: [UInt8]) {
        self.pattern = pattern
        self.content = content
    }

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        pattern = try TextPattern(configuration)
        content = Array(try configuration.string("content").utf8)
    }

    func apply(to text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { utf8 in
            var replaced: [UInt8] = []
            replaced.reserveCapacity(text.count)
            var copied = 0
            pattern.forEachMatch(in: utf8, part: 0..<utf8.count) { match in
                replaced.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[copied..<match.lowerBound]))
                replaced.append(contentsOf: content)
                copied = match.upperBound
            }
            replaced.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[copied...]))
            return replaced
        }
    }
}
