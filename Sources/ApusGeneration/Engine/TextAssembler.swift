package import ApusTokenizers

/// Turns a sequence's new tokens into text as they come, and finds stop strings.
///
/// The text is what the new tokens add to that of the prompt: both joined are the text of all tokens. Decoded on their own,
/// tokens of some tokenizers would lose their first space.
package struct TextAssembler: Sendable {
    private var decoder: StreamingDecoder
    private let pieces: TokenPieces
    private var stopStrings: StopStringMatcher
    /// The end of the prompt's text that its last tokens leave open; the decoder gives it out with the next ones.
    private var open: Substring.UnicodeScalarView

    package init(_ tokenizer: Tokenizer, prompt: [Int], stopStrings: [String]) {
        decoder = StreamingDecoder(tokenizer, skipSpecialTokens: true)
        for id in prompt { _ = decoder.append(id) }
        var ending = decoder
        open = ending.finish()[...].unicodeScalars
        pieces = TokenPieces(tokenizer)
        self.stopStrings = StopStringMatcher(stopStrings, pieces: pieces, prompt: prompt)
    }

    /// The text that a token settles, cut at the end of the stop string if there is one, and whether there is.
    package mutating func append(_ token: Int, isLast: Bool) -> (text: String, stopped: Bool) {
        let piece = stopStrings.isEmpty ? nil : pieces.piece(of: token)
        let overhang = stopStrings.feed(piece)
        var text = decoder.append(token)
        if isLast || overhang != nil { text += decoder.finish() }
        text = withoutPrompt(text)
        guard let overhang, let piece else { return (text, false) }
        // A special token is left out of the text, and its overhang with it. Half a character is written as one.
        let rest = String(decoding: piece.suffix(overhang), as: UTF8.self).utf8
        if !pieces.isSpecial(token), text.utf8.reversed().starts(with: rest.reversed()) {
            text = String(decoding: text.utf8.dropLast(rest.count), as: UTF8.self)
        }
        return (text, true)
    }

    /// Takes away what belongs to the prompt, as far as new tokens have made nothing else of it.
    private mutating func withoutPrompt(_ text: String) -> String {
        guard !open.isEmpty, !text.isEmpty else { return text }
        let common = zip(text.unicodeScalars, open).prefix { $0 == $1 }.count
        open = common == text.unicodeScalars.count ? open.dropFirst(common) : Substring.UnicodeScalarView()
        return String(text.unicodeScalars.dropFirst(common))
    }
}
