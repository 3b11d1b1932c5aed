/// What one step computes: some tokens of some sequences.
package struct ScheduledStep: Sendable, Equatable {
    package struct Sequence: Sendable, Equatable {
        package let id: Int
        /// Tokens of the sequence, from the first that has no keys and values.
        package let range: Range<Int>
        /// The sequence's KV blocks, in order; enough for the range. Full ones before the range may be other
        /// sequences' too.
        package let blocks: [Int32]
        /// Whether the range ends with the last token known, so that the step yields the next.
        package let yieldsToken: Bool
        /// Where the scheduler had the sequence when it planned the step.
        let place: Int
    }

    package var sequences: [Sequence] = []
    /// Tokens of all sequences.
    package var tokenCount = 0
    /// Sequences that yield a token.
    package var yieldCount = 0
}
