/// The data of Unicode normalization (UAX #15) in the version that the Python package `tokenizers` carries.
struct UnicodeNormalization: Sendable {
    private let canonical: [UInt32: [UInt32]]
    private let compatible: [UInt32: [UInt32]]
    private let compositions: [UInt64: UInt32]
    private let combiningClasses: [UInt8]

    static let shared = UnicodeNormalization()

    private init() {
        var canonical: [UInt32: [UInt32]] = [:]
        var compositions: [UInt64: UInt32] = [:]
        var pairs: [(scalar: UInt32, first: UInt32, second: UInt32)] = []
        var reader = UnicodeTableReader(UnicodeTables.canonical)
        var scalar: UInt32 = 0
        while let difference = reader.next(), let count = reader.next() {
            scalar += difference
            if count > 0 {
                canonical[scalar] = reader.nextScalars(count)
            } else if let first = reader.next(), let second = reader.next() {
                pairs.append((scalar, first, second))
                compositions[Self.key(first, second)] = scalar
            }
        }
        let firsts = Dictionary(uniqueKeysWithValues: pairs.map { ($0.scalar, (first: $0.first, second: $0.second)) })
        for pair in pairs {
            var tail = [pair.second]
            var head = pair.first
            while let further = firsts[head] {
                tail.append(further.second)
                head = further.first
            }
            canonical[pair.scalar] = [head] + tail.reversed()
        }

        var compatible: [UInt32: [UInt32]] = [:]
        reader = UnicodeTableReader(UnicodeTables.compatible)
        scalar = 0
        while let difference = reader.next(), let count = reader.next() {
            scalar += difference
            compatible[scalar] = reader.nextScalars(count)
        }
        self.canonical = canonical
        self.compatible = compatible
        self.compositions = compositions
        combiningClasses = UnicodeTables.expandedRuns(UnicodeTables.combiningClasses)
    }

    private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }

    func combiningClass(_ scalar: UInt32) -> UInt8 { scalar < 0x300 ? 0 : combiningClasses[Int(scalar)] }

    func decomposition(_ scalar: UInt32, compatibly: Bool) -> [UInt32]? {
        if compatibly, let wide = compatible[scalar] { return wide }
        return canonical[scalar]
    }

    func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(first, second) ?? compositions[Self.key(first, second)]
    }
}

/// The arithmetic of Hangul syllables (The Unicode Standard, section 3.12).
enum Hangul {
    private static let syllables: UInt32 = 0xAC00
    private static let leads: UInt32 = 0x1100
    private static let vowels: UInt32 = 0x1161
    private static let tails: UInt32 = 0x11A7

    static func decomposition(_ scalar: UInt32) -> [UInt32]? {
        guard syllables..<syllables + 11172 ~= scalar else { return nil }
        let index = scalar - syllables
        let pair = [leads + index / 588, vowels + index % 588 / 28]
        return index % 28 == 0 ? pair : pair + [tails + index % 28]
    }

    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leads..<leads + 19 ~= first, vowels..<vowels + 21 ~= second {
            return syllables + (first - leads) * 588 + (second - vowels) * 28
        }
        guard syllables..<syllables + 11172 ~= first, (first - syllables) % 28 == 0,
            tails + 1..<tails + 28 ~= second
        else { return nil }
        return first + second - tails
    }
}
