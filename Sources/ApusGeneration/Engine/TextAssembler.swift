import ApusTokenizers

/// Turns a sequence's tokens into text as they come, and finds stop strings in it.
struct TextAssembler: Sendable {
    private var decoder: StreamingDecoder
    private var stopStrings: StopStringMatcher

    init(_ tokenizer: Tokenizer, stopStrings: [String]) {
        decoder = StreamingDecoder(tokenizer, skipSpecialTokens: true)
        self.stopStrings = StopStringMatcher(stopStrings)
    }

    /// The text that a token settles, cut at the end of the first stop string, and whether there was one.
    mutating func append(_ token: Int, isLast: Bool) -> (text: String, stopped: Bool) {
        var text = decoder.append(token)
        if isLast { text += decoder.finish() }
        guard let end = stopStrings.feed(text) else { return (text, false) }
        return (String(decoding: text.utf8.prefix(end), as: UTF8.self), true)
    }
}
