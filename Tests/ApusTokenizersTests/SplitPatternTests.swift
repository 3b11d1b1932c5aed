import ApusJSON
import ApusTokenizers
import Testing

/// The split patterns with a scanner of their own against the regular-expression engine.
@Suite struct SplitPatternTests {
    private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    private static func cl100k(_ numbers: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// GPT-2's fixture with its pre-tokenizer replaced.
    private static func tokenizer(_ pattern: String, behavior: String = "Isolated") throws -> Tokenizer {
        let base = try TokenizerFixtures.json("gpt2/tokenizer.json")
        let split: JSONValue = [
            "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": .string(behavior), "invert": false,
        ]
        let bytes: JSONValue = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false]
        var root = try #require(base.object)
        root.append("pre_tokenizer", ["type": "Sequence", "pretokenizers": [split, bytes]])
        return try TokenizerFixtures.load(JSONValue.object(root).serialized)
    }

    private static func randomText() -> String {
        let units: [String] = [
            " ", "  ", "\t", "\n", "\r\n", "\u{3000}", "\u{85}", "a", "Z", "é", "中", "ſ", "'", "'s", "'LL", "'Re", "1",
            "23", "½", "٣", ".", "!?", "😀", "\u{301}", "_", "\u{0}", "\u{10FFFF}",
        ]
        return (0..<Int.random(in: 0..<30)).map { _ in units[Int.random(in: 0..<units.count)] }.joined()
    }

    @Test(arguments: [gpt2, cl100k(#"\p{N}{1,3}"#), cl100k(#"\p{N}"#)])
    func scannersAgreeWithTheEngine(_ pattern: String) throws {
        let byHand = try Self.tokenizer(pattern)
        let byEngine = try Self.tokenizer("(?:\(pattern))")
        for _ in 0..<3_000 {
            let text = Self.randomText()
            #expect(byHand.encode(text) == byEngine.encode(text), "\(text.debugDescription)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func noPatternTakesExponentialTime() throws {
        for pattern in ["(a+)+b", "(a|a)*b", "(?:a?){30}a{30}b", "(a*)*$b", "(?=(a+)+b)a"] {
            let tokenizer = try Self.tokenizer(pattern)
            let text = String(repeating: "a", count: 300)
            #expect(tokenizer.decode(tokenizer.encode(text)) == text)
        }
    }

    @Test(arguments: [
        "(", ")", "[a", "a{2,1}", "*", #"\p{Nonsense}"#, #"\p{L"#, #"(a)\1"#, "(?<=a+)b", "[z-a]", "a{200000}",
        "(?:(?:a{1000}b){1000}c){1000}", #"\x{110000}"#, "(?~a)", #"\"#, "[[:nonsense:]]",
        String(repeating: "(", count: 1_000) + String(repeating: ")", count: 1_000),
    ])
    func refuses(_ pattern: String) {
        let error = #expect(throws: TokenizerError.self) { try Self.tokenizer(pattern) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("pretokenizers[0].pattern.Regex") == true)
    }
}
