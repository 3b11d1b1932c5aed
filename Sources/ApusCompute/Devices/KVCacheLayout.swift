/// How keys and values are kept: in blocks of so many tokens, the elements of a type.
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
