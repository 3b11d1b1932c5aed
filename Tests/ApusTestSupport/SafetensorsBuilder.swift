/// Puts the bytes of a safetensors file together, right or deliberately wrong.
package struct SafetensorsBuilder {
    package private(set) var entries: [String] = []
    package private(set) var data: [UInt8] = []

    package init() {}

    /// Adds a tensor whose bytes follow those of the one before. The name must need no escapes.
    package mutating func add(_ name: String, _ dtype: String, _ shape: [Int], _ bytes: [UInt8]) {
        entries.append(
            #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(data.count),\#(data.count + bytes.count)]}"#
        )
        data += bytes
    }

    package mutating func add(_ name: String, _ values: [Float], shape: [Int]? = nil) {
        add(name, "F32", shape ?? [values.count], values.withUnsafeBytes { Array($0) })
    }

    /// Adds an entry as it is written, and its data.
    package mutating func addRaw(_ entry: String, _ bytes: [UInt8] = []) {
        entries.append(entry)
        data += bytes
    }

    package var header: String { "{" + entries.joined(separator: ",") + "}" }
    package var bytes: [UInt8] { Self.file(header: header, data: data) }

    package static func file(header: String, data: [UInt8], length: UInt64? = nil) -> [UInt8] {
        let length = (length ?? UInt64(header.utf8.count)).littleEndian
        return withUnsafeBytes(of: length) { Array($0) } + Array(header.utf8) + data
    }
}
