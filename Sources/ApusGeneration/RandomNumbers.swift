/// The random numbers of one prompt: a pure function of seed, prompt index and step.
///
/// So a prompt's tokens depend neither on its neighbours in a batch nor on the process that runs it.
package struct RandomNumbers: Sendable {
    private let generator: PhiloxGenerator
    private let promptIndex: UInt64

    package init(seed: UInt64, promptIndex: Int) {
        generator = PhiloxGenerator(
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        self.promptIndex = UInt64(bitPattern: Int64(promptIndex))
    }

    /// A number from 0 up to, not including, 1, in steps of 2^-53, for the step-th new token.
    package func uniform(step: Int) -> Double {
        let step = UInt64(bitPattern: Int64(step))
        let words = generator.words(
            at: SIMD4(
                UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32),
                UInt32(truncatingIfNeeded: promptIndex), UInt32(truncatingIfNeeded: promptIndex >> 32)))
        let bits = UInt64(words[0]) << 32 | UInt64(words[1])
        return Double(bits >> 11) * 0x1p-53
    }
}
