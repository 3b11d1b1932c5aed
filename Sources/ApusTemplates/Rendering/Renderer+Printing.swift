// Python's `str` and `repr`.
extension Renderer {
    /// What `str` makes of a value.
    func printed(_ value: Value) throws(TemplateError) -> [UInt32] {
        switch value {
        case .string(let text): return text.units
        case .undefined: return []
        default:
            var units: [UInt32] = []
            try represent(value, into: &units)
            return units
        }
    }

    func represented(_ value: Value) throws(TemplateError) -> [UInt32] {
        var units: [UInt32] = []
        try represent(value, into: &units)
        return units
    }

    private func represent(_ value: Value, into units: inout [UInt32]) throws(TemplateError) {
        try spend()
        try checkDepth()
        if units.count > 1 << 16 { try reserve(units.count) }
        switch value {
        case .undefined: units.append("Undefined")
        case .none: units.append("None")
        case .bool(let value): units.append(value ? "True" : "False")
        case .int(let value): units.append(String(value))
        case .largeInt(let digits): units.append(digits)
        case .float(let value): units.append(value.pythonRepresentation)
        case .string(let text):
            if text.isMarkup { units.append("Markup(") }
            quote(text.units, into: &units)
            if text.isMarkup { units.append(")") }
        case .list(let items): try represent(items.values, "[", "]", into: &units)
        case .tuple(let items): try represent(items.values, "(", items.values.count == 1 ? ",)" : ")", into: &units)
        case .dict(let mapping): try represent(mapping, into: &units)
        case .view(let mapping, let view):
            units.append("dict_\(view.rawValue)(")
            try represent(try array(.view(mapping, view)), "[", "]", into: &units)
            units.append(")")
        case .range(let range):
            units.append("range(\(range.start), \(range.stop)\(range.step == 1 ? "" : ", \(range.step)"))")
        case .namespace(let namespace):
            try nested { () throws(TemplateError) in
                units.append("<Namespace ")
                let pairs = namespace.attributes.map { (name: Value.text($0.name), value: $0.value) }
                guard case .dict(let mapping) = try dict(pairs) else { return }
                try represent(mapping, into: &units)
                units.append(">")
            }
        case .macro(let macro):
            units.append("<Macro ")
            if macro.name.isEmpty {
                units.append("anonymous")
            } else {
                quote(Text(macro.name).units, into: &units)
            }
            units.append(">")
        case .loop(let loop): units.append("<LoopContext \(loop.index + 1)/\(try loop.measure())>")
        case .iterator, .method, .function, .cycler, .joiner:
            throw TemplateError(.unsupported, "a \(value.typeName) is printed, which Python does with an address")
        }
    }

    private func represent(
        _ values: [Value], _ opening: String, _ closing: String, into units: inout [UInt32]
    ) throws(TemplateError) {
        units.append(opening)
        for (position, value) in values.enumerated() {
            if position > 0 { units.append(", ") }
            try represent(value, into: &units)
        }
        units.append(closing)
    }

    private func represent(_ mapping: Mapping, into units: inout [UInt32]) throws(TemplateError) {
        units.append("{")
        for (position, (name, value)) in zip(mapping.keys, mapping.values).enumerated() {
            if position > 0 { units.append(", ") }
            try represent(name, into: &units)
            units.append(": ")
            try represent(value, into: &units)
        }
        units.append("}")
    }

    private func quote(_ text: [UInt32], into units: inout [UInt32]) {
        let hasSingle = text.contains { $0 & Text.scalarMask == 39 }
        let hasDouble = text.contains { $0 & Text.scalarMask == 34 }
        let quote: UInt32 = hasSingle && !hasDouble ? 34 : 39
        units.append(quote)
        for unit in text {
            let mark = unit & Text.mark
            switch unit & Text.scalarMask {
            case 92: units.append("\\\\", mark)
            case quote: units.append("\\" + String(unit.scalar), mark)
            case 9: units.append("\\t", mark)
            case 10: units.append("\\n", mark)
            case 13: units.append("\\r", mark)
            case let value:
                guard Unicode.Scalar(value)?.isPythonPrintable != true else {
                    units.append(unit)
                    continue
                }
                let width = value < 0x100 ? 2 : value < 0x1_0000 ? 4 : 8
                let letter = width == 2 ? "x" : width == 4 ? "u" : "U"
                units.append("\\" + letter + value.hexadecimal(width), mark)
            }
        }
        units.append(quote)
    }

    func escaped(_ text: Text) -> [UInt32] {
        guard !text.isMarkup else { return text.units }
        var units: [UInt32] = []
        for unit in text.units {
            let mark = unit & Text.mark
            switch unit.scalar {
            case "&": units.append("&amp;", mark)
            case "<": units.append("&lt;", mark)
            case ">": units.append("&gt;", mark)
            case "'": units.append("&#39;", mark)
            case "\"": units.append("&#34;", mark)
            default: units.append(unit)
            }
        }
        return units
    }

    func escaped(_ value: Value) throws(TemplateError) -> [UInt32] {
        if case .string(let text) = value { return escaped(text) }
        return escaped(Text(try printed(value)))
    }
}

extension [UInt32] {
    mutating func append(_ text: String, _ mark: UInt32 = 0) {
        for scalar in text.unicodeScalars { append(scalar.value | mark) }
    }
}

extension UInt32 {
    func hexadecimal(_ width: Int) -> String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

extension Double {
    /// As Python's `repr` writes it: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
    var pythonRepresentation: String {
        guard isFinite else { return isNaN ? "nan" : self < 0 ? "-inf" : "inf" }
        let sign = self.sign == .minus ? "-" : ""
        guard self != 0 else { return sign + "0.0" }
        let parts = magnitude.description.split(separator: "e")
        let places = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
        let (whole, fraction) = (String(places.first ?? ""), places.count > 1 ? String(places[1]) : "")
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count
        var digits = Substring(whole + fraction)
        while digits.hasPrefix("0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.hasSuffix("0") { digits.removeLast() }
        // 0.digits times ten to the exponent.
        if exponent > 16 || exponent < -3 {
            let power = exponent - 1
            let rest = digits.dropFirst()
            let number = String(abs(power))
            return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e" + (power < 0 ? "-" : "+")
                + (number.count < 2 ? "0" : "") + number
        }
        if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
        if digits.count <= exponent {
            return sign + digits + String(repeating: "0", count: exponent - digits.count) + ".0"
        }
        return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
    }
}
