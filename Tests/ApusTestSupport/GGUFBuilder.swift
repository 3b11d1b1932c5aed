/// Writes GGUF files, right ones and wrong ones.
package struct GGUFBuilder {
    package enum Value {
        case integer(UInt32)
        case float(Float)
        case text(String)
        case texts([String])
        case numbers([Int32])
    }

    package var version: UInt32 = 3
    package var values: [(key: String, value: Value)] = []
    package var tensors: [(name: String, shape: [Int], type: UInt32, bytes: [UInt8])] = []

    package init() {}

    /// Elements of float32.
    package mutating func add(_ name: String, _ shape: [Int], _ elements: [Float]) {
        tensors.append((name, shape, 0, elements.flatMap { Self.little($0.bitPattern) }))
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

    private static func written(_ value: Value) -> [UInt8] {
        switch value {
        case .integer(let number): little(UInt32(4)) + little(number)
        case .float(let number): little(UInt32(6)) + little(number.bitPattern)
        case .text(let text): little(UInt32(8)) + self.text(text)
        case .texts(let texts):
            little(UInt32(9)) + little(UInt32(8)) + little(UInt64(texts.count)) + texts.flatMap(self.text)
        case .numbers(let numbers):
            little(UInt32(9)) + little(UInt32(5)) + little(UInt64(numbers.count)) + numbers.flatMap { little($0) }
        }
    }

    package var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + Self.little(version)
        bytes += Self.little(UInt64(tensors.count)) + Self.little(UInt64(values.count))
        for (key, value) in values { bytes += Self.text(key) + Self.written(value) }
        var offset = 0
        for tensor in tensors {
            bytes += Self.text(tensor.name) + Self.little(UInt32(tensor.shape.count))
            for extent in tensor.shape.reversed() { bytes += Self.little(UInt64(extent)) }
            bytes += Self.little(tensor.type) + Self.little(UInt64(offset))
            offset += (tensor.bytes.count + 31) / 32 * 32
        }
        for tensor in tensors {
            bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32) + tensor.bytes
        }
        return bytes
    }
}
