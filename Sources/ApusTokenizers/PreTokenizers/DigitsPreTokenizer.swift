/// Keeps numbers apart from what surrounds them.
struct DigitsPreTokenizer: PreTokenizer {
    let isolatesDigits: Bool

    func preTokenize(_ text: inout PreTokenizedText) {
        text.split(isolatesDigits ? .isolated : .contiguous) {
            ScalarClasses.rust.contains(ScalarClasses.rustNumeric, $0)
        }
    }
}
