import ApusJSON
import ApusTokenizers
import Testing

@Suite struct StreamingDecoderTests {
    static func expectSame(_ tokenizer: Tokenizer, _ ids: [Int]) {
        for skips in [false, true] {
            var decoder = StreamingDecoder(tokenizer, skipSpecialTokens: skips)
            var streamed = ids.reduce(into: "") { $0 += decoder.append($1) }
            streamed += decoder.finish()
            let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
            #expect(streamed.utf8.elementsEqual(whole.utf8), "\(ids)")
        }
    }

    @Test(arguments: TokenizerFixtures.pipelines)
    func streamsWhatItDecodes(_ name: String) throws {
        let tokenizer = try TokenizerFixtures.tokenizer(name)
        for entry in try #require(try TokenizerFixtures.json("\(name)/expected.json").array) {
            Self.expectSame(tokenizer, try TokenizerFixtures.ids(entry["decode"]))
        }
        for _ in 0..<500 {
            // Low ids are bytes, which make half characters.
            let limit = Bool.random() ? 260 : tokenizer.vocabularySize
            Self.expectSame(tokenizer, (0..<Int.random(in: 0..<40)).map { _ in Int.random(in: 0..<limit) })
        }
    }

    @Test func holdsBackHalfCharacters() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        var decoder = StreamingDecoder(tokenizer)
        let pieces = try "ðŁĺĢx".unicodeScalars.map { try #require(tokenizer.id(for: String($0))) }
        #expect(pieces.map { decoder.append($0) } == ["", "", "", "😀", "x"])
        #expect(decoder.append(pieces[0]) == "")
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(decoder.append(pieces[4]) == "x")
    }

    @Test func holdsBackRunsOfBytes() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("llama2")
        func id(_ token: String) throws -> Int { try #require(tokenizer.id(for: token)) }
        var decoder = StreamingDecoder(tokenizer)
        #expect(decoder.append(try id("▁")) == "")
        #expect(decoder.append(try id("a")) == "a")
        #expect(decoder.append(try id("<0xC3>")) == "")
        #expect(decoder.append(try id("<0xA9>")) == "")
        #expect(decoder.append(try id("b")) == "éb")
        #expect(decoder.append(try id("<0xC3>")) == "")
        #expect(decoder.finish() == "\u{FFFD}")
    }

    @Test func copiesAreIndependent() throws {
        let tokenizer = try TokenizerFixtures.tokenizer("gpt2")
        let half = try #require(tokenizer.id(for: "Ã"))
        var first = StreamingDecoder(tokenizer)
        #expect(first.append(half) == "")
        var second = first
        #expect(second.finish() == "\u{FFFD}")
        #expect(first.append(try #require(tokenizer.id(for: "©"))) == "é")
    }
}
