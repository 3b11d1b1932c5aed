/// A set of Unicode scalars as sorted, disjoint, non-adjacent ranges.
struct ScalarSet: Sendable, Equatable {
    private(set) var ranges: [ClosedRange<UInt32>]
    private var ascii: (low: UInt64, high: UInt64) = (0, 0)

    static let all = ScalarSet([0...0x10FFFF])

    init(_ unsorted: [ClosedRange<UInt32>] = []) {
        var merged: [ClosedRange<UInt32>] = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
        for range in merged where range.lowerBound < 128 {
            for scalar in range.lowerBound...min(range.upperBound, 127) {
                if scalar < 64 { ascii.low |= 1 << UInt64(scalar) } else { ascii.high |= 1 << UInt64(scalar - 64) }
            }
        }
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    /// The scalars of a class table that satisfy a condition.
    init(_ classes: ScalarClasses, where condition: (UInt8) -> Bool) {
        let accepted = (0..<256).map { condition(UInt8($0)) }
        var ranges: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for scalar in 0..<UInt32(UnicodeTables.scalarCount) {
            if accepted[Int(classes[scalar])] {
                if start == nil { start = scalar }
            } else if let first = start {
                ranges.append(first...scalar - 1)
                start = nil
            }
        }
        if let start { ranges.append(start...0x10FFFF) }
        self.init(ranges)
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return ascii.low >> UInt64(scalar) & 1 != 0 }
        if scalar < 128 { return ascii.high >> UInt64(scalar - 64) & 1 != 0 }
        return search(scalar)
    }

    private func search(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }

    var inverted: ScalarSet {
        var inverted: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { inverted.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { inverted.append(next...0x10FFFF) }
        return ScalarSet(inverted)
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }
    func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }

    static func == (left: ScalarSet, right: ScalarSet) -> Bool { left.ranges == right.ranges }
}

extension ScalarSet {
    static let digits = ScalarSet(.oniguruma) { $0 & 31 == 9 }
    static let spaces = ScalarSet(.oniguruma) { $0 & ScalarClasses.space != 0 }
    static let words = ScalarSet(.oniguruma) { $0 & ScalarClasses.word != 0 }
    static let hexadecimal = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    static let newline = ScalarSet(0x0A)

    init(_ categories: GeneralCategories) {
        self.init(.oniguruma) { categories.rawValue >> UInt32($0 & 31) & 1 != 0 }
    }

    /// A property by its name in `\p{...}` or `[:...:]`, without regard to case, spaces, `_` and `-`.
    init?(property name: String) {
        let key = name.lowercased().filter { !" _-".contains($0) }
        switch key {
        case "any": self = .all
        case "assigned": self = ScalarSet(GeneralCategories(named: "Cn")).inverted
        case "ascii": self = ScalarSet([0...0x7F])
        case "alpha", "alphabetic":
            // Oniguruma's words without digits, connectors and marks come closest to the Alphabetic property.
            self = ScalarSet(GeneralCategories.letters.union(GeneralCategories(named: "Nl")))
        case "alnum": self = ScalarSet(GeneralCategories.letters.union(GeneralCategories(named: "Nd")))
        case "blank": self = ScalarSet(GeneralCategories(named: "Zs")).union(ScalarSet(0x09))
        case "cntrl": self = ScalarSet(GeneralCategories(named: "Cc"))
        case "digit": self = .digits
        case "lower": self = ScalarSet(GeneralCategories(named: "Ll"))
        case "upper": self = ScalarSet(GeneralCategories(named: "Lu"))
        case "punct": self = ScalarSet(GeneralCategories(named: "P"))
        case "space", "whitespace": self = .spaces
        case "word": self = .words
        case "xdigit": self = .hexadecimal
        default:
            let longName = Self.longCategoryNames[key] ?? key
            let categories = GeneralCategories(named: longName.prefix(1).uppercased() + longName.dropFirst())
            if longName.count <= 2, !categories.isEmpty {
                self = ScalarSet(categories)
            } else if let script = UnicodeScript(name: key) {
                self = ScalarSet(.scripts) { $0 == script.rawValue }
            } else {
                return nil
            }
        }
    }

    private static let longCategoryNames = [
        "letter": "l", "mark": "m", "number": "n", "punctuation": "p", "symbol": "s", "separator": "z", "other": "c",
        "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt", "modifierletter": "lm",
        "otherletter": "lo", "nonspacingmark": "mn", "spacingmark": "mc", "enclosingmark": "me",
        "decimalnumber": "nd", "letternumber": "nl", "othernumber": "no", "connectorpunctuation": "pc",
        "dashpunctuation": "pd", "openpunctuation": "ps", "closepunctuation": "pe", "initialpunctuation": "pi",
        "finalpunctuation": "pf", "otherpunctuation": "po", "mathsymbol": "sm", "currencysymbol": "sc",
        "modifiersymbol": "sk", "othersymbol": "so", "spaceseparator": "zs", "lineseparator": "zl",
        "paragraphseparator": "zp", "control": "cc", "format": "cf", "privateuse": "co", "unassigned": "cn",
    ]
}
