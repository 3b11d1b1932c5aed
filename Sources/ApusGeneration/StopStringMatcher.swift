/// Looks for stop strings in a text that arrives in pieces.
///
/// As in transformers, the text keeps the stop string. What a token adds behind it is cut off, so that the text does not
/// depend on where tokens end.
package struct StopStringMatcher: Sendable {
    private let stopStrings: [[UInt8]]
    /// The end of the text so far: too short to hold a whole stop string.
    private var tail: [UInt8] = []
    private let tailLength: Int

    package init(_ stopStrings: [String]) {
        self.stopStrings = stopStrings.map { Array($0.utf8) }.filter { !$0.isEmpty }
        tailLength = max(0, (self.stopStrings.map(\.count).max() ?? 0) - 1)
    }

    /// Takes the next piece of text. Gives the number of the piece's UTF-8 bytes up to the end of the stop string that
    /// ends first, or `nil` while there is none. After a match the matcher must not be fed again.
    package mutating func feed(_ piece: some StringProtocol) -> Int? {
        guard !stopStrings.isEmpty else { return nil }
        let window = tail + Array(piece.utf8)
        for end in window.indices.dropFirst(tail.count) {
            for stop in stopStrings where window[...end].hasSuffix(stop) { return end + 1 - tail.count }
        }
        tail = Array(window.suffix(tailLength))
        return nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate func hasSuffix(_ other: [UInt8]) -> Bool {
        count >= other.count && suffix(other.count).elementsEqual(other)
    }
}
