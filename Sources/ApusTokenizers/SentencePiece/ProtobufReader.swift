/// The fields of a message in the wire format of protocol buffers
/// (https://protobuf.dev/programming-guides/encoding), one after the other.
struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case word(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>
    private let place: String

    init(_ bytes: ArraySlice<UInt8>, at place: String) {
        rest = bytes
        self.place = place
    }

    /// The next field; `nil` at the end. Throws `malformed` where the bytes are no message.
    mutating func next() throws(TokenizerError) -> (field: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try number()
        let field = Int(key >> 3)
        switch key & 7 {
        case 0: return (field, .number(try number()))
        case 1:
            _ = try take(8)
            return try next()
        case 2:
            let length = try number()
            guard length <= UInt64(rest.count) else { throw malformed }
            return (field, .bytes(try take(Int(length))))
        case 5:
            let word = try take(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (field, .word(word))
        default: throw malformed
        }
    }

    private mutating func number() throws(TokenizerError) -> UInt64 {
        var (number, shift): (UInt64, UInt64) = (0, 0)
        while let byte = rest.popFirst() {
            guard shift < 64 else { break }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        throw malformed
    }

    private mutating func take(_ count: Int) throws(TokenizerError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private var malformed: TokenizerError { .malformed("\(place): is no SentencePiece model, or is cut short") }
}

extension ProtobufReader.Value {
    var bool: Bool? {
        guard case .number(let number) = self else { return nil }
        return number != 0
    }

    /// A number of 32 bits with a sign, which stands there with 64.
    var integer: Int? {
        guard case .number(let number) = self else { return nil }
        return Int(Int32(truncatingIfNeeded: number))
    }

    var float: Float? {
        guard case .word(let word) = self else { return nil }
        return Float(bitPattern: word)
    }

    var bytes: ArraySlice<UInt8>? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }
}
