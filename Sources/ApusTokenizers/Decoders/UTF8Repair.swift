/// Passes on well-formed UTF-8 and puts U+FFFD for each maximal part of an ill-formed sequence (The Unicode Standard,
/// section 3.9), or for each of its bytes, one byte at a time; a sequence that is not complete is held back.
struct UTF8Repair: Sendable {
    private let replacesEachByte: Bool
    private var held: [UInt8] = []
    private var needed = 0
    /// What the next byte may be.
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    init(replacesEachByte: Bool = false) { self.replacesEachByte = replacesEachByte }

    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    mutating func append(_ byte: UInt8, to text: inout [UInt8]) {
        if needed > 0 {
            if allowed.contains(byte) {
                held.append(byte)
                needed -= 1
                allowed = 0x80...0xBF
                if needed == 0 {
                    text += held
                    held.removeAll(keepingCapacity: true)
                }
                return
            }
            finish(into: &text)
        }
        switch byte {
        case 0..<0x80: text.append(byte)
        case 0xC2...0xDF: open(byte, 1)
        case 0xE0: open(byte, 2, 0xA0...0xBF)
        case 0xED: open(byte, 2, 0x80...0x9F)
        case 0xE1...0xEF: open(byte, 2)
        case 0xF0: open(byte, 3, 0x90...0xBF)
        case 0xF1...0xF3: open(byte, 3)
        case 0xF4: open(byte, 3, 0x80...0x8F)
        default: text += Self.replacement
        }
    }

    private mutating func open(_ byte: UInt8, _ count: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) {
        held.append(byte)
        needed = count
        allowed = range
    }

    mutating func finish(into text: inout [UInt8]) {
        if needed > 0 { for _ in 0..<(replacesEachByte ? held.count : 1) { text += Self.replacement } }
        needed = 0
        held.removeAll(keepingCapacity: true)
    }
}
