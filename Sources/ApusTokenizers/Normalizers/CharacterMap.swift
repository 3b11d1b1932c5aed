/// The table of replacements that SentencePiece puts into its models: a trie (Darts-clone's double array) whose leaves are
/// places in a list of texts that end with a zero.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let texts: [UInt8]

    /// Bytes of the trie as a number of 32 bits, the lowest byte first; the trie; the texts. `nil` if that is not so.
    init?(_ bytes: [UInt8]) {
        func number(at place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        }
        guard bytes.count >= 4 else { return nil }
        let size = Int(number(at: 0))
        guard size % 4 == 0, size >= 4, size <= bytes.count - 4 else { return nil }
        units = (0..<size / 4).map { number(at: 4 + 4 * $0) }
        texts = Array(bytes[(4 + size)...])
    }

    /// Whether all replacements are UTF-8.
    var isText: Bool { String(validating: texts, as: UTF8.self) != nil }

    /// Whether an entry begins with a byte.
    func begins(with byte: UInt8) -> Bool {
        let node = Self.offset(units[0]) ^ Int(byte)
        return byte != 0 && node < units.count && Self.label(units[node]) == UInt32(byte)
    }

    /// Whether a byte alone has a replacement.
    func changesSingle(_ byte: UInt8) -> Bool {
        withUnsafeBytes(of: byte) { shortest(in: $0.bindMemory(to: UInt8.self)) } != nil
    }

    /// The replacement of the shortest entry that a text begins with.
    func shortest(in text: UTF8Text) -> ArraySlice<UInt8>? {
        var found: Int?
        forEachEntry(in: text, from: 0) { _, place in
            found = place
            return false
        }
        return found.map(replacement)
    }

    /// The longest entry that stands at a place of a text: where it ends, and its replacement.
    @inline(__always)
    func longest(in text: UTF8Text, from start: Int) -> (end: Int, replacement: ArraySlice<UInt8>)? {
        var found: (end: Int, place: Int)?
        forEachEntry(in: text, from: start) { end, place in
            found = (end, place)
            return true
        }
        return found.map { ($0.end, replacement(at: $0.place)) }
    }

    private func replacement(at place: Int) -> ArraySlice<UInt8> {
        guard place < texts.count else { return [] }
        return texts[place..<(texts[place...].firstIndex(of: 0) ?? texts.count)]
    }

    /// Calls a closure with the end and the place of each entry that stands at a place of a text, until it says enough.
    @inline(__always)
    private func forEachEntry(in text: UTF8Text, from start: Int, _ goesOn: (Int, Int) -> Bool) {
        var node = Self.offset(units[0])
        var position = start
        while position < text.count, text[position] != 0 {
            node ^= Int(text[position])
            guard node < units.count, Self.label(units[node]) == UInt32(text[position]) else { return }
            let unit = units[node]
            node ^= Self.offset(unit)
            position += 1
            guard unit >> 8 & 1 == 1 else { continue }
            guard node < units.count, goesOn(position, Int(units[node] & 0x7FFF_FFFF)) else { return }
        }
    }

    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

    private static func label(_ unit: UInt32) -> UInt32 { unit & (1 << 31 | 0xFF) }
}
