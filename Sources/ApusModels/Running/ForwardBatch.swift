/// The tokens of one step, of all scheduled sequences one after the other, and where each stands. Prefill and decode
/// are the same: a sequence has as many tokens here as were scheduled for it.
package struct ForwardBatch: Sendable {
    /// Token ids, or -(row + 1) for what the step before chose in a row of its outputs.
    package var tokens: [Int32] = []
    /// Distance of each token from the start of its sequence.
    package var positions: [Int32] = []
    /// Length of the sequence as each token's rotary embedding sees it (`RotarySpec.Scaling.dynamic`).
    package var rotaryLengths: [Int32] = []
    /// The first key that each token sees; empty where each sees all up to its own.
    package var firstKeys: [Int32] = []
    /// The block table of each token's sequence.
    package var sequences: [Int32] = []
    /// Where each token's key and value go: block · blockSize + offset.
    package var slots: [Int32] = []
    /// The same in each group of layers with a window (`StepLimits.windows`).
    package var windowSlots: [[Int32]] = []
    /// What changes in the block tables, which devices keep from step to step.
    package var tableUpdates: [TableUpdate] = []
    /// Blocks that are copied before anything else, one after the other, in each group of layers: first those that keep all
    /// of a sequence, then those with a window.
    package var blockCopies: [[Copy]] = []
    /// The same with the states of sequences, by their block tables.
    package var stateCopies: [Copy] = []
    /// Tokens whose logits are wanted, as indices into `tokens`.
    package var outputs: [Int32] = []

    package struct TableUpdate: Sendable, Equatable {
        package var group: Int32 = 0
        package var sequence: Int32
        /// Place in the sequence's table.
        package var index: Int32
        package var block: Int32

        package init(group: Int32 = 0, sequence: Int32, index: Int32, block: Int32) {
            self.group = group
            self.sequence = sequence
            self.index = index
            self.block = block
        }
    }

    package struct Copy: Sendable, Equatable {
        package var source: Int32
        package var target: Int32

        package init(source: Int32, target: Int32) { (self.source, self.target) = (source, target) }
    }

    package init() {}

    /// Sets the table of a sequence from a place on.
    package mutating func setTable(
        of sequence: Int, _ blocks: some Sequence<Int32>, from start: Int = 0, group: Int = 0
    ) {
        for (offset, block) in blocks.enumerated() {
            tableUpdates.append(
                TableUpdate(
                    group: Int32(truncatingIfNeeded: group), sequence: Int32(truncatingIfNeeded: sequence),
                    index: Int32(truncatingIfNeeded: start + offset),
                    block: block))
        }
    }
}
