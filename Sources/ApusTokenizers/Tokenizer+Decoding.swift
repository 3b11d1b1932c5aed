extension Tokenizer {
    /// The text of ids; ids that there are not are passed over.
    ///
    /// As `Tokenizer.decode` of the Python package `tokenizers`: the `clean_up_tokenization_spaces` of transformers,
    /// which drops spaces before punctuation and so loses what the model wrote, is not applied.
    public func decode(_ ids: [Int], skipSpecialTokens: Bool = false) -> String {
        var pipeline = DecoderPipeline(decoder)
        var text: [UInt8] = []
        for id in ids {
            if let token = tokenToDecode(id, skipSpecialTokens: skipSpecialTokens) {
                pipeline.append(token, to: &text)
            }
        }
        pipeline.finish(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The texts of several sequences of ids.
    public func batchDecode(_ batch: [[Int]], skipSpecialTokens: Bool = false) -> [String] {
        batch.map { decode($0, skipSpecialTokens: skipSpecialTokens) }
    }

    func tokenToDecode(_ id: Int, skipSpecialTokens: Bool) -> [UInt8]? {
        if skipSpecialTokens, let id = UInt32(exactly: id), specialIDs.contains(id) { return nil }
        return bytes(for: id)
    }
}
