/// The split patterns of GPT-2, Llama 3 and Qwen 2, by hand: each matches every text from end to end.
enum WordScanner: Sendable {
    case gpt2
    /// The pattern of cl100k, with the longest number that stays in one piece: three digits (Llama 3) or one (Qwen 2).
    case cl100k(digits: Int)

    static let gpt2Pattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    static let llama3Pattern = cl100kPattern(numbers: #"\p{N}{1,3}"#)
    static let qwen2Pattern = cl100kPattern(numbers: #"\p{N}"#)

    private static func cl100kPattern(numbers: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    init?(pattern: String) {
        switch pattern {
        case Self.gpt2Pattern: self = .gpt2
        case Self.llama3Pattern: self = .cl100k(digits: 3)
        case Self.qwen2Pattern: self = .cl100k(digits: 1)
        default: return nil
        }
    }

    /// The end of the word that starts at a position before the limit.
    @inline(__always)
    func endOfWord(in text: UTF8Text, from start: Int, upTo limit: Int) -> Int {
        let scan = WordScan(text: text, limit: limit)
        return switch self {
        case .gpt2: scan.gpt2(from: start)
        case .cl100k(let digits): scan.cl100k(from: start, digits: digits)
        }
    }
}

/// What the patterns tell apart.
private enum WordClass: UInt8 {
    case other, letter, number, space
}

private struct WordScan {
    let text: UTF8Text
    let limit: Int

    private static func classify(_ scalar: UInt32) -> WordClass {
        let classes = ScalarClasses.oniguruma
        if GeneralCategories.letters.contains(classOf: scalar, in: classes) { return .letter }
        if GeneralCategories.numbers.contains(classOf: scalar, in: classes) { return .number }
        return classes.contains(ScalarClasses.space, scalar) ? .space : .other
    }

    @inline(__always)
    private func word(at position: Int) -> (class: WordClass, length: Int) {
        let byte = text[position]
        if byte < 0x80 { return (Self.asciiClass(byte), 1) }
        let (scalar, length) = text.scalar(at: position)
        return (Self.classify(scalar), length)
    }

    @inline(__always)
    private static func asciiClass(_ byte: UInt8) -> WordClass {
        if (byte | 0x20) &- 0x61 < 26 { return .letter }
        if byte &- 0x30 < 10 { return .number }
        return byte == 0x20 || byte &- 0x09 < 5 ? .space : .other
    }

    @inline(__always)
    private func run(of wanted: WordClass, from start: Int) -> Int {
        var position = start
        while position < limit {
            let (found, length) = word(at: position)
            guard found == wanted else { break }
            position += length
        }
        return position
    }

    func gpt2(from start: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'"), let end = contraction(from: start, ignoringCase: false) { return end }
        let (first, length) = word(at: start)
        if first != .space { return run(of: first, from: start + length) }
        if byte == 0x20, start + 1 < limit {
            let (second, length) = word(at: start + 1)
            if second != .space { return run(of: second, from: start + 1 + length) }
        }
        return spaces(from: start)
    }

    func cl100k(from start: Int, digits: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'"), let end = contraction(from: start, ignoringCase: true) { return end }
        let (first, length) = word(at: start)
        var next = start + length
        if first == .letter { return run(of: .letter, from: next) }
        if first == .number {
            var count = 1
            while count < digits, next < limit, case (.number, let length) = word(at: next) {
                next += length
                count += 1
            }
            return next
        }
        let isNewline = byte == 0x0A || byte == 0x0D
        if next < limit, !isNewline {
            let (second, length) = word(at: next)
            if second == .letter { return run(of: .letter, from: next + length) }
            if byte == 0x20, second == .other { return newlines(from: run(of: .other, from: next + length)) }
        }
        if first == .other { return newlines(from: run(of: .other, from: next)) }
        return spacesAndNewlines(from: start)
    }

    private func newlines(from start: Int) -> Int {
        var position = start
        while position < limit, text[position] == 0x0A || text[position] == 0x0D { position += 1 }
        return position
    }

    /// `\s+(?!\S)|\s+`: white space, except its last character if a word follows and something is left.
    private func spaces(from start: Int) -> Int { spaces(from: start, to: run(of: .space, from: start)) }

    private func spaces(from start: Int, to end: Int) -> Int {
        guard end < limit else { return end }
        let last = text.startOfScalar(endingAt: end)
        return last > start ? last : end
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`
    private func spacesAndNewlines(from start: Int) -> Int {
        let end = run(of: .space, from: start)
        var newline = end
        while newline > start {
            let byte = text[newline - 1]
            if byte == 0x0A || byte == 0x0D { return newline }
            newline -= 1
        }
        return spaces(from: start, to: end)
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`.
    private func contraction(from start: Int, ignoringCase: Bool) -> Int? {
        func byte(_ offset: Int) -> UInt8 {
            guard start + offset < limit else { return 0 }
            let byte = text[start + offset]
            return ignoringCase && 0x41...0x5A ~= byte ? byte | 0x20 : byte
        }
        switch byte(1) {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return byte(2) == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"): return byte(2) == UInt8(ascii: "l") ? start + 3 : nil
        // The long s (U+017F) is an s without regard to case.
        case 0xC5 where ignoringCase && byte(2) == 0xBF: return start + 3
        default: return nil
        }
    }
}
