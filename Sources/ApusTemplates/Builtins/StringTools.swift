// What methods, filters and formats do to strings.
extension Renderer {
    var emptySeparator: TemplateError { TemplateError(.runtime, "the separator is empty") }

    func needText(_ value: Value?, _ function: String) throws(TemplateError) -> Text {
        guard case .string(let text)? = value else {
            throw undefinedOr(value ?? .none, "'\(function)' takes a string, not a \((value ?? .none).typeName)")
        }
        return text
    }

    func needIndex(_ value: Value?, _ fallback: Int, _ function: String) throws(TemplateError) -> Int {
        guard let value else { return fallback }
        guard let index = value.index else {
            throw undefinedOr(value, "'\(function)' takes an integer, not a \(value.typeName)")
        }
        return index
    }

    func text1(_ arguments: Arguments, _ function: String) throws(TemplateError) -> Text {
        try needText(
            try arguments.bind(function, ["text"], required: 1, positionalOnly: true)[0], function)
    }

    func matches(_ part: [UInt32], _ text: [UInt32], at start: Int) -> Bool {
        guard start >= 0, part.count <= text.count - start else { return false }
        return zip(part, text[start...]).allSatisfy { ($0 ^ $1) & Text.scalarMask == 0 }
    }

    func parts(_ slices: [ArraySlice<UInt32>], of text: Text) throws(TemplateError) -> [Value] {
        try slices.map { (slice) throws(TemplateError) in try string(Array(slice), isMarkup: text.isMarkup) }
    }

    func strip(_ text: Text, _ chars: Value, left: Bool, right: Bool) throws(TemplateError) -> Value {
        var set: Set<UInt32>?
        if !chars.isNone { set = Set(try needText(chars, "strip").units.map { $0 & Text.scalarMask }) }
        func isStripped(_ unit: UInt32) -> Bool {
            set.map { $0.contains(unit & Text.scalarMask) } ?? unit.isSpaceUnit
        }
        var units = text.units[...]
        if left { units = units.drop(while: isStripped) }
        if right { while let last = units.last, isStripped(last) { units.removeLast() } }
        return units.count == text.units.count
            ? .string(text) : try string(Array(units), isMarkup: text.isMarkup)
    }

    func joined(_ pieces: [[UInt32]], by separator: [UInt32]) throws(TemplateError) -> [UInt32] {
        var total = 0
        for piece in pieces { total += piece.count + separator.count }
        try reserve(total)
        return Array(pieces.joined(separator: separator))
    }

    func replaced(
        _ units: [UInt32], _ old: [UInt32], _ new: [UInt32], _ limit: Int
    ) throws(TemplateError) -> [UInt32] {
        var (result, start, count) = ([] as [UInt32], 0, 0)
        if old.isEmpty {
            try reserve(units.count + 1, times: new.count + 1)
            for position in 0...units.count {
                if limit < 0 || count < limit {
                    result += new
                    count += 1
                }
                if position < units.count { result.append(units[position]) }
            }
            return result
        }
        while limit < 0 || count < limit, let found = try find(old, in: units[start...]) {
            try spend()
            result += units[start..<found]
            result += new
            if result.count > 1 << 16 { try reserve(result.count) }
            (start, count) = (found + old.count, count + 1)
        }
        return result + units[start...]
    }

    func lines(_ units: [UInt32], keepsEnds: Bool) -> [ArraySlice<UInt32>] {
        var (lines, start, position) = ([] as [ArraySlice<UInt32>], 0, 0)
        while position < units.count {
            guard units[position].scalar.isLineBreak else {
                position += 1
                continue
            }
            let isPair =
                units[position].scalar == "\r" && position + 1 < units.count
                && units[position + 1].scalar == "\n"
            let end = position + (isPair ? 2 : 1)
            lines.append(units[start..<(keepsEnds ? end : position)])
            (start, position) = (end, end)
        }
        if start < units.count { lines.append(units[start...]) }
        return lines
    }

    func padded(_ units: [UInt32], _ width: Int, _ fill: UInt32, _ side: String) throws(TemplateError) -> [UInt32] {
        guard width > units.count else { return units }
        try reserve(width)
        let missing = width - units.count
        func filler(_ count: Int) -> [UInt32] { Array(repeating: fill, count: count) }
        switch side {
        case "ljust": return units + filler(missing)
        case "rjust": return filler(missing) + units
        case "zfill":
            guard let first = units.first, first.scalar == "-" || first.scalar == "+" else {
                return filler(missing) + units
            }
            return [first] + filler(missing) + units.dropFirst()
        default:
            let left = missing / 2 + (missing & width & 1)
            return filler(left) + units + filler(missing - left)
        }
    }

    func expandTabs(_ units: [UInt32], _ size: Int) throws(TemplateError) -> [UInt32] {
        var (result, column) = ([] as [UInt32], 0)
        for unit in units {
            switch unit.scalar {
            case "\t":
                guard size > 0 else { continue }
                let count = size - column % size
                try reserve(result.count + count)
                result += Array(repeating: 32 | unit & Text.mark, count: count)
                column += count
            case "\n", "\r":
                result.append(unit)
                column = 0
            default:
                result.append(unit)
                column += 1
            }
        }
        return result
    }

    func split(_ text: Text, _ arguments: Arguments, fromEnd: Bool) throws(TemplateError) -> Value {
        let values = try arguments.bind("split", ["sep", "maxsplit"])
        let limit = try needIndex(values[1], -1, "split")
        let most = limit < 0 ? Int.max : limit
        var pieces: [ArraySlice<UInt32>] = []
        let separator = values[0] ?? .none
        if separator.isNone {
            pieces = words(text.units, most, fromEnd: fromEnd)
        } else {
            let separator = try needText(separator, "split").units
            guard !separator.isEmpty else { throw emptySeparator }
            var rest = text.units[...]
            while pieces.count < most, let found = try find(separator, in: rest, fromEnd: fromEnd) {
                try spend()
                let end = found + separator.count
                pieces.append(fromEnd ? rest[end...] : rest[..<found])
                rest = fromEnd ? rest[..<found] : rest[end...]
            }
            pieces.append(rest)
            if fromEnd { pieces.reverse() }
        }
        return try list(try parts(pieces, of: text))
    }

    private func words(_ units: [UInt32], _ most: Int, fromEnd: Bool) -> [ArraySlice<UInt32>] {
        var (pieces, rest) = ([] as [ArraySlice<UInt32>], units[...])
        while true {
            if fromEnd {
                while let last = rest.last, last.isSpaceUnit { rest.removeLast() }
            } else {
                rest = rest.drop(while: \.isSpaceUnit)
            }
            guard !rest.isEmpty else { break }
            guard pieces.count < most else {
                pieces.append(rest)
                break
            }
            if fromEnd {
                let start = rest.lastIndex(where: \.isSpaceUnit).map { $0 + 1 } ?? rest.startIndex
                pieces.append(rest[start...])
                rest = rest[..<start]
            } else {
                let end = rest.firstIndex(where: \.isSpaceUnit) ?? rest.endIndex
                pieces.append(rest[..<end])
                rest = rest[end...]
            }
        }
        return fromEnd ? pieces.reversed() : pieces
    }
}
