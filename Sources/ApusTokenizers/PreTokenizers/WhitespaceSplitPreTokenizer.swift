/// Cuts at white space and drops it.
struct WhitespaceSplitPreTokenizer: PreTokenizer {
    func preTokenize(_ text: inout PreTokenizedText) {
        text.split(.removed) { ScalarClasses.rust.contains(ScalarClasses.rustSpace, $0) }
    }
}
