/// GPT-2's pre-tokenizer: cuts by its pattern, then writes bytes in its alphabet.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    let usesPattern: Bool
    /// False where the model reads bytes itself.
    private(set) var writesAlphabet = true

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        addsPrefixSpace = try configuration.bool("add_prefix_space", default: true)
        usesPattern = try configuration.bool("use_regex", default: true)
    }

    func preTokenize(_ text: inout PreTokenizedText) {
        if addsPrefixSpace {
            text.rewrite { piece, _, rewritten in
                if piece.first != 0x20 { rewritten.append(0x20) }
                rewritten.append(contentsOf: piece)
            }
        }
        if usesPattern {
            text.split { text, piece, pieces in
                TextPattern.words(.gpt2).forEachMatch(in: text, part: piece) { pieces.append($0) }
            }
        }
        guard writesAlphabet else { return }
        text.rewrite { piece, _, rewritten in
            for byte in piece { rewritten.append(scalar: ByteAlphabet.scalars[Int(byte)]) }
        }
    }
}

/// A pre-tokenizer that may end by writing bytes in GPT-2's alphabet.
protocol ByteLevelTail {
    /// The same without that last step, for a model that reads bytes; `nil` if it has no such step.
    var leavingBytes: (any PreTokenizer)? { get }
}

extension ByteLevelPreTokenizer: ByteLevelTail {
    var leavingBytes: (any PreTokenizer)? {
        var copy = self
        copy.writesAlphabet = false
        return copy
    }
}
