import ApusTokenizers
import Testing

@Suite struct BatchTests {
    private let tokenizer: Tokenizer

    init() throws {
        tokenizer = try TokenizerFixtures.load(
            TokenizerFixtures.tiny(
                """
                "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"h","type_id":0}},
                {"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"h":{"id":"h","ids":[7],"tokens":["h"]}}},
                """), configuration: #"{"pad_token":"g","padding_side":"left"}"#)
    }

    @Test func encodesWithoutPadding() throws {
        let batch = try tokenizer(["abcd", "", "e"])
        #expect(batch.inputIDs == [[7, 9, 3], [7], [7, 4]])
        #expect(batch.attentionMask == [[1, 1, 1], [1], [1, 1]])
        #expect(try tokenizer(["abcd"], addSpecialTokens: false).inputIDs == [[9, 3]])
        #expect(try tokenizer([], padding: .longest) == BatchEncoding(inputIDs: [], attentionMask: []))
    }

    @Test func pads() throws {
        let left = try tokenizer(["abcd", "e"], padding: .longest)
        #expect(left.inputIDs == [[7, 9, 3], [6, 7, 4]])
        #expect(left.attentionMask == [[1, 1, 1], [0, 1, 1]])
        let right = try tokenizer(["abcd", "e"], padding: Padding(.longest, multiple: 4, side: .right, tokenID: 5))
        #expect(right.inputIDs == [[7, 9, 3, 5], [7, 4, 5, 5]])
        #expect(right.attentionMask == [[1, 1, 1, 0], [1, 1, 0, 0]])
        #expect(try tokenizer(["e"], padding: Padding(.fixed(3))).inputIDs == [[6, 7, 4]])
        #expect(try tokenizer(["e"], padding: Padding(.fixed(3), multiple: 2)).inputIDs == [[6, 6, 7, 4]])
        #expect(try tokenizer(["abcd"], padding: Padding(.fixed(1))).inputIDs == [[7, 9, 3]])
    }

    @Test func truncates() throws {
        #expect(try tokenizer(["defgh"], truncation: Truncation(to: 3)).inputIDs == [[7, 3, 4]])
        #expect(try tokenizer(["defgh"], truncation: Truncation(to: 3, side: .left)).inputIDs == [[7, 6, 7]])
        #expect(try tokenizer(["defgh"], truncation: Truncation(to: 1)).inputIDs == [[7]])
        #expect(try tokenizer(["defgh"], truncation: Truncation(to: 0)).inputIDs == [[]])
        #expect(try tokenizer(["defgh"], truncation: Truncation(to: -5)).inputIDs == [[]])
        let plain = try tokenizer(["defgh"], truncation: Truncation(to: 2), addSpecialTokens: false)
        #expect(plain.inputIDs == [[3, 4]])
    }

    @Test func needsATokenToPadWith() throws {
        let tokenizer = try TokenizerFixtures.load(TokenizerFixtures.tiny())
        #expect(throws: TokenizerError.self) { try tokenizer(["abcd", "e"], padding: .longest) }
        #expect(try tokenizer(["d", "e"], padding: .longest).inputIDs == [[3], [4]])
    }

    @Test func decodesBatches() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let texts = ["def f(x):", "", "größer"]
        #expect(tokenizer.batchDecode(try tokenizer(texts).inputIDs) == texts)
        let padded = try tokenizer(texts, padding: Padding(.longest, multiple: 8))
        #expect(padded.inputIDs.allSatisfy { $0.count == padded.inputIDs[0].count && $0.count % 8 == 0 })
        #expect(tokenizer.batchDecode(padded.inputIDs, skipSpecialTokens: true) == texts)
    }
}
