package import ApusTokenizers

/// Looks for stop strings in what a sequence's tokens write, special tokens included, and in the prompt's last tokens.
///
/// As `StopStringCriteria` of transformers: a sequence ends with the token that completes a stop string, wherever in the
/// token that is, and however much of the string stood in the prompt.
package struct StopStringMatcher: Sendable {
    private let stopStrings: [[UInt8]]
    /// The pieces before the next one that a stop string may begin in; `nil` for what is no token.
    private var before: [[UInt8]?] = []
    /// Longest stop string, in bytes and in what pieces are made of.
    private let byteLimit: Int
    private let pieceLimit: Int

    /// - Parameter piecesAreBytes: whether pieces are parts of bytes rather than of characters.
    package init(_ stopStrings: [String], piecesAreBytes: Bool = false) {
        let sought = stopStrings.filter { !$0.isEmpty }
        self.stopStrings = sought.map { Array($0.utf8) }
        byteLimit = self.stopStrings.map(\.count).max() ?? 0
        // No more tokens are looked at than a stop string has units, one of each token at least.
        pieceLimit = piecesAreBytes ? byteLimit : sought.map(\.unicodeScalars.count).max() ?? 0
    }

    package var isEmpty: Bool { stopStrings.isEmpty }

    /// Takes a piece of the prompt, in which nothing ends.
    package mutating func skip(_ piece: [UInt8]?) {
        guard pieceLimit > 1, piece?.isEmpty != true else { return }
        before.append(piece)
        if before.count > pieceLimit - 1 { before.removeFirst() }
    }

    /// Takes the next token's piece. Gives how many of its bytes stand behind the stop string that ends first in it, or
    /// `nil` while none does. After a match the matcher must not be fed again.
    package mutating func feed(_ piece: [UInt8]?) -> Int? {
        defer { skip(piece) }
        guard let piece, !piece.isEmpty, !stopStrings.isEmpty else { return nil }
        let head = head()
        let window = head + piece
        for end in window.indices.dropFirst(head.count) {
            for stop in stopStrings where window[...end].hasSuffix(stop) { return window.count - 1 - end }
        }
        return nil
    }

    /// What stands before the next piece, back to where nothing can begin any more.
    private func head() -> [UInt8] {
        var parts: [[UInt8]] = []
        var count = 0
        for piece in before.reversed() {
            guard let piece, count < byteLimit - 1 else { break }
            parts.append(piece)
            count += piece.count
        }
        return Array(parts.reversed().joined().suffix(max(byteLimit - 1, 0)))
    }
}

extension StopStringMatcher {
    /// A matcher for the tokens that follow a prompt.
    package init(_ stopStrings: [String], pieces: TokenPieces, prompt: [Int]) {
        self.init(stopStrings, piecesAreBytes: pieces.areBytes)
        for id in prompt.suffix(max(pieceLimit - 1, 0)) { skip(pieces.piece(of: id)) }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func hasSuffix(_ other: [UInt8]) -> Bool {
        count >= other.count && suffix(other.count).elementsEqual(other)
    }
}
