/// Python's `format(value, spec)`.
struct FormatSpec {
    private var fill: UInt32 = 32
    private var alignment: Unicode.Scalar?
    private var sign: Unicode.Scalar = "-"
    private var isAlternate = false
    private var width = 0
    private var grouping: Unicode.Scalar?
    private var precision: Int?
    private var letter: Unicode.Scalar?

    static func apply(_ units: [UInt32], to value: Value, _ renderer: Renderer) throws(TemplateError) -> [UInt32] {
        switch value {
        case .string, .int, .bool, .float: break
        default:
            guard units.isEmpty else {
                throw renderer.undefinedOr(.none, "a \(value.typeName) takes no format")
            }
            return try renderer.printed(value)
        }
        guard !units.isEmpty else { return try renderer.printed(value) }
        let spec = try FormatSpec(units)
        if case .string(let text) = value { return try spec.write(text, renderer) }
        return try spec.write(number: value, renderer)
    }

    private init(_ units: [UInt32]) throws(TemplateError) {
        let scalars = units.map(\.scalar)
        var position = 0
        func at(_ place: Int) -> Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }
        let signs: [Unicode.Scalar?] = ["<", ">", "=", "^"]
        if signs.contains(at(1)) {
            (fill, alignment, position) = (units[0], at(1), 2)
        } else if signs.contains(at(0)) {
            (alignment, position) = (at(0), 1)
        }
        if let scalar = at(position), ["+", "-", " "].contains(scalar) {
            sign = scalar
            position += 1
        }
        if at(position) == "z" { throw TemplateError(.unsupported, "the flag 'z' of a format") }
        if at(position) == "#" {
            isAlternate = true
            position += 1
        }
        if at(position) == "0" {
            if alignment == nil { (fill, alignment) = (48, "=") }
            position += 1
        }
        func number() throws(TemplateError) -> Int? {
            var value: Int?
            while let scalar = at(position), scalar.isDigit {
                value = (value ?? 0) * 10 + Int(scalar.value) - 48
                guard value ?? 0 < 1 << 32 else { throw TemplateError(.runtime, "a format is too wide") }
                position += 1
            }
            return value
        }
        width = try number() ?? 0
        if at(position) == "," || at(position) == "_" {
            grouping = at(position)
            position += 1
        }
        if at(position) == "." {
            position += 1
            precision = try number()
            guard precision != nil else { throw TemplateError(.runtime, "a format lacks its precision") }
        }
        letter = at(position)
        guard position + 1 >= scalars.count else { throw TemplateError(.runtime, "a format is malformed") }
    }

    private func write(_ text: Text, _ renderer: Renderer) throws(TemplateError) -> [UInt32] {
        guard letter == nil || letter == "s", alignment != "=" || fill == 48, sign == "-", !isAlternate, grouping == nil
        else { throw TemplateError(.runtime, "a format is not for a string") }
        if alignment == "=" { throw TemplateError(.unsupported, "a format with zeros for a string") }
        let units = precision.map { Array(text.units.prefix($0)) } ?? text.units
        return try align(units, alignment ?? "<", renderer)
    }

    private func align(
        _ units: [UInt32], _ alignment: Unicode.Scalar, _ renderer: Renderer
    ) throws(TemplateError) -> [UInt32] {
        switch alignment {
        case "<": return try renderer.padded(units, width, fill, "ljust")
        case "^":
            guard width > units.count else { return units }
            let left = (width - units.count) / 2
            let right = try renderer.padded(units, width - left, fill, "ljust")
            return Array(repeating: fill, count: left) + right
        default: return try renderer.padded(units, width, fill, "rjust")
        }
    }

    private func write(number value: Value, _ renderer: Renderer) throws(TemplateError) -> [UInt32] {
        var (prefix, digits, isNegative) = ("", "", false)
        let isFloatLetter = letter.map { ["e", "E", "f", "F", "g", "G", "%"].contains($0) } ?? false
        if let integer = value.index, !isFloatLetter {
            guard precision == nil else { throw TemplateError(.runtime, "an integer takes no precision") }
            isNegative = integer < 0
            switch letter {
            case nil, "d": digits = String(integer.magnitude)
            case "b": (prefix, digits) = ("0b", String(integer.magnitude, radix: 2))
            case "o": (prefix, digits) = ("0o", String(integer.magnitude, radix: 8))
            case "x": (prefix, digits) = ("0x", String(integer.magnitude, radix: 16))
            case "X": (prefix, digits) = ("0X", String(integer.magnitude, radix: 16, uppercase: true))
            default: throw TemplateError(.unsupported, "a format of this kind for an integer")
            }
            if !isAlternate { prefix = "" }
            guard grouping == nil || letter == nil || letter == "d" else {
                throw TemplateError(.unsupported, "groups of digits that are not decimal")
            }
        } else if let number = renderer.double(value) {
            isNegative = number.sign == .minus && !number.isNaN
            digits = try written(number.magnitude)
        }
        if let grouping {
            guard alignment != "=" else { throw TemplateError(.unsupported, "groups of digits with zeros before them") }
            digits = grouped(digits, grouping)
        }
        let lead = Text((isNegative ? "-" : sign == "-" ? "" : String(sign)) + prefix).units
        var body = Text(digits).units
        if alignment == "=" { body = try renderer.padded(body, width - lead.count, fill, "rjust") }
        return try align(lead + body, alignment == "=" ? ">" : alignment ?? ">", renderer)
    }

    private func written(_ number: Double) throws(TemplateError) -> String {
        guard !isAlternate else { throw TemplateError(.unsupported, "the flag '#' of a float's format") }
        switch letter {
        case nil:
            guard precision == nil else { throw TemplateError(.unsupported, "a float's format without its kind") }
            return number.pythonRepresentation
        case "%": return try NumberFormat.written(number * 100, "f", precision: precision ?? 6) + "%"
        case "e", "f", "g": return try NumberFormat.written(number, letter ?? "f", precision: precision ?? 6)
        case "E", "F", "G":
            let small = Unicode.Scalar((letter ?? "F").value | 0x20) ?? "f"
            return try NumberFormat.written(number, small, precision: precision ?? 6).uppercased()
        default: throw TemplateError(.runtime, "a format is not for a float")
        }
    }

    private func grouped(_ digits: String, _ separator: Unicode.Scalar) -> String {
        let whole = digits.prefix { $0.isNumber }
        var text = ""
        for (position, digit) in whole.enumerated() {
            if position > 0, (whole.count - position).isMultiple(of: 3) { text.unicodeScalars.append(separator) }
            text.append(digit)
        }
        return text + digits.dropFirst(whole.count)
    }
}
