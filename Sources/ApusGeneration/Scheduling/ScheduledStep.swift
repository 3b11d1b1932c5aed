/// What one step computes: some tokens of some sequences.
package struct ScheduledStep: Sendable, Equatable {
    package struct Sequence: Sendable, Equatable {
        package let id: Int
        /// Tokens of the sequence, from the first that has no keys and values. The last may be one that is due: what the
        /// step before in the lane chooses.
        package let range: Range<Int>
        /// The sequence's KV blocks, enough for the range. Full ones before the range may be other sequences' too.
        package let table: BlockTable
        /// Those in each group of layers with a window.
        package let windows: [BlockTable]
        /// The sequence's row in the block tables that devices keep.
        package let seat: Int
        /// Whether the range ends with the last token known or due, so that the step yields the next.
        package let yieldsToken: Bool
        /// Whether the range ends with a token that is due.
        package let endsWithDue: Bool
        /// Where the scheduler had the sequence when it planned the step.
        let place: Int
        /// Tells whether the sequence has given its blocks back since.
        let epoch: Int
    }

    /// A beam that goes on from where another stands, in a place of its own.
    package struct Fork: Sendable, Equatable {
        package let parentSeat: Int
        package let seat: Int
        /// The begun block, in each group of layers: first those that keep all, then those with a window. Empty where the
        /// last block is full: nobody writes to it any more.
        package let blocks: [BlockCopy]
    }

    package struct BlockCopy: Sendable, Equatable {
        package let source: Int32
        package let target: Int32
    }

    package var sequences: [Sequence] = []
    /// What is to be copied before anything else, one after the other.
    package var forks: [Fork] = []
    package var lane = 0
    /// Tokens of all sequences.
    package var tokenCount = 0
    /// Sequences that yield a token.
    package var yieldCount = 0
}
