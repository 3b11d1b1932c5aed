/// Several pre-tokenizers, each applied to the pieces of the one before.
struct PreTokenizerSequence: PreTokenizer {
    private(set) var preTokenizers: [any PreTokenizer]

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        var preTokenizers: [any PreTokenizer] = []
        for component in try configuration.components("pretokenizers") {
            preTokenizers.append(try component.preTokenizer())
        }
        self.preTokenizers = preTokenizers
    }

    func preTokenize(_ text: inout PreTokenizedText) {
        for preTokenizer in preTokenizers { preTokenizer.preTokenize(&text) }
    }
}

extension PreTokenizerSequence: ByteLevelTail {
    var leavingBytes: (any PreTokenizer)? {
        guard let tail = preTokenizers.last as? any ByteLevelTail, let last = tail.leavingBytes else { return nil }
        var sequence = self
        sequence.preTokenizers[preTokenizers.count - 1] = last
        return sequence
    }
}
