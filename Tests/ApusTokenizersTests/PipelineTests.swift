import ApusJSON
import ApusTokenizers
import Testing

@Suite struct PipelineTests {
    @Test(arguments: TokenizerFixtures.pipelines)
    func encodesAndDecodesAsTheReference(_ name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let cases = try #require(try TokenizerFixtures.json("\(name)/expected.json").array)
        #expect(cases.count == 300)
        for entry in cases {
            let text = try #require(entry["text"]?.string)
            #expect(tokenizer.encode(text) == (try TokenizerFixtures.ids(entry["ids"])), "\(text.debugDescription)")
            #expect(
                tokenizer.encode(text, addSpecialTokens: false) == (try TokenizerFixtures.ids(entry["plain"])),
                "\(text.debugDescription)")
            let ids = try TokenizerFixtures.ids(entry["decode"])
            let decoded = try #require(entry["decoded"]?.string)
            let skipped = try #require(entry["skipped"]?.string)
            #expect(tokenizer.decode(ids).utf8.elementsEqual(decoded.utf8), "\(ids)")
            #expect(tokenizer.decode(ids, skipSpecialTokens: true).utf8.elementsEqual(skipped.utf8), "\(ids)")
        }
    }

    @Test(arguments: TokenizerFixtures.others)
    func encodesAndDecodesOtherFilesAsTheirReferences(_ name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let cases = try #require(try TokenizerFixtures.json("\(name)/expected.json").array)
        #expect(cases.count == 150)
        for entry in cases {
            let text = try #require(entry["text"]?.string)
            #expect(tokenizer.encode(text) == (try TokenizerFixtures.ids(entry["ids"])), "\(text.debugDescription)")
            let ids = try TokenizerFixtures.ids(entry["decode"])
            let decoded = try #require(entry["decoded"]?.string)
            #expect(tokenizer.decode(ids).utf8.elementsEqual(decoded.utf8), "\(ids)")
        }
    }

    @Test func namesTokensAndEnds() throws {
        let llama = try TokenizerFixtures.tokenizer("llama2")
        #expect(llama.bosTokenID == 1)
        #expect(llama.eosTokenID == 2)
        #expect(llama.unkTokenID == 0)
        #expect(llama.padTokenID == nil)
        #expect(llama.paddingSide == .right)
        #expect(llama.vocabularySize == 640)
        #expect(llama.id(for: "<0x0A>") == 13)
        #expect(llama.token(for: 13) == "<0x0A>")
        #expect(llama.token(for: 640) == nil)
        #expect(llama.token(for: -1) == nil)
        #expect(llama.token(for: .max) == nil)
        let gpt = try TokenizerFixtures.tokenizer("gpt2")
        #expect(gpt.tokens(for: gpt.encode(" the")) == ["Ġthe"])
        #expect(gpt.padTokenID == 0)
        #expect(gpt.paddingSide == .left)
        // An end written as an object, and a token that the model's own vocabulary lacks.
        let llama3 = try TokenizerFixtures.tokenizer("llama3")
        #expect(llama3.eosTokenID == 641)
        #expect(llama3.vocabularySize == 647)
    }

    @Test func tellsCanonicallyEquivalentTextsApart() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let ids = tokenizer.encode("e\u{301}")
        #expect(ids != tokenizer.encode("\u{e9}"))
        #expect(tokenizer.decode(ids).unicodeScalars.count == 2)
    }

    @Test(.timeLimit(.minutes(1)), arguments: TokenizerFixtures.pipelines, ["a", " ", "\n", "é", "👍", " a", "\u{301}"])
    func staysFastOnLongRuns(_ name: String, _ unit: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        let text = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8))
    }

    @Test func sharesItsCacheBetweenTasks() async throws {
        let tokenizer = try TokenizerFixtures.tokenizer("llama3")
        let texts = (0..<200).map { "def function\($0)(self): return \($0 * 7919) or Größe" }
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { texts.map { tokenizer.encode($0) } == expected } }
            for await isEqual in group { #expect(isEqual) }
        }
    }
}
