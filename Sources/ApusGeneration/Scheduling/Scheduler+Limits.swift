import ApusCompute

extension Scheduler {
    package struct Limits: Sendable, Equatable {
        /// Most sequences in flight.
        package var sequences: Int
        /// Most tokens of a step; at least one for every sequence in flight.
        package var tokensPerStep: Int
        /// KV blocks that there are.
        package var blocks: Int
        /// Most positions of a sequence; the whole cache if that is less.
        package var contextLength: Int
        /// Whether sequences that begin alike use the same blocks, computed once.
        package var sharesPrefixes: Bool

        package init(
            sequences: Int, tokensPerStep: Int, blocks: Int, contextLength: Int = .max, sharesPrefixes: Bool = true
        ) {
            self.sequences = max(sequences, 1)
            self.tokensPerStep = max(tokensPerStep, self.sequences)
            // Slots are numbered in 32 bits on every device.
            self.blocks = min(max(blocks, 0), Int(Int32.max) / KVCacheLayout.blockSize)
            self.contextLength = min(contextLength, self.blocks * KVCacheLayout.blockSize)
            self.sharesPrefixes = sharesPrefixes
        }
    }

    /// A sequence that has not ended.
    struct Entry: Sendable {
        let id: Int
        /// Prompt and generated tokens.
        var tokens: [Int32]
        /// Tokens from the start whose keys and values stand in `blocks`.
        var computed = 0
        var blocks: [Int32] = []
        var hasEnded = false

        /// A prompt of one token is still a prompt: it must not overtake longer ones that came before it.
        var isDecoding: Bool { computed > 0 && tokens.count - computed == 1 }
    }
}
