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
        case "Punctuation": return PunctuationPreTokenizer(behavior: try SplitBehavior(self, default: .isolated))
        default: throw try unsupportedType("pre-tokenizer")
        }
    }
}
