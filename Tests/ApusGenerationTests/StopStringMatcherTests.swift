import ApusGeneration
import ApusTestSupport
import Testing

@Suite struct StopStringMatcherTests {
    /// Text up to and with the first stop string, the pieces being what tokens give.
    private func text(_ stops: [String], _ pieces: [String]) -> String? {
        var matcher = StopStringMatcher(stops)
        var text: [UInt8] = []
        for piece in pieces {
            text += piece.utf8
            if let behind = matcher.feed(Array(piece.utf8)) {
                return String(decoding: text.dropLast(behind), as: UTF8.self)
            }
        }
        return nil
    }

    @Test func findsStopsWithinAndAcrossPieces() {
        #expect(text(["END"], ["a END b"]) == "a END")
        #expect(text(["END"], ["a E", "N", "D b"]) == "a END")
        #expect(text(["END"], ["a E", "N", "d b"]) == nil)
        #expect(text(["aab"], ["aa", "ab"]) == "aaab")
        #expect(text(["\n\n"], ["x\n", "", "\ny"]) == "x\n\n")
        #expect(text([], ["x"]) == nil)
        #expect(text([""], ["x"]) == nil)
    }

    @Test func takesTheStopThatEndsFirst() {
        #expect(text(["world", "lo"], ["hello world"]) == "hello")
        #expect(text(["hello w", "ello"], ["hello world"]) == "hello")
    }

    @Test func comparesBytes() {
        #expect(text(["\u{e9}"], ["e\u{301}x"]) == nil)
        #expect(text(["\n"], ["a\r\nb"]) == "a\r\n")
        #expect(text(["👍"], ["a👍🏽"]) == "a👍")
    }

    @Test func anyCutGivesTheSameText() {
        var random = SplitMix64(seed: 5)
        for _ in 0..<2000 {
            func word(_ length: Int) -> String { String((0..<length).map { _ in random.below(2) == 0 ? "a" : "b" }) }
            let whole = word(random.below(30))
            let stops = (0...random.below(3)).map { _ in word(random.below(5) + 1) }
            var pieces: [String] = []
            var rest = Substring(whole)
            while !rest.isEmpty {
                let length = random.below(4)
                pieces.append(String(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            let expected = whole.indices.map { String(whole[...$0]) }.first { part in
                stops.contains { part.hasSuffix($0) }
            }
            #expect(text(stops, pieces) == expected)
        }
    }

    @Test func aStopMayBeginInThePromptAndNotEndThere() {
        var matcher = StopStringMatcher(["cat sat"])
        matcher.skip(Array("the cat sat".utf8))
        #expect(matcher.feed(Array(" on".utf8)) == nil)
        var other = StopStringMatcher(["cat sat"])
        other.skip(Array("the cat".utf8))
        #expect(other.feed(Array(" sated".utf8)) == 2)
    }

    @Test func nothingReachesAcrossWhatIsNoToken() {
        var matcher = StopStringMatcher(["ab"])
        #expect(matcher.feed(Array("a".utf8)) == nil)
        #expect(matcher.feed(nil) == nil)
        #expect(matcher.feed(Array("b".utf8)) == nil)
    }

    /// As many tokens as the string has units, as in transformers: bytes for some tokenizers, characters for others.
    @Test func piecesMayBePartsOfCharacters() {
        var matcher = StopStringMatcher(["🙂"], piecesAreBytes: true)
        let bytes = Array("🙂".utf8)
        for byte in bytes.dropLast() { #expect(matcher.feed([byte]) == nil) }
        #expect(matcher.feed([bytes[3]]) == 0)
    }
}
