/// One layer's keys and values in blocks of `KVCacheLayout.blockSize` tokens. How a block is laid out is the device's
/// affair.
package struct KVCacheLayer: Sendable {
    package let keys: Tensor
    package let values: Tensor

    package init(keys: Tensor, values: Tensor) {
        self.keys = keys
        self.values = values
    }
}

package struct KVCacheLayout: Sendable, Hashable {
    /// Tokens of a block, on every device: attention sums block by block, so this is part of what a model computes.
    package static let blockSize = 16

    /// A head's elements are padded to a multiple of this, on every device, so that memory can be counted beforehand.
    package static let rowAlignment = 16

    package let blocks: Int
    package let kvHeads: Int
    package let headDim: Int
    /// float32 or bfloat16, or int8: then each token has for each head a float32 scale for its keys and one for its values,
    /// a 127th of the largest.
    package let dtype: DType

    package init(blocks: Int, kvHeads: Int, headDim: Int, dtype: DType) {
        self.blocks = blocks
        self.kvHeads = kvHeads
        self.headDim = headDim
        self.dtype = dtype
    }

    /// Elements that a token's key or value of one head takes, of `dtype`. An int8 one has its scale behind it.
    package var rowWidth: Int {
        let padded = (headDim + Self.rowAlignment - 1) / Self.rowAlignment * Self.rowAlignment
        return dtype == .int8 ? padded + 4 : padded
    }

    /// Bytes of one token's keys and values in one layer.
    package var bytesPerToken: Int { 2 * kvHeads * rowWidth * dtype.byteCount }
}

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
