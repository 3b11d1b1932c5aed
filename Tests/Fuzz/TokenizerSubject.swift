import ApusTokenizers

/// `tokenizer.json` and the files beside it: what loads must also encode and decode.
struct TokenizerSubject: FuzzSubject {
    private static let texts = [
        "", "Hello, world! It's 12345 o'clock.", "  leading,\t\n\n trailing \u{3000} ", "日本語 é e\u{301} 👩‍👩‍👧‍👦 🇫🇷 ½ ﬁ",
        "\u{0}\u{1}\u{7F}\u{FFFD}\u{10FFFF}", "<s>x</s><unk> <|endoftext|><|begin_of_text|> <tool> x",
        String(repeating: "a", count: 400), String(repeating: " ", count: 200) + "b",
        String(repeating: "ab1 ", count: 60),
    ]

    func exercise(_ directory: String) throws {
        let tokenizer = try AutoTokenizer.from(pretrained: directory)
        for text in Self.texts {
            let ids = tokenizer.encode(text)
            _ = tokenizer.encode(text, addSpecialTokens: false)
            let decoded = tokenizer.decode(ids)
            _ = tokenizer.decode(ids, skipSpecialTokens: true)
            _ = tokenizer.tokens(for: ids)
            // One id can stand for a long token, but not without end.
            guard ids.count <= 1000 * (text.utf8.count + 10), decoded.utf8.count <= 1_000_000 * (ids.count + 1) else {
                throw FuzzFinding(description: "\(text.utf8.count) bytes became \(ids.count) tokens")
            }
        }
        _ = tokenizer.decode([0, 1, 2, 299, 399, 1_000_000, -1, .max, .min])
        var stream = StreamingDecoder(tokenizer, skipSpecialTokens: true)
        for id in [5, 260, -1, 300, .max, 7] { _ = stream.append(id) }
        _ = stream.finish()
        if tokenizer.padTokenID != nil { _ = try tokenizer.pad([[1], [1, 2, 3]], Padding(multiple: 8)) }
    }
}
