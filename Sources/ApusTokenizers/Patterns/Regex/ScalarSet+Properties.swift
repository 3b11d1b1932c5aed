import Synchronization

extension ScalarSet {
    /// Those that were looked up: each takes a walk through all of Unicode, and patterns name the same ones again and again.
    private static let known = Mutex<[String: ScalarSet]>([:])

    static let digits = ScalarSet(.oniguruma) { $0 & 31 == 9 }
    static let spaces = ScalarSet(.oniguruma) { $0 & ScalarClasses.space != 0 }
    static let words = ScalarSet(.oniguruma) { $0 & ScalarClasses.word != 0 }
    static let hexadecimal = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    static let newline = ScalarSet(0x0A)

    init(_ categories: GeneralCategories) {
        self.init(.oniguruma) { categories.rawValue >> UInt32($0 & 31) & 1 != 0 }
    }

    /// A class by its name in `[:...:]`.
    init?(posixClass name: String) {
        switch name.lowercased() {
        case "punct": self = ScalarSet(GeneralCategories(named: "P").union(GeneralCategories(named: "S")))
        case "word":
            let further = ["M", "Nd", "Pc"].map { ScalarSet(GeneralCategories(named: $0)) }
            self = further.reduce(.alphabetic) { $0.union($1) }
        case "alpha", "alnum", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "space", "upper",
            "xdigit":
            self.init(property: name)
        default: return nil
        }
    }

    private static let alphabetic = ScalarSet(.oniguruma) { $0 & ScalarClasses.alphabetic != 0 }

    /// A property by its name in `\p{...}`, without regard to case, spaces, `_` and `-`.
    init?(property name: String) {
        let key = name.lowercased().filter { !" _-".contains($0) }
        if let set = Self.known.withLock({ $0[key] }) {
            self = set
        } else {
            guard let set = Self(key: key) else { return nil }
            Self.known.withLock { $0[key] = set }
            self = set
        }
    }

    private init?(key: String) {
        switch key {
        case "any": self = .all
        case "assigned": self = ScalarSet(GeneralCategories(named: "Cn")).inverted
        case "ascii": self = ScalarSet([0...0x7F])
        case "alpha", "alphabetic": self = .alphabetic
        case "alnum": self = ScalarSet.alphabetic.union(.digits)
        case "blank": self = ScalarSet(GeneralCategories(named: "Zs")).union(ScalarSet(0x09))
        case "cntrl": self = ScalarSet(GeneralCategories(named: "Cc"))
        case "digit": self = .digits
        case "graph": self = .visible
        case "print": self = ScalarSet.visible.union(ScalarSet(GeneralCategories(named: "Zs")))
        case "lower", "lowercase": self = ScalarSet(swiftProperty: \.isLowercase)
        case "upper", "uppercase": self = ScalarSet(swiftProperty: \.isUppercase)
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

    /// Neither space nor control character, and assigned.
    private static var visible: ScalarSet {
        let blank = GeneralCategories(named: "Cc").union(GeneralCategories(named: "Cn"))
        return ScalarSet.spaces.union(ScalarSet(blank)).inverted
    }

    /// From Swift's own tables, which may be of a newer Unicode: these two have no table of their own.
    private init(swiftProperty property: KeyPath<Unicode.Scalar.Properties, Bool>) {
        self.init(
            (0..<UInt32(UnicodeTables.scalarCount)).compactMap { value in
                guard let scalar = Unicode.Scalar(value), scalar.properties[keyPath: property] else { return nil }
                return value...value
            })
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
