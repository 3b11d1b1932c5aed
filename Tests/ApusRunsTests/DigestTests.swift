import ApusRuns
import Testing

@Suite struct DigestTests {
    /// From the specification's own test program, seed 0.
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func isXXH64(text: String, expected: UInt64) { #expect(Digest.of(text.utf8) == expected) }

    @Test func itDoesNotMatterHowBytesCome() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = Digest.of(bytes)
        for size in [1, 3, 31, 32, 33, 64, 999] {
            var digest = Digest()
            var rest = bytes[...]
            while !rest.isEmpty {
                digest.add(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(digest.value == whole, "in pieces of \(size)")
        }
    }
}
