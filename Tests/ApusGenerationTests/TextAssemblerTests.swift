import ApusGeneration
import ApusTestSupport
import ApusTokenizers
import Testing

@Suite struct TextAssemblerTests {
    private func tokenizer(_ name: String) throws -> Tokenizer {
        try AutoTokenizer.from(pretrained: "\(fixtures)/Tokenizers/\(name)")
    }

    private func text(_ tokenizer: Tokenizer, _ prompt: [Int], _ ids: [Int], stops: [String] = []) -> String {
        var assembler = TextAssembler(tokenizer, prompt: prompt, stopStrings: stops)
        var text = ""
        for (index, id) in ids.enumerated() {
            let settled = assembler.append(id, isLast: index == ids.count - 1)
            text += settled.text
            if settled.stopped { break }
        }
        return text
    }

    /// Words of Llama 2 lose their space where they are decoded on their own.
    @Test func keepsTheSpaceBetweenPromptAndContinuation() throws {
        let tokenizer = try tokenizer("llama2")
        let prompt = tokenizer.encode("the")
        let words = tokenizer.encode("the the", addSpecialTokens: false)
        #expect(tokenizer.decode(words) == "the the")
        #expect(text(tokenizer, prompt, words) == " the the")
        #expect(text(tokenizer, [], words) == "the the")
        let start = try #require(tokenizer.bosTokenID ?? tokenizer.id(for: "<s>"))
        #expect(text(tokenizer, [start], words) == "the the")
    }

    @Test(arguments: ["llama2", "llama3", "gpt2"])
    func promptAndContinuationJoin(_ name: String) throws {
        let tokenizer = try tokenizer(name)
        var random = SplitMix64(seed: 3)
        for _ in 0..<1000 {
            // Low ids are bytes, which make half characters.
            let limit = random.below(2) == 0 ? 260 : tokenizer.vocabularySize
            func ids(_ count: Int) -> [Int] { (0..<random.below(count)).map { _ in random.below(limit) } }
            let (prompt, continuation) = (ids(12), ids(12))
            let whole = Array(tokenizer.decode(prompt + continuation, skipSpecialTokens: true).utf8)
            let start = Array(tokenizer.decode(prompt, skipSpecialTokens: true).utf8)
            let rest = Array(text(tokenizer, prompt, continuation).utf8)
            guard continuation.count > 0 else { continue }
            if whole.starts(with: start) {
                #expect(rest == Array(whole[start.count...]), "\(prompt) \(continuation)")
            } else {
                // The prompt ends in the middle of a character.
                #expect(whole.suffix(rest.count).elementsEqual(rest), "\(prompt) \(continuation)")
            }
        }
    }

    @Test func cutsBehindTheStopStringWhateverTokenHoldsIt() throws {
        let tokenizer = try tokenizer("gpt2")
        let ids = tokenizer.encode("Hello world, hello again")
        #expect(text(tokenizer, [], ids, stops: ["wor"]) == "Hello wor")
        #expect(text(tokenizer, [], ids, stops: ["o w", "d,"]) == "Hello w")
        #expect(text(tokenizer, ids, ids, stops: ["againHel"]) == "Hel")
        #expect(text(tokenizer, [], ids, stops: ["absent"]) == "Hello world, hello again")
    }

    @Test func cutsHalfACharacterBehindTheStopString() throws {
        let tokenizer = try tokenizer("gpt2")
        let half = try #require(tokenizer.id(for: "Ã"))
        let a = try #require(tokenizer.id(for: "a"))
        #expect(text(tokenizer, [], [a, half], stops: ["zz"]) == "a\u{FFFD}")
        // A token of two bytes, the second of which begins a character.
        for id in 0..<tokenizer.vocabularySize {
            let piece = TokenPieces(tokenizer).piece(of: id) ?? []
            guard piece.count > 1, String(validating: piece, as: UTF8.self) == nil, piece[0] < 0x80 else { continue }
            let first = String(decoding: piece.prefix(1), as: UTF8.self)
            #expect(text(tokenizer, [], [id], stops: [first]) == first)
        }
    }
}
