/// Bytes cut into blocks of 64, with what a digest of the SHA family puts behind the last.
struct HashedBlocks {
    private static let size = 64

    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    mutating func add(_ bytes: UnsafeRawBufferPointer, _ mix: (UnsafeRawBufferPointer) -> Void) {
        count &+= UInt64(bytes.count)
        var start = 0
        if !rest.isEmpty {
            start = min(Self.size - rest.count, bytes.count)
            rest.append(contentsOf: bytes.prefix(start))
            guard rest.count == Self.size else { return }
            rest.withUnsafeBytes(mix)
            rest.removeAll(keepingCapacity: true)
        }
        while bytes.count - start >= Self.size {
            mix(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.size]))
            start += Self.size
        }
        rest.append(contentsOf: bytes[start...])
    }

    mutating func finish(_ mix: (UnsafeRawBufferPointer) -> Void) {
        let bits = (count &* 8).bigEndian
        rest.append(0x80)
        while rest.count % Self.size != Self.size - 8 { rest.append(0) }
        withUnsafeBytes(of: bits) { rest.append(contentsOf: $0) }
        for start in stride(from: 0, to: rest.count, by: Self.size) {
            rest.withUnsafeBytes { mix(UnsafeRawBufferPointer(rebasing: $0[start..<start + Self.size])) }
        }
        rest.removeAll()
    }

    static func text(_ state: [UInt32]) -> String {
        state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
