extension Tokenizer {
    /// Encodes several texts: `tokenizer(texts, padding: .longest)`.
    ///
    /// - Throws: ``TokenizerError`` with code `noPaddingToken` if a text has to be padded and neither the padding nor
    ///   the tokenizer has a token for it.
    public func callAsFunction(
        _ texts: [String], padding: Padding? = nil, truncation: Truncation? = nil, addSpecialTokens: Bool = true
    ) throws(TokenizerError) -> BatchEncoding {
        let encoded = texts.map { encode($0, truncation: truncation, addSpecialTokens: addSpecialTokens) }
        guard let padding else { return BatchEncoding(inputIDs: encoded, attentionMask: encoded.map(Self.ones)) }
        return try pad(encoded, padding)
    }

    /// Pads sequences of ids that are encoded already.
    public func pad(_ batch: [[Int]], _ padding: Padding) throws(TokenizerError) -> BatchEncoding {
        let target = padding.target(longest: batch.lazy.map(\.count).max() ?? 0)
        let token = padding.tokenID ?? padTokenID
        var encoding = BatchEncoding(inputIDs: [], attentionMask: [])
        for ids in batch {
            let missing = max(target - ids.count, 0)
            guard missing == 0 || token != nil else {
                throw TokenizerError(
                    code: .noPaddingToken,
                    message: "the tokenizer has no padding token (pad_token); give one with the padding's tokenID")
            }
            let pads = [Int](repeating: token ?? 0, count: missing)
            let zeros = [Int](repeating: 0, count: missing)
            let isLeft = (padding.side ?? paddingSide) == .left
            encoding.inputIDs.append(isLeft ? pads + ids : ids + pads)
            encoding.attentionMask.append(isLeft ? zeros + Self.ones(ids) : Self.ones(ids) + zeros)
        }
        return encoding
    }

    private static func ones(_ ids: [Int]) -> [Int] { [Int](repeating: 1, count: ids.count) }

    private func encode(_ text: String, truncation: Truncation?, addSpecialTokens: Bool) -> [Int] {
        guard let truncation else { return encode(text, addSpecialTokens: addSpecialTokens) }
        // Special tokens stay: the text gives way to them.
        let added = addSpecialTokens ? postProcessor.addedCount : 0
        let ids = truncation.cut(tokenize(text), to: truncation.length - added)
        let processed = postProcessor.process(ids, addSpecialTokens: addSpecialTokens)
        return truncation.cut(processed, to: truncation.length)
    }
}
