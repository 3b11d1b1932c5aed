/// Decodes ids as they come, one at a time.
///
/// What it returns is settled: it holds back half characters and whatever a later token could still change, so that
/// all that it returned, with ``finish()``, is exactly ``Tokenizer/decode(_:skipSpecialTokens:)`` of all ids. With
/// byte fallback (Llama 2), a run of byte tokens is held back to its end, because one wrong byte spoils all of it.
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var pipeline: DecoderPipeline

    public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = false) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        pipeline = DecoderPipeline(tokenizer.decoder)
    }

    /// Takes the next id and returns the text that it settled, which may be empty.
    public mutating func append(_ id: Int) -> String {
        guard let token = tokenizer.tokenToDecode(id, skipSpecialTokens: skipSpecialTokens) else { return "" }
        var text: [UInt8] = []
        pipeline.append(token, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns what was held back. The decoder is then as new.
    public mutating func finish() -> String {
        var text: [UInt8] = []
        pipeline.finish(into: &text)
        pipeline = DecoderPipeline(tokenizer.decoder)
        return String(decoding: text, as: UTF8.self)
    }
}
