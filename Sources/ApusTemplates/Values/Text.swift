/// A string of Python: characters that are counted and cut by scalars. The highest bit of each says whether it came
/// out of a string of the conversation, so that whatever is done with strings keeps that.
struct Text {
    static let mark: UInt32 = 1 << 31
    static let scalarMask: UInt32 = mark - 1

    let units: [UInt32]
    /// Whether it is a `Markup`, as `safe` makes it: what is joined to it gets escaped.
    let isMarkup: Bool
    /// What it counts in memory.
    let charge: Charge?

    init(_ units: [UInt32], isMarkup: Bool = false, charge: Charge? = nil) {
        self.units = units
        self.isMarkup = isMarkup
        self.charge = charge
    }

    init(_ string: String) { self.init(string.unicodeScalars.map(\.value)) }

    var string: String { String(units: units) }

    static func == (left: Text, right: Text) -> Bool {
        left.units.count == right.units.count
            && zip(left.units, right.units).allSatisfy { $0 & scalarMask == $1 & scalarMask }
    }

    static func < (left: Text, right: Text) -> Bool {
        for (one, other) in zip(left.units, right.units) where (one ^ other) & scalarMask != 0 {
            return one & scalarMask < other & scalarMask
        }
        return left.units.count < right.units.count
    }
}

extension String {
    /// Lone surrogates, which Swift's strings cannot hold, become replacement characters: only for names and messages.
    init(units: some Sequence<UInt32>) {
        self = ""
        for unit in units { unicodeScalars.append(Unicode.Scalar(unit & Text.scalarMask) ?? "\u{FFFD}") }
    }
}

extension UInt32 {
    /// The character of a unit; lone surrogates have no properties, like private characters.
    var scalar: Unicode.Scalar { Unicode.Scalar(self & Text.scalarMask) ?? "\u{E000}" }

    var isSpaceUnit: Bool { scalar.isPythonSpace }
}
