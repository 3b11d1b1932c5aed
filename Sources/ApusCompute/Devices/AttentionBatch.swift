/// Where the tokens of a ragged batch stand, on the device. All int32.
package struct AttentionBatch: Sendable {
    /// [tokens]: distance from the start of the sequence.
    package let positions: Tensor
    /// [tokens]: the first position that the token sees, at most its own; by default all see from position 0 on. Blocks
    /// that lie wholly before are not read, nor are their places in the table.
    package let firstKeys: Tensor?
    /// [tokens]: the block table of the token's sequence.
    package let sequences: Tensor
    /// [tokens]: block · blockSize + offset, where the token's key and value go.
    package let slots: Tensor
    /// [sequences, longest table]
    package let blockTables: Tensor

    package init(
        positions: Tensor, firstKeys: Tensor? = nil, sequences: Tensor, slots: Tensor, blockTables: Tensor
    ) {
        self.positions = positions
        self.firstKeys = firstKeys
        self.sequences = sequences
        self.slots = slots
        self.blockTables = blockTables
    }
}
