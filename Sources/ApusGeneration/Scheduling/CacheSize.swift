import ApusCompute
import ApusModels

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
    ///   - workspace: bytes of a step's activations and of what its operations use.
    ///   - memory: bytes that may be used.
    ///   - kept: bytes that all layers keep of sequences, for a number of blocks and of sequences; never less for more.
    package init(
        vocabularySize: Int, contextLength: Int, batchSize: Int, workspace: Int, memory: Int,
        kept: (_ blocks: Int, _ sequences: Int) -> Int128
    ) throws(GenerationError) {
        // No machine has as much of anything; below, sums and products of these stay exact.
        func bounded(_ number: Int) -> Int128 { Int128(min(max(number, 0), 1 << 56)) }
        // Slots are numbered in 32 bits.
        let most = Int(Int32.max) / KVCacheLayout.blockSize
        let bytesOfLogits = bounded(vocabularySize) * 4
        let batchSize = min(max(batchSize, 1), 1 << 56)
        let longest = min(max(contextLength, 1), 1 << 56)
        let least = min(longest, Self.leastContext)

        let working = bounded(workspace) + Int128(Self.choosingRows) * bytesOfLogits
        let memory = bounded(memory)
        func needed(_ blocks: Int, _ batchSize: Int) -> Int128 {
            kept(blocks, batchSize) + Int128(batchSize) * bytesOfLogits + working
        }
        let leastBlocks = Self.blocks(least)
        guard needed(leastBlocks, batchSize) <= memory else {
            let fittingBatch = largest(from: 0, below: batchSize) { needed(leastBlocks, $0) <= memory }
            let fittingBlocks = largest(from: 0, below: leastBlocks) { needed($0, 1) <= memory }
            let fits =
                if fittingBatch >= 1 {
                    "a batch size of \(fittingBatch) would fit"
                } else if fittingBlocks >= 1 {
                    "a batch size of 1 with a context of \(fittingBlocks * KVCacheLayout.blockSize) tokens would fit"
                } else {
                    "nothing would fit"
                }
            throw .outOfMemory(
                "logits for a batch size of \(batchSize), keys and values for a context of \(least) tokens and the work of a "
                    + "step need \(needed(leastBlocks, batchSize)) bytes, but there are \(memory) bytes: \(fits)")
        }
        let (all, overflow) = Self.blocks(longest).multipliedReportingOverflow(by: batchSize)
        blocks = largest(from: leastBlocks, below: min(overflow ? most : all, most) + 1) {
            needed($0, batchSize) <= memory
        }
        self.contextLength = min(longest, blocks * KVCacheLayout.blockSize)
    }

    private static func blocks(_ tokens: Int) -> Int {
        (tokens + KVCacheLayout.blockSize - 1) / KVCacheLayout.blockSize
    }
}
