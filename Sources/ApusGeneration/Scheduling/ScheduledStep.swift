/// What one step computes: some tokens of some sequences.
package struct ScheduledStep: Sendable, Equatable {
    package struct Sequence: Sendable, Equatable {
        package let id: Int
        /// Tokens of the sequence, from the first that has no keys and values yet.
        package let range: Range<Int>
        /// The sequence's KV blocks, in order; enough for the range.
        package let blocks: [Int32]
        /// Whether the range ends with the last token known, so that the step yields the next.
        package let yieldsToken: Bool
    }

    package var sequences: [Sequence] = []

    package var tokenCount: Int { sequences.reduce(0) { $0 + $1.range.count } }
}
