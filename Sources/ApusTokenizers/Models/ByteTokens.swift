/// The tokens `<0x00>` to `<0xFF>`, for characters that have none.
struct ByteTokens: Sendable {
    let tokens: [UInt32?]

    init(_ vocabulary: Vocabulary) {
        tokens = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary.id(for: Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8))
        }
    }
}
