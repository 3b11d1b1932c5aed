import ApusCompute

/// How many KV blocks a model gets.
package struct CacheSize: Sendable, Equatable {
    package let blocks: Int
    /// Most positions of a sequence. Where memory allows, it does not depend on the batch.
    package let contextLength: Int

    /// A shorter sequence is not worth starting for, unless the model asks for no more.
    static let leastContext = 512
    /// float32 rows beside those of the batch: of the one logits row that a token is just chosen from, and of what top-p and
    /// log-probabilities keep of it meanwhile.
    private static let choosingRows = 10

    /// Room for every sequence of a batch at its full length, or for what the memory holds.
    ///
    /// Throws `GenerationError` (`.outOfMemory`) if that is less than the logits of the batch and one sequence of
    /// `leastContext` tokens, naming what would fit.
    ///
    /// - Parameters:
    ///   - bytesPerToken: keys and values of a token, in all layers.
    ///   - bytesPerSequence: states of a sequence, in all layers.
    ///   - workspace: bytes of a step's activations and of what its operations use.
    ///   - memory: bytes that may be used.
    package init(
        bytesPerToken: Int, bytesPerSequence: Int = 0, vocabularySize: Int, contextLength: Int, batchSize: Int,
        workspace: Int, memory: Int
    ) throws(GenerationError) {
        // No machine has as much of anything; below, sums and products of these stay exact.
        func bounded(_ number: Int) -> Int128 { Int128(min(max(number, 0), 1 << 56)) }
        let blockSize = Int128(KVCacheLayout.blockSize)
        let bytesPerBlock = bounded(bytesPerToken) * blockSize
        let bytesOfLogits = bounded(vocabularySize) * 4
        let bytesPerRow = bytesOfLogits + bounded(bytesPerSequence)
        let batchSize = bounded(max(batchSize, 1))
        let longest = bounded(max(contextLength, 1))
        let least = min(longest, Int128(Self.leastContext))

        let leastBytes = Self.blocks(least) * bytesPerBlock
        let working = bounded(workspace) + Int128(Self.choosingRows) * bytesOfLogits
        let available = bounded(memory)
        let memory = max(available - working, 0)
        guard memory >= leastBytes + batchSize * bytesPerRow else {
            let fittingBatch = (memory - leastBytes) / max(bytesPerRow, 1)
            let fittingBlocks = max(memory - bytesPerRow, 0) / max(bytesPerBlock, 1)
            let fits =
                if fittingBatch >= 1 {
                    "a batch size of \(fittingBatch) would fit"
                } else if fittingBlocks >= 1 {
                    "a batch size of 1 with a context of \(fittingBlocks * blockSize) tokens would fit"
                } else {
                    "nothing would fit"
                }
            throw .outOfMemory(
                "logits for a batch size of \(batchSize), keys and values for a context of \(least) tokens and the work of a "
                    + "step need \(leastBytes + batchSize * bytesPerRow + working) bytes, but there are \(available) "
                    + "bytes: \(fits)")
        }
        let possible = (memory - batchSize * bytesPerRow) / max(bytesPerBlock, 1)
        // Slots are numbered in 32 bits.
        let most = Int128(Int32.max) / blockSize
        blocks = Int(clamping: min(batchSize * Self.blocks(longest), possible, most))
        self.contextLength = Int(clamping: min(longest, Int128(blocks) * blockSize))
    }

    private static func blocks(_ tokens: Int128) -> Int128 {
        (tokens + Int128(KVCacheLayout.blockSize) - 1) / Int128(KVCacheLayout.blockSize)
    }
}
