/// Reads a regular expression in Oniguruma's syntax, as far as tokenizers use it.
///
/// Of its syntax, back references, subexpression calls, conditionals and `\X` are refused with an error. Definition:
/// https://github.com/kkos/oniguruma/blob/master/doc/RE
struct RegexParser {
    struct Options {
        var ignoresCase = false
        var dotMatchesNewline = false
        var isExtended = false
    }

    static let maximumDepth = 128
    static let maximumCount = 100_000

    let pattern: [Unicode.Scalar]
    var position = 0
    var options = Options()
    var depth = 0

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
        var parser = RegexParser(pattern)
        let node = try parser.parseAlternation()
        guard parser.position == parser.pattern.count else { throw parser.failure("an unmatched ')'") }
        return node
    }

    func failure(_ reason: String) -> RegexError { RegexError(reason: reason, offset: position) }

    var current: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    func peek(_ offset: Int) -> Unicode.Scalar? {
        position + offset < pattern.count ? pattern[position + offset] : nil
    }

    mutating func next() throws(RegexError) -> Unicode.Scalar {
        guard let scalar = current else { throw failure("an unexpected end") }
        position += 1
        return scalar
    }

    mutating func accept(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        guard pattern.count - position >= scalars.count,
            pattern[position..<position + scalars.count].elementsEqual(scalars)
        else { return false }
        position += scalars.count
        return true
    }

    mutating func parseAlternation() throws(RegexError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw failure("groups nested too deep") }
        // Options set inside a group end with it.
        let outer = options
        defer { options = outer }
        var branches = [try parseSequence()]
        while accept("|") { branches.append(try parseSequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func parseSequence() throws(RegexError) -> RegexNode {
        var items: [RegexNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            if options.isExtended {
                if ScalarSet.spaces.contains(scalar.value) {
                    position += 1
                    continue
                }
                if scalar == "#" {
                    while position < pattern.count, pattern[position] != "\n" { position += 1 }
                    continue
                }
            }
            guard var node = try parseAtom() else { continue }
            while let repetition = try parseRepetition() { node = .repetition(node, repetition) }
            items.append(node)
        }
        return items.count == 1 ? items[0] : .sequence(items)
    }

    /// `nil` for what matches nothing itself: comments and options.
    private mutating func parseAtom() throws(RegexError) -> RegexNode? {
        let scalar = try next()
        switch scalar {
        case "(": return try parseGroup()
        case "[": return .set(folded(try parseClass()))
        case ".": return .set(options.dotMatchesNewline ? .all : ScalarSet.newline.inverted)
        case "^": return .assertion(.lineStart)
        case "$": return .assertion(.lineEnd)
        case "*", "+", "?": throw failure("a quantifier without anything to repeat")
        case "\\": return try parseEscape()
        default: return .set(folded(ScalarSet(scalar.value)))
        }
    }

    private func folded(_ set: ScalarSet) -> ScalarSet { options.ignoresCase ? CaseFolding.closure(of: set) : set }

    private mutating func parseRepetition() throws(RegexError) -> RegexRepetition? {
        var repetition: RegexRepetition
        var isInterval = false
        switch current {
        case "*": repetition = RegexRepetition(minimum: 0, maximum: nil, kind: .greedy)
        case "+": repetition = RegexRepetition(minimum: 1, maximum: nil, kind: .greedy)
        case "?": repetition = RegexRepetition(minimum: 0, maximum: 1, kind: .greedy)
        case "{":
            guard let interval = try parseInterval() else { return nil }
            repetition = interval
            isInterval = true
        default: return nil
        }
        if !isInterval { position += 1 }
        if accept("?") {
            repetition.kind = .lazy
        } else if !isInterval, accept("+") {
            // After an interval, `+` repeats it: Oniguruma's own syntax has no possessive intervals.
            repetition.kind = .possessive
        }
        return repetition
    }

    /// `nil`, without moving, for a brace that opens no interval: it stands for itself.
    private mutating func parseInterval() throws(RegexError) -> RegexRepetition? {
        let start = position
        position += 1
        let minimum = try parseCount()
        var maximum = minimum
        if accept(",") { maximum = try parseCount() } else if minimum == nil { maximum = nil }
        guard accept("}"), minimum != nil || maximum != nil else {
            position = start
            return nil
        }
        if let minimum, let maximum, minimum > maximum { throw failure("an interval that runs backwards") }
        return RegexRepetition(minimum: minimum ?? 0, maximum: maximum, kind: .greedy)
    }

    private mutating func parseCount() throws(RegexError) -> Int? {
        var count: Int?
        while let digit = current, "0"..."9" ~= digit {
            let value = (count ?? 0) * 10 + Int(digit.value - 0x30)
            guard value <= Self.maximumCount else { throw failure("an interval above \(Self.maximumCount)") }
            count = value
            position += 1
        }
        return count
    }
}

/// Why a regular expression cannot be used.
struct RegexError: Error, Equatable {
    var reason: String
    /// Scalars from the pattern's start.
    var offset: Int
}
