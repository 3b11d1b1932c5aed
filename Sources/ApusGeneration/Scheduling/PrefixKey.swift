import ApusCompute

/// What a full KV block holds: its tokens, behind those of the block before it.
///
/// A block that is known by its content is only ever forgotten after all that follow it, so the number of the block
/// before stands for the whole text up to it. Keys are compared token by token: no two texts are ever taken for one.
struct PrefixKey: Hashable, Sendable {
    /// -1 at the start of a sequence.
    let parent: Int32
    /// `KVCacheLayout.blockSize` of them.
    let tokens: SIMD16<Int32>

    /// The key of the block at a place in a sequence, behind the block before it.
    init(place: Int, of tokens: [Int32], behind parent: Int32?) {
        self.parent = parent ?? -1
        let start = place * KVCacheLayout.blockSize
        self.tokens = SIMD16(tokens[start..<start + KVCacheLayout.blockSize])
    }
}
