/// The tokens that are one Unicode scalar, found without hashing.
struct ScalarTokens: Sendable {
    /// Of each 256 scalars, the place of their page; 0 for none.
    private var directory = [UInt16](repeating: 0, count: 0x1100)
    private var tokens: [Int64] = []

    init(_ vocabulary: Vocabulary) {
        vocabulary.withEachToken { token, id in
            guard let first = token.first, token.count <= 4, first < 0x80 || first >= 0xC0 else { return }
            let (scalar, length) = token.scalar(at: 0)
            if length == token.count { insert(scalar, id) }
        }
    }

    private mutating func insert(_ scalar: UInt32, _ id: UInt32) {
        let page = Int(scalar >> 8)
        guard page < directory.count else { return }
        if directory[page] == 0 {
            tokens.append(contentsOf: repeatElement(-1, count: 256))
            directory[page] = UInt16(tokens.count / 256)
        }
        tokens[(Int(directory[page]) - 1) * 256 + Int(scalar & 255)] = Int64(id)
    }

    @inline(__always)
    subscript(scalar: UInt32) -> UInt32? {
        let page = directory[Int(scalar >> 8)]
        guard page > 0 else { return nil }
        let token = tokens[(Int(page) - 1) * 256 + Int(scalar & 255)]
        return token < 0 ? nil : UInt32(token)
    }
}
