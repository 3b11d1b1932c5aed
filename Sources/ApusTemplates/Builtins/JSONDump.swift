/// Python's `json.dumps`.
struct JSONDump {
    let renderer: Renderer
    var isASCII = false
    var sortsKeys = false
    /// What a level is indented by; nothing for a text of one line.
    var indent: [UInt32]?
    var itemSeparator: [UInt32] = Text(", ").units
    var keySeparator: [UInt32] = Text(": ").units

    func write(_ value: Value, into units: inout [UInt32], level: Int = 1) throws(TemplateError) {
        try renderer.spend()
        try renderer.checkDepth()
        if units.count > 1 << 16 { try renderer.reserve(units.count) }
        switch value {
        case .none: units.append("null")
        case .bool(let value): units.append(value ? "true" : "false")
        case .int(let value): units.append(String(value))
        case .largeInt(let digits): units.append(digits)
        case .float(let value): units.append(written(value))
        case .string(let text): quote(text.units, into: &units)
        case .list(let items), .tuple(let items):
            try write(count: items.values.count, "[", "]", into: &units, level: level) {
                (position, units) throws(TemplateError) in
                try write(items.values[position], into: &units, level: level + 1)
            }
        case .dict(let mapping):
            let order = try sorted(mapping)
            try write(count: order.count, "{", "}", into: &units, level: level) {
                (position, units) throws(TemplateError) in
                quote(try name(of: mapping.keys[order[position]]), into: &units)
                units += keySeparator
                try write(mapping.values[order[position]], into: &units, level: level + 1)
            }
        default:
            throw renderer.undefinedOr(value, "a \(value.typeName) cannot be written as JSON")
        }
    }

    private func write(
        count: Int, _ opening: String, _ closing: String, into units: inout [UInt32], level: Int,
        _ element: (Int, inout [UInt32]) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        units.append(opening)
        for position in 0..<count {
            if position > 0 { units += itemSeparator }
            startLine(level, into: &units)
            try element(position, &units)
        }
        if count > 0 { startLine(level - 1, into: &units) }
        units.append(closing)
    }

    private func startLine(_ level: Int, into units: inout [UInt32]) {
        guard let indent else { return }
        units.append(10)
        for _ in 0..<level { units += indent }
    }

    private func sorted(_ mapping: Mapping) throws(TemplateError) -> [Int] {
        guard sortsKeys else { return Array(0..<mapping.count) }
        return try renderer.sortedPositions(mapping.keys, isReversed: false)
    }

    private func name(of key: Value) throws(TemplateError) -> [UInt32] {
        switch key {
        case .string(let text): return text.units
        case .none: return Text("null").units
        case .bool(let value): return Text(value ? "true" : "false").units
        case .int(let value): return Text(String(value)).units
        case .float(let value): return Text(written(value)).units
        default: throw TemplateError(.runtime, "a \(key.typeName) cannot be a key in JSON")
        }
    }

    private func written(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity" }
        return number.pythonRepresentation
    }

    private func quote(_ text: [UInt32], into units: inout [UInt32]) {
        units.append(34)
        for unit in text {
            let mark = unit & Text.mark
            switch unit & Text.scalarMask {
            case 34: units.append("\\\"", mark)
            case 92: units.append("\\\\", mark)
            case 8: units.append("\\b", mark)
            case 9: units.append("\\t", mark)
            case 10: units.append("\\n", mark)
            case 12: units.append("\\f", mark)
            case 13: units.append("\\r", mark)
            case let value where value < 32 || isASCII && value > 126 && value < 0x1_0000:
                if value == 127 {
                    units.append(unit)
                } else {
                    units.append("\\u" + value.hexadecimal(4), mark)
                }
            case let value where isASCII && value >= 0x1_0000:
                let rest = value - 0x1_0000
                units.append("\\u" + (0xD800 + (rest >> 10)).hexadecimal(4), mark)
                units.append("\\u" + (0xDC00 + (rest & 0x3FF)).hexadecimal(4), mark)
            default: units.append(unit)
            }
        }
        units.append(34)
    }
}
