/// Python's changes of letters, with the mark of each character kept.
enum CaseMapping {
    static func upper(_ units: [UInt32]) -> [UInt32] { map(units) { $0.properties.uppercaseMapping } }

    static func lower(_ units: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        for position in units.indices { lower(units, position, into: &result) }
        return result
    }

    private static func lower(_ units: [UInt32], _ position: Int, into result: inout [UInt32]) {
        let unit = units[position]
        if unit & Text.scalarMask == 0x3A3 {
            result.append((isFinalSigma(units, position) ? 0x3C2 : 0x3C3) | unit & Text.mark)
        } else {
            append(unit.scalar.properties.lowercaseMapping, for: unit, to: &result)
        }
    }

    private static func isFinalSigma(_ units: [UInt32], _ position: Int) -> Bool {
        func isCased(_ positions: some Sequence<Int>) -> Bool {
            for place in positions where !units[place].scalar.properties.isCaseIgnorable {
                return units[place].scalar.properties.isCased
            }
            return false
        }
        return isCased((0..<position).reversed()) && !isCased(position + 1..<units.count)
    }

    static func capitalized(_ units: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        for position in units.indices {
            if position == 0 {
                append(units[0].scalar.properties.titlecaseMapping, for: units[0], to: &result)
            } else {
                lower(units, position, into: &result)
            }
        }
        return result
    }

    /// A letter behind a letter becomes small, any other large.
    static func titled(_ units: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var isBehindLetter = false
        for position in units.indices {
            if isBehindLetter {
                lower(units, position, into: &result)
            } else {
                append(units[position].scalar.properties.titlecaseMapping, for: units[position], to: &result)
            }
            isBehindLetter = units[position].scalar.properties.isCased
        }
        return result
    }

    static func swapped(_ units: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        for position in units.indices {
            let scalar = units[position].scalar
            if scalar.properties.isUppercase {
                lower(units, position, into: &result)
            } else if scalar.properties.isLowercase {
                append(scalar.properties.uppercaseMapping, for: units[position], to: &result)
            } else {
                result.append(units[position])
            }
        }
        return result
    }

    static func isUpper(_ units: [UInt32]) -> Bool {
        units.contains { $0.scalar.properties.isUppercase }
            && !units.contains { $0.scalar.properties.isLowercase || $0.scalar.isTitlecase }
    }

    static func isLower(_ units: [UInt32]) -> Bool {
        units.contains { $0.scalar.properties.isLowercase }
            && !units.contains { $0.scalar.properties.isUppercase || $0.scalar.isTitlecase }
    }

    static func isTitled(_ units: [UInt32]) -> Bool {
        var (isBehindLetter, hasLetter) = (false, false)
        for unit in units {
            let scalar = unit.scalar
            if scalar.properties.isUppercase || scalar.isTitlecase {
                if isBehindLetter { return false }
                (isBehindLetter, hasLetter) = (true, true)
            } else if scalar.properties.isLowercase {
                if !isBehindLetter { return false }
                (isBehindLetter, hasLetter) = (true, true)
            } else {
                isBehindLetter = false
            }
        }
        return hasLetter
    }

    private static func map(_ units: [UInt32], _ change: (Unicode.Scalar) -> String) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(units.count)
        for unit in units { append(change(unit.scalar), for: unit, to: &result) }
        return result
    }

    private static func append(_ text: String, for unit: UInt32, to result: inout [UInt32]) {
        guard Unicode.Scalar(unit & Text.scalarMask) != nil else { return result.append(unit) }
        for scalar in text.unicodeScalars { result.append(scalar.value | unit & Text.mark) }
    }
}
