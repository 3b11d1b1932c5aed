import ApusCompute

/// The largest steps of a run, for which its memory is taken beforehand.
package struct StepLimits: Sendable, Equatable {
    /// Most tokens of a step.
    package var tokens: Int
    /// Most tokens of a step whose logits are asked for.
    package var outputs: Int
    /// Block tables that there are at a time.
    package var sequences: Int
    /// Blocks of a table.
    package var blocksPerSequence: Int
    /// Blocks of the cache.
    package var blocks: Int

    package init(tokens: Int, outputs: Int, sequences: Int, blocksPerSequence: Int, blocks: Int) {
        self.tokens = max(tokens, 1)
        self.outputs = max(outputs, 1)
        self.sequences = max(sequences, 1)
        self.blocksPerSequence = max(blocksPerSequence, 1)
        self.blocks = blocks
    }

    /// Positions that a sequence may have.
    package var context: Int { blocksPerSequence * KVCacheLayout.blockSize }
}
