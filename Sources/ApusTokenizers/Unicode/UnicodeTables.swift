/// What the Python package `tokenizers` knows of Unicode, which differs from what the Swift library knows.
///
/// The texts in the extensions are written by `Tests/Parity/tokenizers_unicode.py`, which gives their format.
enum UnicodeTables {}

/// Reads the numbers of a generated table.
struct UnicodeTableReader {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ table: StaticString) {
        text = UnsafeBufferPointer(start: table.utf8Start, count: table.utf8CodeUnitCount)
    }

    mutating func next() -> UInt32? {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while position < text.count {
            let byte = text[position]
            position += 1
            guard byte >= 0x3F else { continue }
            let digit = UInt32(byte - 0x3F)
            value |= (digit & 31) << shift
            if digit < 32 { return value }
            shift += 5
        }
        return nil
    }

    mutating func nextSigned() -> Int32? {
        next().map { $0 & 1 == 0 ? Int32($0 >> 1) : -Int32(($0 + 1) >> 1) }
    }

    mutating func nextScalars(_ count: UInt32) -> [UInt32] { (0..<count).compactMap { _ in next() } }
}

extension UnicodeTables {
    static let scalarCount = 0x110000

    /// One byte for every code point, from a table of runs.
    static func expandedRuns(_ table: StaticString) -> [UInt8] {
        var reader = UnicodeTableReader(table)
        return [UInt8](unsafeUninitializedCapacity: scalarCount) { bytes, count in
            count = scalarCount
            bytes.initialize(repeating: 0)
            var start = 0
            while let length = reader.next(), let value = reader.next() {
                let end = min(start + Int(length), scalarCount)
                if value != 0 { bytes[start..<end].update(repeating: UInt8(truncatingIfNeeded: value)) }
                start = end
            }
        }
    }
}
