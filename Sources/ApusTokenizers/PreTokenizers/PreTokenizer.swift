/// Cuts normalized text into the pieces that the model tokenizes one by one.
protocol PreTokenizer: Sendable {
    func preTokenize(_ text: inout PreTokenizedText)
}

extension ComponentConfiguration {
    func preTokenizer() throws(TokenizerError) -> any PreTokenizer {
        switch try type() {
        case "Sequence": return try PreTokenizerSequence(self)
        case "ByteLevel": return try ByteLevelPreTokenizer(self)
        case "Split": return try SplitPreTokenizer(self)
        case "Metaspace": return MetaspacePreTokenizer(metaspace: try Metaspace(self))
        case "Digits": return DigitsPreTokenizer(isolatesDigits: try bool("individual_digits"))
        case "Whitespace": return WhitespacePreTokenizer()
        case "WhitespaceSplit": return WhitespaceSplitPreTokenizer()
        case "BertPreTokenizer": return BertPreTokenizer()
        case "CharDelimiterSplit": return DelimiterPreTokenizer(delimiter: try scalar("delimiter"))
        case "UnicodeScripts": return ScriptsPreTokenizer()
        case "FixedLength":
            let length = try natural("length")
            guard length > 0 else { throw .malformed("\(place).length must be at least 1") }
            return FixedLengthPreTokenizer(length: Int(length))
        case "Punctuation": return PunctuationPreTokenizer(behavior: try SplitBehavior(self, default: .isolated))
        default: throw try unsupportedType("pre-tokenizer")
        }
    }
}
