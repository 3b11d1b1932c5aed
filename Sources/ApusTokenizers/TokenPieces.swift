/// What each token of a tokenizer adds to a text that goes before it, as bytes: special tokens too, and bytes that are no
/// text by themselves.
///
/// As the vocabulary that `StopStringCriteria` of transformers makes of a tokenizer.
package struct TokenPieces: Sendable {
    private let tokenizer: Tokenizer
    /// Tokens of a text that no token changes: what comes behind it shows what a token adds.
    private let before: [Int]

    private static let text = "abcdef"

    package init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        before = tokenizer.encode(Self.text, addSpecialTokens: false)
    }

    /// Whether pieces are parts of bytes rather than of characters.
    package var areBytes: Bool { tokenizer.decoder.byteNotation != nil }

    /// `nil` for an id that there is not.
    package func piece(of id: Int) -> [UInt8]? {
        guard let token = tokenizer.content(of: id) else { return nil }
        switch tokenizer.decoder.byteNotation {
        case .alphabet:
            if let bytes = token.withUnsafeBufferPointer({ ByteAlphabet.decode($0) }) { return bytes }
        case .fallback:
            if let byte = Self.byte(token) { return [byte] }
        case nil: break
        }
        let text = decoded(before.compactMap { tokenizer.content(of: $0) } + [token])
        let start = Array(Self.text.utf8)
        guard let place = text.indices.first(where: { text[$0...].starts(with: start) }) else {
            return decoded([token])
        }
        return Array(text[(place + start.count)...])
    }

    /// Whether a text that leaves special tokens out has the token.
    package func isSpecial(_ id: Int) -> Bool { tokenizer.tokenToDecode(id, skipSpecialTokens: true) == nil }

    private func decoded(_ tokens: [[UInt8]]) -> [UInt8] {
        var pipeline = DecoderPipeline(tokenizer.decoder)
        var text: [UInt8] = []
        for token in tokens { pipeline.append(token, to: &text) }
        pipeline.finish(into: &text)
        return text
    }

    private static func byte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">"),
            token[3..<5].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}

extension Tokenizer {
    /// A token as the vocabulary has it; an added one as it was declared.
    fileprivate func content(of id: Int) -> [UInt8]? {
        guard let id = UInt32(exactly: id) else { return nil }
        return added.tokens[id].map { Array($0.content.utf8) } ?? model.vocabulary.bytes(for: id).map { Array($0) }
    }
}
