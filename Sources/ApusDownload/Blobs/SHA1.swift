/// SHA-1 (FIPS 180-4), by which git names what it keeps.
package struct SHA1 {
    private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
    private var blocks = HashedBlocks()

    package init() {}

    package mutating func add(_ bytes: UnsafeRawBufferPointer) { blocks.add(bytes) { Self.mix($0, &state) } }

    /// The digest in hexadecimal digits. Nothing can be added afterwards.
    package mutating func finish() -> String {
        blocks.finish { Self.mix($0, &state) }
        return HashedBlocks.text(state)
    }

    private static func mix(_ block: UnsafeRawBufferPointer, _ state: inout [UInt32]) {
        func turned(_ value: UInt32, _ count: UInt32) -> UInt32 { (value << count) | (value >> (32 &- count)) }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { w in
            for i in 0..<16 { w[i] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)) }
            for i in 16..<80 { w[i] = turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1) }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for i in 0..<80 {
                let (f, k): (UInt32, UInt32) =
                    switch i {
                    case 0..<20: ((b & c) | (~b & d), 0x5a82_7999)
                    case 20..<40: (b ^ c ^ d, 0x6ed9_eba1)
                    case 40..<60: ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc)
                    default: (b ^ c ^ d, 0xca62_c1d6)
                    }
                let next = turned(a, 5) &+ f &+ e &+ k &+ w[i]
                (e, d, c, b, a) = (d, c, turned(b, 30), a, next)
            }
            for (i, value) in [a, b, c, d, e].enumerated() { state[i] = state[i] &+ value }
        }
    }
}
