/// Puts what a model wants around an encoded text.
protocol PostProcessor: Sendable {
    /// How many special tokens are added to a text.
    var addedCount: Int { get }

    func process(_ ids: [Int], addSpecialTokens: Bool) -> [Int]
}

extension ComponentConfiguration {
    func postProcessor() throws(TokenizerError) -> any PostProcessor {
        switch try type() {
        case "Sequence": return try PostProcessorSequence(self)
        case "TemplateProcessing": return try TemplatePostProcessor(self)
        case "ByteLevel": return ByteLevelPostProcessor()
        default: throw try unsupportedType("post-processor")
        }
    }
}
