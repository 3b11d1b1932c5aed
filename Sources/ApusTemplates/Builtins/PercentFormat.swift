// Python's `text % values`.
extension Renderer {
    /// One conversion of a format.
    private struct Conversion {
        var isLeft = false
        var hasSign = false
        var hasSpace = false
        var isAlternate = false
        var hasZeros = false
        var width = 0
        var precision: Int?
        var letter: Unicode.Scalar = "s"
    }

    /// The values of a format, one after the other or by name.
    private struct Source {
        var values: [Value]
        var mapping: Mapping?
        var position = 0

        mutating func next() throws(TemplateError) -> Value {
            guard position < values.count else { throw TemplateError(.runtime, "a format has too few values") }
            position += 1
            return values[position - 1]
        }
    }

    func formatted(_ format: Text, _ value: Value) throws(TemplateError) -> [UInt32] {
        var source = Source(values: [value])
        var isMapping = false
        switch value {
        case .tuple(let items): source.values = items.values
        case .dict(let mapping):
            source.mapping = mapping
            isMapping = true
        case .list, .range, .undefined: isMapping = true
        default: break
        }
        var result: [UInt32] = []
        let units = format.units
        var position = 0
        while position < units.count {
            let unit = units[position]
            position += 1
            guard unit.scalar == "%" else {
                result.append(unit)
                continue
            }
            try spend()
            try reserve(result.count)
            try convert(units, &position, &source, format.isMarkup, into: &result)
        }
        guard source.position >= source.values.count || isMapping else {
            throw TemplateError(.runtime, "not all values of a format are used")
        }
        return result
    }

    private func convert(
        _ units: [UInt32], _ position: inout Int, _ source: inout Source, _ isMarkup: Bool,
        into result: inout [UInt32]
    ) throws(TemplateError) {
        var conversion = Conversion()
        func current() throws(TemplateError) -> Unicode.Scalar {
            guard position < units.count else { throw TemplateError(.runtime, "a format is incomplete") }
            return units[position].scalar
        }
        var named: Value?
        if try current() == "(" {
            guard let mapping = source.mapping else { throw TemplateError(.runtime, "a format needs a dictionary") }
            var (depth, end) = (1, position + 1)
            while end < units.count {
                if units[end].scalar == "(" { depth += 1 }
                if units[end].scalar == ")" { depth -= 1 }
                if depth == 0 { break }
                end += 1
            }
            guard end < units.count else { throw TemplateError(.runtime, "a format is incomplete") }
            named = mapping[.string(units[position + 1..<end].map { $0 & Text.scalarMask })]
            guard named != nil else { throw TemplateError(.runtime, "a format asks for a key that is not there") }
            source.position = source.values.count
            position = end + 1
        }
        flags: while true {
            switch try current() {
            case "-": conversion.isLeft = true
            case "+": conversion.hasSign = true
            case " ": conversion.hasSpace = true
            case "#": conversion.isAlternate = true
            case "0": conversion.hasZeros = true
            default: break flags
            }
            position += 1
        }
        func number() throws(TemplateError) -> Int? {
            if try current() == "*" {
                position += 1
                guard let width = try source.next().index else { throw TemplateError(.runtime, "'*' needs an integer") }
                return width
            }
            var value: Int?
            while try current().isDigit {
                value = (value ?? 0) * 10 + Int(units[position] & Text.scalarMask) - 48
                guard value ?? 0 < 1 << 32 else { throw TemplateError(.runtime, "a format is too wide") }
                position += 1
            }
            return value
        }
        if let width = try number() {
            conversion.isLeft = conversion.isLeft || width < 0
            guard width > -1 << 32, width < 1 << 32 else { throw TemplateError(.runtime, "a format is too wide") }
            conversion.width = abs(width)
        }
        if try current() == "." {
            position += 1
            conversion.precision = max(0, try number() ?? 0)
        }
        if ["h", "l", "L"].contains(try current()) { position += 1 }
        conversion.letter = try current()
        position += 1
        if conversion.letter == "%" {
            result.append(37)
            return
        }
        if let named {
            result += try converted(named, conversion, isMarkup)
        } else {
            result += try converted(try source.next(), conversion, isMarkup)
        }
    }

    private func converted(
        _ value: Value, _ conversion: Conversion, _ isMarkup: Bool
    ) throws(TemplateError) -> [UInt32] {
        switch conversion.letter {
        case "s", "r", "a":
            var units = conversion.letter == "s" ? try printed(value) : try represented(value)
            if isMarkup {
                if conversion.letter == "s" {
                    units = try escaped(value)
                } else {
                    units = escaped(Text(units))
                }
            }
            if conversion.letter == "a", units.contains(where: { $0 & Text.scalarMask > 127 }) {
                throw TemplateError(.unsupported, "'%a' of characters beyond ASCII")
            }
            if let precision = conversion.precision { units = Array(units.prefix(precision)) }
            return try padded(units, conversion.width, 32, conversion.isLeft ? "ljust" : "rjust")
        case "c":
            var units: [UInt32]
            if case .string(let text) = value {
                units = text.units
            } else {
                guard let code = value.index, (0...0x10_FFFF).contains(code) else {
                    throw undefinedOr(value, "'%c' needs a character")
                }
                units = [UInt32(code)]
            }
            guard units.count == 1 else { throw TemplateError(.runtime, "'%c' needs one character") }
            return try padded(units, conversion.width, 32, conversion.isLeft ? "ljust" : "rjust")
        case "d", "i", "u", "o", "x", "X": return try integer(value, conversion)
        case "e", "E", "f", "F", "g", "G": return try number(value, conversion)
        default: throw TemplateError(.runtime, "a format has an unknown conversion")
        }
    }

    private func integer(_ value: Value, _ conversion: Conversion) throws(TemplateError) -> [UInt32] {
        let isDecimal = ["d", "i", "u"].contains(conversion.letter)
        var number = value.index
        if case .float(let float) = value, isDecimal {
            guard float.isFinite else { throw TemplateError(.runtime, "'%d' of no finite number") }
            guard abs(float) < 0x1p63 else { throw TemplateError(.unsupported, "an integer beyond 64 bits") }
            number = Int(float)
        }
        guard let number else {
            throw undefinedOr(value, "'%\(conversion.letter)' needs a number, not a \(value.typeName)")
        }
        let radix = conversion.letter == "o" ? 8 : isDecimal ? 10 : 16
        let isLarge = conversion.letter == "X"
        var digits = String(number.magnitude, radix: radix, uppercase: isLarge)
        if let precision = conversion.precision, precision > digits.count {
            try reserve(precision)
            digits = String(repeating: "0", count: precision - digits.count) + digits
        }
        var prefix = ""
        if conversion.isAlternate, !isDecimal { prefix = "0" + String(conversion.letter) }
        return try signed(isNegative: number < 0, prefix, digits, conversion)
    }

    private func number(_ value: Value, _ conversion: Conversion) throws(TemplateError) -> [UInt32] {
        guard let number = double(value) else {
            throw undefinedOr(value, "'%\(conversion.letter)' needs a number, not a \(value.typeName)")
        }
        let small = Unicode.Scalar(conversion.letter.value | 0x20) ?? "f"
        var digits = try NumberFormat.written(
            number.magnitude, small, precision: conversion.precision ?? 6, isAlternate: conversion.isAlternate)
        if conversion.letter != small { digits = digits.uppercased() }
        let isNegative = number.sign == .minus && !number.isNaN
        return try signed(isNegative: isNegative, "", digits, conversion)
    }

    private func signed(
        isNegative: Bool, _ prefix: String, _ digits: String, _ conversion: Conversion
    ) throws(TemplateError) -> [UInt32] {
        let sign = isNegative ? "-" : conversion.hasSign ? "+" : conversion.hasSpace ? " " : ""
        var body = Text(digits).units
        let lead = Text(sign + prefix).units
        if conversion.hasZeros, !conversion.isLeft {
            body = try padded(body, conversion.width - lead.count, 48, "rjust")
        }
        return try padded(lead + body, conversion.width, 32, conversion.isLeft ? "ljust" : "rjust")
    }
}
