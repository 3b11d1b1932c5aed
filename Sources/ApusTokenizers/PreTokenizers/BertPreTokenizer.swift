/// Cuts at white space, which is dropped, and around every punctuation mark.
struct BertPreTokenizer: PreTokenizer {
    func preTokenize(_ text: inout PreTokenizedText) {
        WhitespaceSplitPreTokenizer().preTokenize(&text)
        PunctuationPreTokenizer(behavior: .isolated).preTokenize(&text)
    }
}
