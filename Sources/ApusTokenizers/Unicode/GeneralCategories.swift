/// A set of general categories of Unicode, one bit each.
struct GeneralCategories: OptionSet, Hashable {
    let rawValue: UInt32

    /// Abbreviations in the order of the generated table.
    static let names = [
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
        "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co",
    ]

    static let letters = GeneralCategories(named: "L")
    static let numbers = GeneralCategories(named: "N")

    init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The categories whose abbreviation starts with a name (`L`, `Lu`); empty if there is none.
    init(named name: String) {
        rawValue = Self.names.enumerated().reduce(0) { set, entry in
            entry.element.hasPrefix(name) ? set | 1 << UInt32(entry.offset) : set
        }
    }

    @inline(__always)
    func contains(classOf scalar: UInt32, in classes: ScalarClasses) -> Bool {
        rawValue >> UInt32(classes[scalar] & 31) & 1 != 0
    }
}
