/// Classes of scalars as Oniguruma has them, the regular-expression library behind `Split` and `ByteLevel`.
///
/// A value holds one byte a code point: the general category (5 bits), then `\s`, `\w` and alphabetic.
struct ScalarClasses: @unchecked Sendable {
    /// Never freed: made once, for the life of the process.
    private let bytes: UnsafePointer<UInt8>

    static let oniguruma = ScalarClasses(UnicodeTables.expandedRuns(UnicodeTables.categories))
    static let scripts = ScalarClasses(UnicodeTables.expandedRuns(UnicodeTables.scripts))
    /// Numbers of scripts; 0 for what goes with any.
    static let writingSystems = ScalarClasses(UnicodeTables.expandedRuns(UnicodeTables.writingSystems))
    static let rust = ScalarClasses(UnicodeTables.expandedRuns(UnicodeTables.rust))

    static let space: UInt8 = 32
    static let word: UInt8 = 64
    static let alphabetic: UInt8 = 128
    static let rustNumeric: UInt8 = 1
    static let rustSpace: UInt8 = 2
    static let rustWord: UInt8 = 4
    static let rustPunctuation: UInt8 = 8
    /// What is no character to BERT: controls and what has no meaning.
    static let rustUnseen: UInt8 = 16
    static let rustNonspacing: UInt8 = 32
    static let rustMark: UInt8 = 64

    private init(_ expanded: [UInt8]) {
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: UnicodeTables.scalarCount)
        storage.initialize(repeating: 0, count: UnicodeTables.scalarCount)
        storage.update(from: expanded, count: min(expanded.count, UnicodeTables.scalarCount))
        bytes = UnsafePointer(storage)
    }

    @inline(__always)
    subscript(scalar: UInt32) -> UInt8 { scalar < 0x110000 ? bytes[Int(scalar)] : 0 }

    @inline(__always)
    func contains(_ flag: UInt8, _ scalar: UInt32) -> Bool { self[scalar] & flag != 0 }
}
