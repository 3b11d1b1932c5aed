package import ApusJSON

/// A line of a journal: sixteen digits of the digest of what follows, a letter, and the rest, by the letter.
///
///     h {...}                                                   what the run is
///     i {...}                                                   what its whole input holds
///     r INDEX DIGEST RANK TOKENS PROMPT-TOKENS STATUS LINE      a result; the digest is of the prompt's line
///     d {...}                                                   the run is over, and its output has its name
package enum JournalRecord: Sendable, Equatable {
    case header(JSONObject)
    case input(JSONObject)
    case result(Result)
    case done(JSONObject)

    package struct Result: Sendable, Equatable {
        package var index: Int
        /// Of the prompt's line.
        package var digest: UInt64
        package var rank: Int
        package var tokens: Int
        package var promptTokens: Int
        package var isError: Bool
        /// As it stands in the output, without its newline.
        package var line: [UInt8]

        package init(
            index: Int, digest: UInt64, rank: Int, tokens: Int, promptTokens: Int, isError: Bool, line: [UInt8]
        ) {
            self.index = index
            self.digest = digest
            self.rank = rank
            self.tokens = tokens
            self.promptTokens = promptTokens
            self.isError = isError
            self.line = line
        }
    }

    private static let digestCount = 16

    // MARK: Writing

    /// The whole line with its newline.
    package var bytes: [UInt8] {
        var body: [UInt8] = []
        switch self {
        case .header(let object): Self.append("h ", object, to: &body)
        case .input(let object): Self.append("i ", object, to: &body)
        case .done(let object): Self.append("d ", object, to: &body)
        case .result(let result):
            body.reserveCapacity(result.line.count + 64)
            body.append(contentsOf: "r ".utf8)
            for number in [
                result.index, Int(bitPattern: UInt(result.digest)), result.rank, result.tokens, result.promptTokens,
            ] {
                body.append(contentsOf: String(UInt64(bitPattern: Int64(number)), radix: 16).utf8)
                body.append(0x20)
            }
            body.append(contentsOf: (result.isError ? "error " : "ok ").utf8)
            body.append(contentsOf: result.line)
        }
        return Array(Digest.text(Digest.of(body)).utf8) + [0x20] + body + [0x0A]
    }

    private static func append(_ letter: String, _ object: JSONObject, to body: inout [UInt8]) {
        body.append(contentsOf: letter.utf8)
        body.append(contentsOf: JSONValue.object(object).serialized.utf8)
    }

    // MARK: Reading

    /// Reads a line without its newline; `nil` if it is not what was written.
    package init?(_ line: [UInt8]) {
        guard line.count > Self.digestCount + 2, line[Self.digestCount] == 0x20 else { return nil }
        let body = line[(Self.digestCount + 1)...]
        guard Self.number(line[..<Self.digestCount]) == Digest.of(body) else { return nil }
        let rest = body.dropFirst(2)
        switch body.first {
        case UInt8(ascii: "r"):
            guard let result = Self.result(rest) else { return nil }
            self = .result(result)
        case UInt8(ascii: "h"), UInt8(ascii: "i"), UInt8(ascii: "d"):
            guard let object = try? rest.withUnsafeBytes({ try JSONValue(parsing: $0) }).object else { return nil }
            self =
                body.first == UInt8(ascii: "h")
                ? .header(object) : body.first == UInt8(ascii: "i") ? .input(object) : .done(object)
        default: return nil
        }
    }

    private static func result(_ body: ArraySlice<UInt8>) -> Result? {
        var rest = body
        func word() -> ArraySlice<UInt8>? {
            guard let end = rest.firstIndex(of: 0x20) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }
        var numbers: [UInt64] = []
        for _ in 0..<5 {
            guard let number = word().flatMap(Self.number) else { return nil }
            numbers.append(number)
        }
        guard let status = word(), let index = Int(exactly: numbers[0]), let rank = Int(exactly: numbers[2]),
            let tokens = Int(exactly: numbers[3]), let promptTokens = Int(exactly: numbers[4])
        else { return nil }
        return Result(
            index: index, digest: numbers[1], rank: rank, tokens: tokens, promptTokens: promptTokens,
            isError: status.elementsEqual("error".utf8), line: Array(rest))
    }

    /// Hexadecimal, up to sixteen digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.count <= 16 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return value
    }
}
