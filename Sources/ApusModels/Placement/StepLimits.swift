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
    /// Blocks of the cache of a layer that keeps all of a sequence.
    package var blocks: Int
    /// Widths of windows whose layers keep no more of a sequence than they need: a group of layers each, which has block
    /// tables of its own. Layers with other windows, or none, are in group 0, whose layers keep everything.
    package var windows: [Int] = []
    /// Steps that may be on their way at a time.
    package var flights = 1

    package init(tokens: Int, outputs: Int, sequences: Int, blocksPerSequence: Int, blocks: Int) {
        self.tokens = max(tokens, 1)
        self.outputs = max(outputs, 1)
        self.sequences = max(sequences, 1)
        self.blocksPerSequence = max(blocksPerSequence, 1)
        self.blocks = blocks
    }

    /// Positions that a sequence may have.
    package var context: Int { blocksPerSequence * KVCacheLayout.blockSize }

    package var groups: Int { 1 + windows.count }

    /// The group of a layer with that window.
    func group(ofWindow window: Int?) -> Int {
        window.flatMap { windows.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
    }

    /// Blocks of the cache of a layer in a group.
    package func blocks(ofGroup group: Int) -> Int {
        guard group > 0 else { return blocks }
        // A sequence holds what the first of its tokens on their way sees and what they write, which may begin and end
        // within a block.
        let size = KVCacheLayout.blockSize
        let perSequence = (windows[group - 1] - 2 + size - 1) / size + 2
        let needed = Int128(perSequence) * Int128(sequences) + Int128(tokens) * Int128(flights) / Int128(size)
        return Int(min(needed, Int128(blocks)))
    }
}

extension DecoderSpec {
    /// Windows of layers that are narrower than a sequence may be long.
    package func windows(within context: Int) -> [Int] {
        Set(kinds.filter { $0.recurrent == nil }.compactMap(\.attention.window)).filter { $0 < context }.sorted()
    }
}
