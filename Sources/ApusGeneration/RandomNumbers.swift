/// The random numbers of one continuation: a pure function of seed, prompt index, the continuation's index and step.
///
/// So a prompt's tokens depend neither on its neighbours in a batch nor on the process that runs it.
package struct RandomNumbers: Sendable {
    private let generator: PhiloxGenerator
    private let promptIndex: UInt64
    private let sequence: UInt32

    /// - Parameter sequence: which of the prompt's continuations it is.
    package init(seed: UInt64, promptIndex: Int, sequence: Int = 0) {
        generator = PhiloxGenerator(
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        self.promptIndex = UInt64(bitPattern: Int64(promptIndex))
        self.sequence = UInt32(truncatingIfNeeded: sequence)
    }

    /// A number from 0 up to, not including, 1, in steps of 2^-53, for the step-th new token.
    package func uniform(step: Int) -> Double {
        let words = generator.words(
            at: SIMD4(
                UInt32(truncatingIfNeeded: step), sequence,
                UInt32(truncatingIfNeeded: promptIndex), UInt32(truncatingIfNeeded: promptIndex >> 32)))
        let bits = UInt64(words[0]) << 32 | UInt64(words[1])
        return Double(bits >> 11) * 0x1p-53
    }
}
