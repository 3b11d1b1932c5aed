/// XXH64 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): tells contents apart that differ by accident or by work. It
/// withstands no attack, and none is expected on a run's own files.
package struct Digest: Sendable {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
    private static let stripeByteCount = 32

    private var lanes: SIMD4<UInt64>
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    package init() {
        lanes = SIMD4(Self.prime1 &+ Self.prime2, Self.prime2, 0, 0 &- Self.prime1)
    }

    /// Of bytes that are all there.
    package static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var digest = Digest()
        digest.add(Array(bytes))
        return digest.value
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        byteCount &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let missing = min(Self.stripeByteCount - pending.count, rest.count)
            pending.append(contentsOf: rest.prefix(missing))
            rest = rest.dropFirst(missing)
            guard pending.count == Self.stripeByteCount else { return }
            pending.withUnsafeBytes { lanes = Self.mixed(lanes, $0, 0) }
            pending.removeAll(keepingCapacity: true)
        }
        let whole = UnsafeRawBufferPointer(rebasing: rest)
        let stripes = whole.count / Self.stripeByteCount
        var state = lanes
        for stripe in 0..<stripes { state = Self.mixed(state, whole, stripe * Self.stripeByteCount) }
        lanes = state
        pending.append(contentsOf: whole[(stripes * Self.stripeByteCount)...])
    }

    package var value: UInt64 {
        var result: UInt64
        if byteCount >= UInt64(Self.stripeByteCount) {
            result =
                Self.turned(lanes[0], 1) &+ Self.turned(lanes[1], 7) &+ Self.turned(lanes[2], 12)
                &+ Self.turned(lanes[3], 18)
            for lane in 0..<4 {
                result = (result ^ Self.round(0, lanes[lane])) &* Self.prime1 &+ Self.prime4
            }
        } else {
            result = Self.prime5
        }
        result &+= byteCount
        pending.withUnsafeBytes { rest in
            var offset = 0
            while offset + 8 <= rest.count {
                let word = UInt64(littleEndian: rest.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                result = Self.turned(result ^ Self.round(0, word), 27) &* Self.prime1 &+ Self.prime4
                offset += 8
            }
            if offset + 4 <= rest.count {
                let word = UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                result = Self.turned(result ^ (UInt64(word) &* Self.prime1), 23) &* Self.prime2 &+ Self.prime3
                offset += 4
            }
            while offset < rest.count {
                result = Self.turned(result ^ (UInt64(rest[offset]) &* Self.prime5), 11) &* Self.prime1
                offset += 1
            }
        }
        result = (result ^ (result >> 33)) &* Self.prime2
        result = (result ^ (result >> 29)) &* Self.prime3
        return result ^ (result >> 32)
    }

    private static func mixed(_ lanes: SIMD4<UInt64>, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> SIMD4<UInt64> {
        var lanes = lanes
        for lane in 0..<4 {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8 * lane, as: UInt64.self))
            lanes[lane] = round(lanes[lane], word)
        }
        return lanes
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        turned(lane &+ word &* prime2, 31) &* prime1
    }

    private static func turned(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    /// Sixteen hexadecimal digits.
    package static func text(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Of a file's first bytes. Throws `RunError` if it cannot be read.
    package static func ofFile(_ path: String, first count: Int = .max) throws(RunError) -> UInt64 {
        var digest = Digest()
        var left = count
        try FileContents.read(path) { bytes throws(RunError) in
            digest.add(UnsafeRawBufferPointer(rebasing: bytes.prefix(left)))
            left -= min(left, bytes.count)
            return left > 0
        }
        return digest.value
    }
}
