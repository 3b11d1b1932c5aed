/// Philox4x32-10: four 32-bit random words for every counter, without state.
///
/// J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
package struct PhiloxGenerator: Sendable {
    private let key: SIMD2<UInt32>

    package init(key: SIMD2<UInt32>) { self.key = key }

    package func words(at counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (counter, key) = (counter, key)
        for round in 0..<10 {
            if round > 0 { key &+= SIMD2(0x9E37_79B9, 0xBB67_AE85) }
            let first = UInt32(0xD251_1F53).multipliedFullWidth(by: counter[0])
            let second = UInt32(0xCD9E_8D57).multipliedFullWidth(by: counter[2])
            counter = SIMD4(
                second.high ^ counter[1] ^ key[0], second.low, first.high ^ counter[3] ^ key[1], first.low)
        }
        return counter
    }
}
