import ApusJSON

extension ConfigurationFile {
    /// Sizes beyond this are no model's, and products of three such sizes still fit `Int`.
    package static let maximumSize = 1 << 20

    package func optionalInt(_ key: String) throws(CheckpointError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.integer else { throw fault(key, expected: "an integer", got: value) }
        return number
    }

    package func int(_ key: String) throws(CheckpointError) -> Int {
        try required(key, try optionalInt(key), "an integer")
    }

    /// A size: an integer from 1 to `limit`, or `nil` if absent.
    package func optionalPositive(_ key: String, atMost limit: Int = maximumSize) throws(CheckpointError) -> Int? {
        guard let number = try optionalInt(key) else { return nil }
        guard number >= 1, number <= limit else {
            throw fault(key, expected: "an integer from 1 to \(limit)", got: String(number))
        }
        return number
    }

    /// A size: an integer from 1 to `limit`.
    package func positive(_ key: String, atMost limit: Int = maximumSize) throws(CheckpointError) -> Int {
        try required(key, try optionalPositive(key, atMost: limit), "an integer from 1 to \(limit)")
    }

    /// A number of something that there may be none of: an integer from 0 to `limit`, or `nil` if absent.
    package func optionalCount(_ key: String, atMost limit: Int = maximumSize) throws(CheckpointError) -> Int? {
        guard let number = try optionalInt(key) else { return nil }
        guard number >= 0, number <= limit else {
            throw fault(key, expected: "an integer from 0 to \(limit)", got: String(number))
        }
        return number
    }

    /// A finite number; integers count.
    package func optionalDouble(_ key: String) throws(CheckpointError) -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.double, number.isFinite else { throw fault(key, expected: "a number", got: value) }
        return number
    }

    package func double(_ key: String) throws(CheckpointError) -> Double {
        try required(key, try optionalDouble(key), "a number")
    }

    package func optionalBool(_ key: String) throws(CheckpointError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let flag = value.bool else { throw fault(key, expected: "true or false", got: value) }
        return flag
    }

    package func bool(_ key: String) throws(CheckpointError) -> Bool {
        try required(key, try optionalBool(key), "true or false")
    }

    package func optionalString(_ key: String) throws(CheckpointError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.string else { throw fault(key, expected: "a string", got: value) }
        return text
    }

    package func string(_ key: String) throws(CheckpointError) -> String {
        try required(key, try optionalString(key), "a string")
    }
}

// MARK: - Lists and nested objects

extension ConfigurationFile {
    /// One integer or a list of them, as `eos_token_id` is written; empty if absent.
    package func integers(_ key: String) throws(CheckpointError) -> [Int] {
        guard let value = self[key] else { return [] }
        if let number = value.integer { return [number] }
        return try elements(key, of: value, "an integer or a list of integers", \.integer)
    }

    /// One string or a list of them; empty if absent.
    package func strings(_ key: String) throws(CheckpointError) -> [String] {
        guard let value = self[key] else { return [] }
        if let text = value.string { return [text] }
        return try elements(key, of: value, "a string or a list of strings", \.string)
    }

    /// A list of finite numbers, `nil` if absent.
    package func optionalDoubles(_ key: String) throws(CheckpointError) -> [Double]? {
        guard let value = self[key] else { return nil }
        let numbers = try elements(key, of: value, "a list of numbers", \.double)
        guard numbers.allSatisfy(\.isFinite) else {
            throw fault(key, expected: "a list of finite numbers", got: "one that is not")
        }
        return numbers
    }

    private func elements<Value>(
        _ key: String, of value: JSONValue, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(CheckpointError) -> [Value] {
        guard let array = value.array else { throw fault(key, expected: expected, got: value) }
        var elements: [Value] = []
        for entry in array {
            guard let element = read(entry) else {
                throw fault(key, expected: expected, got: "a list with \(entry.kind)")
            }
            elements.append(element)
        }
        return elements
    }

    /// A nested object, `nil` if absent.
    package func optionalObject(_ key: String) throws(CheckpointError) -> ConfigurationFile? {
        guard let value = self[key] else { return nil }
        guard let object = value.object else { throw fault(key, expected: "an object", got: value) }
        if let name = object.duplicateKey { throw fault(key, expected: "distinct keys", got: "\(name.quoted) twice") }
        return ConfigurationFile(file: file, place: place.isEmpty ? key : "\(place).\(key)", object: object)
    }
}
