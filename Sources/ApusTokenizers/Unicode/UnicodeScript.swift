/// A script by its number in the generated table.
struct UnicodeScript: Equatable {
    let rawValue: UInt8

    private static let names = [
        "arabic", "armenian", "bengali", "bopomofo", "cyrillic", "devanagari", "ethiopic", "georgian", "greek",
        "gujarati", "gurmukhi", "han", "hangul", "hebrew", "hiragana", "kannada", "katakana", "khmer", "lao", "latin",
        "malayalam", "mongolian", "myanmar", "oriya", "sinhala", "tamil", "telugu", "thai", "tibetan",
    ]

    init?(name: String) {
        guard let index = Self.names.firstIndex(of: name) else { return nil }
        rawValue = UInt8(index + 1)
    }
}
