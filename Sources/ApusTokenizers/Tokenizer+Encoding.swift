extension Tokenizer {
    /// The ids of a text.
    ///
    /// Special tokens that stand in the text itself are recognized, unless tokenizer_config.json has
    /// `split_special_tokens`; `addSpecialTokens` says whether those of the model's template (a start of text, say)
    /// are put around it.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int] {
        let ids = tokenize(text)
        return postProcessor.process(ids, addSpecialTokens: addSpecialTokens)
    }

    /// Two texts as one, as models of pairs want them.
    public func encode(_ text: String, pair: String, addSpecialTokens: Bool = true) -> PairEncoding {
        postProcessor.process(tokenize(text), tokenize(pair), addSpecialTokens: addSpecialTokens)
    }

    /// The ids of a text without what the post-processor adds.
    func tokenize(_ text: String) -> [Int] {
        var text = text
        return text.withUTF8 { utf8 in
            var ids: [Int] = []
            ids.reserveCapacity(utf8.count / 3)
            for segment in added.segments(of: utf8, isNormalized: false) {
                switch segment {
                case .token(let id): ids.append(Int(id))
                case .text(let range): tokenize(utf8, range, into: &ids)
                }
            }
            return ids
        }
    }

    /// The same with tokens that stand in the text as text.
    func tokenizePlain(_ text: String) -> [Int] {
        var text = text
        return text.withUTF8 { utf8 in
            var ids: [Int] = []
            append(normalized(Array(utf8)), isAtStart: true, to: &ids)
            return ids
        }
    }

    private func tokenize(_ text: UTF8Text, _ range: Range<Int>, into ids: inout [Int]) {
        let bytes = normalized(Array(text[range]))
        let segments = bytes.withUnsafeBufferPointer { added.segments(of: $0, isNormalized: true) }
        for segment in segments {
            switch segment {
            case .token(let id): ids.append(Int(id))
            case .text(let part):
                let isAtStart = range.lowerBound == 0 && part.lowerBound == 0
                append(part.count == bytes.count ? bytes : Array(bytes[part]), isAtStart: isAtStart, to: &ids)
            }
        }
    }

    private func normalized(_ bytes: [UInt8]) -> [UInt8] { normalizer?.normalize(bytes) ?? bytes }

    /// Normalized text without added tokens.
    private func append(_ bytes: [UInt8], isAtStart: Bool, to ids: inout [Int]) {
        var pieces = PreTokenizedText(bytes, isAtStart: isAtStart)
        preTokenizer?.preTokenize(&pieces)
        model.tokenize(pieces, into: &ids)
    }
}
