/// Cuts at punctuation.
struct PunctuationPreTokenizer: PreTokenizer {
    let behavior: SplitBehavior

    func preTokenize(_ text: inout PreTokenizedText) {
        text.split(behavior) { ScalarClasses.rust.contains(ScalarClasses.rustPunctuation, $0) }
    }
}
