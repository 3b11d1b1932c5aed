extension RegexParser {
    /// Reads on after the opening bracket of a character class.
    mutating func parseClass() throws(RegexError) -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw failure("classes nested too deep") }
        let isNegated = accept("^")
        var ranges: [ClosedRange<UInt32>] = []
        var intersection: ScalarSet?
        var isFirst = true
        while true {
            guard current != nil else { throw failure("a character class without its end") }
            if !isFirst, accept("]") { break }
            if accept("&&") {
                intersection = intersection.map { $0.intersection(ScalarSet(ranges)) } ?? ScalarSet(ranges)
                ranges = []
            } else {
                ranges += try parseClassItem()
            }
            isFirst = false
        }
        let set = intersection.map { $0.intersection(ScalarSet(ranges)) } ?? ScalarSet(ranges)
        return isNegated ? set.inverted : set
    }

    private mutating func parseClassItem() throws(RegexError) -> [ClosedRange<UInt32>] {
        if accept("[:") {
            let isNegated = accept("^")
            var name = ""
            while !accept(":]") { name.unicodeScalars.append(try next()) }
            guard let set = ScalarSet(posixClass: name) else {
                throw failure("the class \"\(name)\", which is not supported,")
            }
            return isNegated ? set.inverted.ranges : set.ranges
        }
        if accept("[") { return try parseClass().ranges }
        let start = try parseClassScalars()
        guard let first = start.single, current == "-", let after = peek(1), after != "]" else { return start.ranges }
        position += 1
        if accept("[") { return start.ranges + [0x2D...0x2D] + (try parseClass().ranges) }
        let end = try parseClassScalars()
        guard let last = end.single else { return start.ranges + [0x2D...0x2D] + end.ranges }
        guard first <= last else { throw failure("a range that runs backwards") }
        return [first...last]
    }

    private mutating func parseClassScalars() throws(RegexError) -> ScalarSet {
        let scalar = try next()
        guard scalar == "\\" else { return ScalarSet(scalar.value) }
        if accept("b") { return ScalarSet(0x08) }
        return try parseSetEscape()
    }
}

extension ScalarSet {
    /// The one scalar of a set that has no other.
    fileprivate var single: UInt32? {
        guard ranges.count == 1, let range = ranges.first, range.count == 1 else { return nil }
        return range.lowerBound
    }
}
