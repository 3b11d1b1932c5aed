import ApusJSON

/// Reads the numbers and strings of a GGUF file one after the other. Whatever they say, it stays within the file.
struct GGUFReader {
    let mapping: MappedFile
    private(set) var place = 0

    init(_ mapping: MappedFile) { self.mapping = mapping }

    /// Arrays of arrays and longer strings are no model's.
    private static let deepest = 4
    private static let longestName = 1 << 16

    private func fault(_ reason: String) -> CheckpointError { .malformed("\(mapping.path): \(reason)") }

    mutating func skip(_ count: Int) throws(CheckpointError) {
        guard count <= mapping.bytes.count - place else {
            throw fault("the header ends at byte \(mapping.bytes.count), in the middle; is the file cut short?")
        }
        place += count
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(CheckpointError) -> Number {
        let start = place
        try skip(MemoryLayout<Number>.size)
        return Number(littleEndian: mapping.bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
    }

    /// A number of things of which each takes so many bytes at least.
    mutating func count(of bytes: Int, _ what: String) throws(CheckpointError) -> Int {
        let count = try number(UInt64.self)
        guard count <= UInt64((mapping.bytes.count - place) / bytes) else {
            throw fault("\(count) \(what) are more than the file has room for; is it cut short?")
        }
        return Int(count)
    }

    mutating func string(_ what: String) throws(CheckpointError) -> String {
        let length = try count(of: 1, "bytes of \(what)")
        let bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[place..<place + length])
        try skip(length)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("\(what): is not UTF-8") }
        return text
    }

    mutating func name(_ what: String) throws(CheckpointError) -> String {
        let name = try string(what)
        guard !name.isEmpty, name.utf8.count <= Self.longestName else {
            throw fault("\(what): a name of \(name.utf8.count) bytes")
        }
        return name
    }

    mutating func value(_ type: UInt32, _ what: String, depth: Int = 0) throws(CheckpointError) -> JSONValue {
        switch type {
        case 0: return .integer(Int(try number(UInt8.self)))
        case 1: return .integer(Int(try number(Int8.self)))
        case 2: return .integer(Int(try number(UInt16.self)))
        case 3: return .integer(Int(try number(Int16.self)))
        case 4: return .integer(Int(try number(UInt32.self)))
        case 5: return .integer(Int(try number(Int32.self)))
        case 6: return .number(Double(Float(bitPattern: try number(UInt32.self))))
        case 7: return .bool(try number(UInt8.self) != 0)
        case 8: return .string(try string(what))
        case 9:
            let (element, count) = try array(what, depth)
            var values: [JSONValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try value(element, what, depth: depth + 1)) }
            return .array(values)
        case 10:
            let number = try number(UInt64.self)
            return Int(exactly: number).map(JSONValue.integer) ?? .number(Double(number))
        case 11: return .integer(Int(try number(Int64.self)))
        case 12: return .number(Double(bitPattern: try number(UInt64.self)))
        default: throw fault("\(what): unknown type of values \(type)")
        }
    }

    /// Goes past a value.
    mutating func skipValue(_ type: UInt32, _ what: String, depth: Int = 0) throws(CheckpointError) {
        if let size = Self.size(type) { return try skip(size) }
        switch type {
        case 8: try skip(try count(of: 1, "bytes of \(what)"))
        case 9:
            let (element, count) = try array(what, depth)
            if let size = Self.size(element) { return try skip(count * size) }
            for _ in 0..<count { try skipValue(element, what, depth: depth + 1) }
        default: throw fault("\(what): unknown type of values \(type)")
        }
    }

    /// The type of an array's elements, and how many there are.
    private mutating func array(_ what: String, _ depth: Int) throws(CheckpointError) -> (UInt32, Int) {
        guard depth < Self.deepest else { throw fault("\(what): arrays within \(Self.deepest) others") }
        let element = try number(UInt32.self)
        return (element, try count(of: Self.size(element) ?? 8, "elements of \(what)"))
    }

    private static func size(_ type: UInt32) -> Int? {
        switch type {
        case 0, 1, 7: 1
        case 2, 3: 2
        case 4, 5, 6: 4
        case 10, 11, 12: 8
        default: nil
        }
    }
}
