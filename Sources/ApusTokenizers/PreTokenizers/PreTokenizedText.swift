/// A text and the pieces into which it is cut. Pieces are not empty, in order, and need not cover the text.
struct PreTokenizedText {
    private(set) var bytes: [UInt8]
    private(set) var pieces: [Range<Int>]
    /// Whether the first piece begins where the user's text does.
    private(set) var isAtStart: Bool

    init(_ bytes: [UInt8], isAtStart: Bool) {
        self.bytes = bytes
        self.isAtStart = isAtStart
        pieces = bytes.isEmpty ? [] : [0..<bytes.count]
    }

    /// Cuts each piece into those that a closure appends; empty ones are dropped.
    mutating func split(_ body: (UTF8Text, Range<Int>, inout [Range<Int>]) -> Void) {
        var finer: [Range<Int>] = []
        bytes.withUnsafeBufferPointer { text in
            for piece in pieces { body(text, piece, &finer) }
        }
        if finer.first?.lowerBound != pieces.first?.lowerBound { isAtStart = false }
        pieces = finer
    }

    /// Rewrites each piece to what a closure appends; the second argument is the piece's number.
    mutating func rewrite(_ body: (UnsafeBufferPointer<UInt8>, Int, inout [UInt8]) -> Void) {
        var rewritten: [UInt8] = []
        rewritten.reserveCapacity(bytes.count * 2)
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(pieces.count)
        bytes.withUnsafeBufferPointer { text in
            for (number, piece) in pieces.enumerated() {
                let start = rewritten.count
                body(UnsafeBufferPointer(rebasing: text[piece]), number, &rewritten)
                if rewritten.count > start { ranges.append(start..<rewritten.count) }
            }
        }
        bytes = rewritten
        pieces = ranges
    }

    /// Cuts each piece at the matches that a closure reports, from left to right.
    mutating func split(
        _ behavior: SplitBehavior, isInverted: Bool = false,
        matches: (UTF8Text, Range<Int>, (Range<Int>) -> Void) -> Void
    ) {
        split { text, piece, pieces in
            var segments: [SplitSegment] = []
            var end = piece.lowerBound
            matches(text, piece) { match in
                if match.lowerBound > end {
                    segments.append(SplitSegment(range: end..<match.lowerBound, isMatch: isInverted))
                }
                segments.append(SplitSegment(range: match, isMatch: !isInverted))
                end = match.upperBound
            }
            if end < piece.upperBound {
                segments.append(SplitSegment(range: end..<piece.upperBound, isMatch: isInverted))
            }
            for piece in behavior.pieces(of: segments) where !piece.isEmpty { pieces.append(piece) }
        }
    }

    /// Cuts each piece at every single scalar that satisfies a condition.
    mutating func split(_ behavior: SplitBehavior, where condition: (UInt32) -> Bool) {
        split(behavior) { text, piece, report in
            var position = piece.lowerBound
            while position < piece.upperBound {
                let (scalar, length) = text.scalar(at: position)
                if condition(scalar) { report(position..<position + length) }
                position += length
            }
        }
    }
}
