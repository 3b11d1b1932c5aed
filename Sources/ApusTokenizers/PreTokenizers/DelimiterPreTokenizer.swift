/// Cuts at one character, which is dropped.
struct DelimiterPreTokenizer: PreTokenizer {
    let delimiter: Unicode.Scalar

    func preTokenize(_ text: inout PreTokenizedText) { text.split(.removed) { $0 == delimiter.value } }
}
