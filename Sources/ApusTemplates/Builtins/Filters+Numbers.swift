extension Renderer {
    func applyToNumber(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "abs":
            guard arguments.isEmpty else { throw TemplateError(.runtime, "'abs' takes nothing more") }
            if case .float(let number) = value { return .float(number.magnitude) }
            guard let number = value.index else {
                throw value.isLarge ? Self.tooBig : undefinedOr(value, "'abs' is not for a \(value.typeName)")
            }
            return number < 0 ? try negate(.int(number)) : .int(number)
        case "int":
            let values = try extra(name, arguments, ["default", "base"])
            return try integer(value, values[0] ?? .int(0), try needIndex(values[1], 10, name))
        case "float":
            let fallback = try extra(name, arguments, ["default"])[0] ?? .float(0)
            if case .undefined(let message) = value { throw TemplateError(.runtime, message) }
            if case .string(let text) = value { return float(text).map { .float($0) } ?? fallback }
            if case .largeInt(let digits) = value { return .float(Double(digits) ?? .infinity) }
            return double(value).map { .float($0) } ?? fallback
        case "round" where value.isLarge: throw Self.tooBig
        case "round": return try rounded(value, try extra(name, arguments, ["precision", "method"]))
        case "default", "d":
            let values = try extra(name, arguments, ["default_value", "boolean"])
            if !value.isUndefined {
                guard try isTrue(values[1] ?? .bool(false)) else { return value }
                if try isTrue(value) { return value }
            }
            return values[0] ?? .text("")
        default: return nil
        }
    }

    private func integer(_ value: Value, _ fallback: Value, _ base: Int) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let message): throw TemplateError(.runtime, message)
        case .int, .largeInt: return value
        case .bool(let value): return .int(value ? 1 : 0)
        case .float(let number):
            if number.isNaN { return fallback }
            guard number.isFinite else { throw TemplateError(.runtime, "an infinity is no integer") }
            return try whole(number)
        case .string(let text):
            guard base == 0 || (2...36).contains(base) else {
                return try float(text).map { (number) throws(TemplateError) in
                    number.isFinite ? try whole(number) : fallback
                } ?? fallback
            }
            if let number = try integer(text, base: base) { return .int(number) }
            guard let number = float(text), number.isFinite else { return fallback }
            return try whole(number)
        default: return fallback
        }
    }

    private func whole(_ number: Double) throws(TemplateError) -> Value {
        guard abs(number) < 0x1p63 else { throw TemplateError(.unsupported, "an integer beyond 64 bits") }
        return .int(Int(number))
    }

    /// Digits of a number as Python reads them: spaces around, single underscores between.
    private func digits(_ text: Text) throws(TemplateError) -> String {
        guard case .string(let stripped) = try strip(text, .none, left: true, right: true) else { return "" }
        if stripped.units.contains(where: { $0.scalar.isPythonDecimal && !$0.scalar.isASCII }) {
            throw TemplateError(.unsupported, "digits that are not ASCII")
        }
        return stripped.string
    }

    private func withoutUnderscores(_ text: String) -> String? {
        guard text.contains("_") else { return text }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            guard let first = part.first, let last = part.last, position == 0 || first.isHexDigit,
                position == parts.count - 1 || last.isHexDigit
            else { return nil }
        }
        return parts.joined()
    }

    private func integer(_ text: Text, base: Int) throws(TemplateError) -> Int? {
        var written = try digits(text)[...]
        var sign = ""
        if written.hasPrefix("-") || written.hasPrefix("+") { sign = String(written.removeFirst()) }
        var radix = base
        for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)]
        where (base == 0 || base == value) && written.lowercased().hasPrefix(prefix) {
            written = written.dropFirst(2)
            if written.hasPrefix("_") { written.removeFirst() }
            radix = value
        }
        if radix == 0 {
            radix = 10
            if written.hasPrefix("0"), !written.allSatisfy({ $0 == "0" || $0 == "_" }) { return nil }
        }
        guard let plain = withoutUnderscores(String(written)), !plain.isEmpty, plain.first != "-", plain.first != "+"
        else { return nil }
        let isNumber = plain.unicodeScalars.allSatisfy { $0.isASCII && Int(String($0), radix: radix) != nil }
        guard isNumber else { return nil }
        guard let number = Int(sign + plain, radix: radix) else {
            throw TemplateError(.unsupported, "an integer beyond 64 bits")
        }
        return number
    }

    private func float(_ text: Text) -> Double? {
        guard let written = try? digits(text), let plain = withoutUnderscores(written) else { return nil }
        let body = plain.lowercased().drop { $0 == "+" || $0 == "-" }
        guard plain.count - body.count <= 1 else { return nil }
        if ["inf", "infinity"].contains(body) { return plain.hasPrefix("-") ? -.infinity : .infinity }
        if body == "nan" { return .nan }
        guard body.unicodeScalars.allSatisfy({ $0.isDigit || ".e+-".unicodeScalars.contains($0) }),
            body.contains(where: \.isNumber)
        else { return nil }
        // Python takes a point without digits on one side of it.
        var parts = body.split(separator: "e", omittingEmptySubsequences: false).map(String.init)
        guard !parts.isEmpty, parts.count <= 2, parts[0].contains(where: \.isNumber) else { return nil }
        if parts[0].hasPrefix(".") { parts[0] = "0" + parts[0] }
        if parts[0].hasSuffix(".") { parts[0] += "0" }
        guard let number = Double(parts.joined(separator: "e")) else { return nil }
        return plain.hasPrefix("-") ? -number : number
    }

    private func rounded(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let precision = try needIndex(values[0], 0, "round")
        var method = "common"
        if let given = values[1] { method = try needText(given, "round").string }
        guard ["common", "ceil", "floor"].contains(method) else {
            throw TemplateError(.runtime, "'round' knows the methods common, ceil and floor")
        }
        if method == "common" {
            if let number = value.index {
                guard precision < 0 else { return .int(number) }
                throw TemplateError(.unsupported, "an integer rounded to tens")
            }
            guard case .float(let number) = value else {
                throw undefinedOr(value, "'round' is not for a \(value.typeName)")
            }
            return .float(try NumberFormat.rounded(number, decimals: precision))
        }
        let power = try arithmetic(.power, .int(10), .int(precision))
        let scaled = try arithmetic(.multiply, value, power)
        guard let number = double(scaled) else {
            throw undefinedOr(value, "'round' is not for a \(value.typeName)")
        }
        guard number.isFinite else { throw TemplateError(.runtime, "'round' of no finite number") }
        var result = scaled
        if scaled.index == nil { result = try whole(number.rounded(method == "ceil" ? .up : .down)) }
        return try arithmetic(.divide, result, power)
    }
}
