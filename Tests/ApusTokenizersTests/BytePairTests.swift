import ApusJSON
import ApusTokenizers
import Testing

@Suite struct BytePairTests {
    /// Merges as the definition has it: the lowest rank anywhere, the leftmost of equals, again and again.
    private static func reference(_ word: String, _ merges: [(String, String)]) -> [String] {
        var symbols = word.map(String.init)
        while true {
            var best: (rank: Int, place: Int)?
            for place in symbols.indices.dropLast() {
                let rank = merges.firstIndex { $0 == (symbols[place], symbols[place + 1]) }
                if let rank, rank < best?.rank ?? .max { best = (rank, place) }
            }
            guard let best else { return symbols }
            symbols.replaceSubrange(best.place...best.place + 1, with: [symbols[best.place] + symbols[best.place + 1]])
        }
    }

    @Test func mergesByRank() throws {
        for _ in 0..<60 {
            var tokens = ["a", "b", "c", "d"]
            var merges: [(String, String)] = []
            for _ in 0..<30 {
                let pair = (tokens.randomElement() ?? "a", tokens.randomElement() ?? "b")
                guard !merges.contains(where: { $0 == pair }), (pair.0 + pair.1).count < 12 else { continue }
                merges.append(pair)
                if !tokens.contains(pair.0 + pair.1) { tokens.append(pair.0 + pair.1) }
            }
            let root: JSONValue = [
                "model": [
                    "vocab": .object(JSONObject(tokens.enumerated().map { .init(key: $1, value: .integer($0)) })),
                    "merges": .array(merges.map { [.string($0.0), .string($0.1)] }),
                ]
            ]
            let tokenizer = try TokenizerFixtures.load(root.serialized)
            // Short words are scanned, long ones are queued.
            for length in [0, 1, 2, 5, 20, 40, 41, 100, 130, 200] {
                let word = String((0..<length).map { _ in "abcd".randomElement() ?? "a" })
                let expected = Self.reference(word, merges)
                #expect(tokenizer.tokens(for: tokenizer.encode(word)) == expected)
                #expect(tokenizer.tokens(for: tokenizer.encode(word)) == expected)
            }
        }
    }

    @Test func readsBothFormsOfMerges() throws {
        let lines = try TokenizerFixtures.load(TokenizerFixtures.tiny(merges: ##""#version: 0.2", "a b", "ab c""##))
        let pairs = try TokenizerFixtures.load(TokenizerFixtures.tiny(merges: #"["a", "b"], ["ab", "c"]"#))
        #expect(lines.encode("abcab") == [9, 8])
        #expect(pairs.encode("abcab") == [9, 8])
    }

    @Test func takesWholeWordsWhereMergesAreIgnored() throws {
        let tokenizer = try TokenizerFixtures.load(TokenizerFixtures.tiny(model: #""ignore_merges":true,"#, merges: ""))
        #expect(tokenizer.encode("abc") == [9])
        #expect(tokenizer.encode("abca") == [0, 1, 2, 0])
    }

    @Test func marksUnknownCharacters() throws {
        let plain = try TokenizerFixtures.load(TokenizerFixtures.tiny(model: #""unk_token":"<unk>","#))
        #expect(plain.encode("axyb") == [0, 11, 11, 1])
        let fused = try TokenizerFixtures.load(
            TokenizerFixtures.tiny(model: #""unk_token":"<unk>","fuse_unk":true,"#))
        #expect(fused.encode("axyb") == [0, 11, 1])
        #expect(try TokenizerFixtures.load(TokenizerFixtures.tiny()).encode("axyb") == [8])
    }
}
