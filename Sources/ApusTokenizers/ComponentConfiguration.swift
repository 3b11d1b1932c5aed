import ApusJSON

/// One JSON object of a tokenizer's files, with where it stands, so that every error can name it.
struct ComponentConfiguration {
    let value: JSONValue
    /// File and path, such as `tokenizer.json: pre_tokenizer.pretokenizers[1]`.
    let place: String

    /// Throws `malformed` if the value is no object.
    init(_ value: JSONValue, at place: String) throws(TokenizerError) {
        guard case .object = value else {
            throw .malformed("\(place) must be an object, not \(value.kind)")
        }
        self.value = value
        self.place = place
    }

    func type() throws(TokenizerError) -> String { try string("type") }

    func unsupportedType(_ what: String) throws(TokenizerError) -> TokenizerError {
        .unsupported("\(place): the \(what) type \"\(try type())\" is not supported")
    }

    /// Whether there is a member, be it null.
    func has(_ key: String) -> Bool { value[key] != nil }

    /// All members in order; of two with one key, both give what counts.
    var members: [JSONObject.Member] {
        guard let object = value.object else { return [] }
        return object.map { JSONObject.Member(key: $0.key, value: object[$0.key] ?? $0.value) }
    }

    /// A member that is present and not null.
    func optional(_ key: String) -> JSONValue? {
        guard let member = value[key], !member.isNull else { return nil }
        return member
    }

    func member(_ key: String) throws(TokenizerError) -> JSONValue {
        guard let member = optional(key) else { throw .malformed("\(place) has no \"\(key)\"") }
        return member
    }

    func mismatch(_ key: String, _ found: JSONValue, expected: String) -> TokenizerError {
        .malformed("\(place).\(key) must be \(expected), not \(found.kind)")
    }

    func string(_ key: String) throws(TokenizerError) -> String {
        let member = try member(key)
        guard let string = member.string else { throw mismatch(key, member, expected: "a string") }
        return string
    }

    func optionalString(_ key: String) throws(TokenizerError) -> String? {
        optional(key) == nil ? nil : try string(key)
    }

    func bool(_ key: String, default fallback: Bool? = nil) throws(TokenizerError) -> Bool {
        if let fallback, optional(key) == nil { return fallback }
        let member = try member(key)
        guard let bool = member.bool else { throw mismatch(key, member, expected: "true or false") }
        return bool
    }

    /// A count or an id: an integer from 0 to 2^32 - 1.
    func natural(_ key: String) throws(TokenizerError) -> UInt32 {
        let member = try member(key)
        guard let integer = member.integer, let natural = UInt32(exactly: integer) else {
            throw .malformed("\(place).\(key) must be an integer from 0 to 4294967295")
        }
        return natural
    }

    /// A string of exactly one Unicode scalar.
    func scalar(_ key: String) throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string(key).unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else {
            throw .malformed("\(place).\(key) must be one character")
        }
        return scalar
    }

    func array(_ key: String) throws(TokenizerError) -> [JSONValue] {
        let member = try member(key)
        guard let array = member.array else { throw mismatch(key, member, expected: "an array") }
        return array
    }

    func component(_ key: String) throws(TokenizerError) -> ComponentConfiguration {
        try ComponentConfiguration(try member(key), at: "\(place).\(key)")
    }

    func optionalComponent(_ key: String) throws(TokenizerError) -> ComponentConfiguration? {
        optional(key) == nil ? nil : try component(key)
    }

    func components(_ key: String) throws(TokenizerError) -> [ComponentConfiguration] {
        var components: [ComponentConfiguration] = []
        for (index, element) in try array(key).enumerated() {
            components.append(try ComponentConfiguration(element, at: "\(place).\(key)[\(index)]"))
        }
        return components
    }
}
