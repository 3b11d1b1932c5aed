/// Reads one JSON document from bytes that nobody has checked.
///
/// Depth is bounded, strings are checked to be UTF-8, and memory stays proportional to the text. `NaN` and
/// `Infinity` are accepted because Python's `json` writes them into configuration files, unless the reader is strict.
struct JSONParser {
    private static let maximumDepth = 256

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    /// Whether only what RFC 8259 knows is accepted.
    private let isStrict: Bool
    /// Members of the outermost object that are kept as they are written.
    private let verbatimKeys: Set<String>
    /// Whether integers that do not fit `Int` stay as they are written, instead of becoming floats.
    private let keepsLargeIntegers: Bool
    /// Whether floats are those that serde_json makes of them.
    private let readsAsSerde: Bool

    init(
        _ bytes: UnsafeRawBufferPointer, isStrict: Bool = false, verbatimKeys: Set<String> = [],
        keepsLargeIntegers: Bool = false, readsAsSerde: Bool = false
    ) {
        self.readsAsSerde = readsAsSerde
        self.isStrict = isStrict
        self.verbatimKeys = verbatimKeys
        self.keepsLargeIntegers = keepsLargeIntegers
        self.bytes = UnsafeBufferPointer(
            start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end of the document") }
        return value
    }

    private func failure(_ reason: String, at offset: Int? = nil) -> JSONError {
        JSONError(offset: offset ?? position, reason: reason)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        guard let byte = current else { throw failure("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try parseObject())
        case UInt8(ascii: "["): return .array(try parseArray())
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case UInt8(ascii: "N") where !isStrict: return try parseWord("NaN", .number(.nan))
        case UInt8(ascii: "I") where !isStrict: return try parseWord("Infinity", .number(.infinity))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure("unexpected character")
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard length <= bytes.count - position else { throw failure("unexpected end") }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] {
            throw failure("unexpected word")
        }
        position += length
        return value
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= Self.maximumDepth else { throw failure("nested deeper than \(Self.maximumDepth)") }
        position += 1
        skipSpace()
    }

    private mutating func parseArray() throws(JSONError) -> [JSONValue] {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if current == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try parseValue())
            if try endOfMember(closing: UInt8(ascii: "]")) { return elements }
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONObject {
        try enter()
        defer { depth -= 1 }
        if current == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        var members: [JSONObject.Member] = []
        while true {
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            let key = try parseString()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            skipSpace()
            let start = position
            let value = try parseValue()
            members.append(JSONObject.Member(key: key, value: isVerbatim(key) ? written(from: start) : value))
            if try endOfMember(closing: UInt8(ascii: "}")) { return JSONObject(members) }
        }
    }

    private func isVerbatim(_ key: String) -> Bool { depth == 1 && verbatimKeys.contains(key) }

    /// What stands between an offset and here.
    private func written(from start: Int) -> JSONValue {
        .verbatim(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    /// Steps over what follows an element: true at the closing bracket, false at a comma.
    private mutating func endOfMember(closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = current else { throw failure("unexpected end") }
        guard byte == closing || byte == UInt8(ascii: ",") else { throw failure("expected ',' or a closing bracket") }
        position += 1
        if byte == closing { return true }
        skipSpace()
        return false
    }

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        if current == UInt8(ascii: "-") {
            position += 1
            if !isStrict, current == UInt8(ascii: "I") { return try parseWord("Infinity", .number(-.infinity)) }
        }
        let leading = current
        try skipDigits()
        if leading == UInt8(ascii: "0"), position - start > (bytes[start] == UInt8(ascii: "-") ? 2 : 1) {
            throw failure("a number with a leading zero", at: start)
        }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        if isInteger, keepsLargeIntegers { return .verbatim(text) }
        guard let value = readsAsSerde ? Double(serde: text) : Double(text) else {
            throw failure("an unreadable number", at: start)
        }
        return .number(value)
    }

    private mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw failure("expected a digit") }
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func parseString() throws(JSONError) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard current == UInt8(ascii: "\"") else { return try parseEscapedString(from: start) }
        defer { position += 1 }
        return try validated(bytes[start..<position], at: start)
    }

    private mutating func parseEscapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while true {
            guard let byte = current else { throw failure("unterminated string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try validated(text, at: start)
            case UInt8(ascii: "\\"): try parseEscape(into: &text)
            case 0..<0x20: throw failure("a control character inside a string", at: position - 1)
            default: text.append(byte)
            }
        }
    }

    private func validated(_ text: some Collection<UInt8>, at offset: Int) throws(JSONError) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw failure("a string that is not UTF-8", at: offset)
        }
        return string
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw failure("unterminated string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try parseEscapedScalar()).utf8)
        default: throw failure("an unknown escape", at: position - 1)
        }
    }

    private mutating func parseEscapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = position - 2
        let high = try parseHexadecimal()
        var value = UInt32(high)
        if 0xD800..<0xDC00 ~= high, current == UInt8(ascii: "\\"), position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let low = try parseHexadecimal()
            guard 0xDC00..<0xE000 ~= low else { throw failure("half of a surrogate pair", at: start) }
            value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair", at: start) }
        return scalar
    }

    private mutating func parseHexadecimal() throws(JSONError) -> UInt16 {
        guard bytes.count - position >= 4 else { throw failure("unterminated string") }
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue, bytes[position] < 0x80 else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}

extension JSONValue {
    /// Reads a document. Throws `JSONError` with the offset of the first byte that is not JSON.
    ///
    /// - Parameters:
    ///   - keepsLargeIntegers: whether integers that do not fit `Int` are kept as they are written.
    ///   - readsAsSerde: whether floats are those that Rust's serde_json makes of them, rather than the nearest.
    package init(
        parsing bytes: UnsafeRawBufferPointer, keepsLargeIntegers: Bool = false, readsAsSerde: Bool = false
    ) throws(JSONError) {
        var parser = JSONParser(bytes, keepsLargeIntegers: keepsLargeIntegers, readsAsSerde: readsAsSerde)
        self = try parser.parseDocument()
    }

    /// Reads a document as RFC 8259 has it, without the `NaN` and `Infinity` of Python's `json`.
    ///
    /// - Parameters:
    ///   - verbatimKeys: members of the outermost object that are kept as they are written.
    ///   - keepsLargeIntegers: whether integers that do not fit `Int` are, too.
    package init(
        strictly bytes: UnsafeRawBufferPointer, verbatimKeys: Set<String> = [], keepsLargeIntegers: Bool = false
    ) throws(JSONError) {
        var parser = JSONParser(
            bytes, isStrict: true, verbatimKeys: verbatimKeys, keepsLargeIntegers: keepsLargeIntegers)
        self = try parser.parseDocument()
    }

    package init(parsing text: some StringProtocol, keepsLargeIntegers: Bool = false) throws(JSONError) {
        var text = String(text)
        self = try text.withUTF8 { utf8 -> Result<JSONValue, JSONError> in
            Result { () throws(JSONError) in
                try JSONValue(parsing: UnsafeRawBufferPointer(utf8), keepsLargeIntegers: keepsLargeIntegers)
            }
        }.get()
    }
}
