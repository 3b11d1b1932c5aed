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
        /// The length past which a sequence is computed anew once: from there on, all its keys and values are others.
        package var recomputedPast: Int?
        /// Whether layers with a window keep no more of a sequence than they see again. Changes no result.
        package var forgetsPastWindows: Bool
        /// Of layers with a window that keep no more than that.
        package var windows: [Window] = []
        /// Groups that sequences are divided into evenly, each with steps of its own.
        package var lanes: Int

        package init(
            sequences: Int, tokensPerStep: Int, blocks: Int, contextLength: Int = .max, sharesPrefixes: Bool = true,
            forgetsPastWindows: Bool = true, lanes: Int = 1
        ) {
            self.sequences = max(sequences, 1)
            self.tokensPerStep = max(tokensPerStep, self.sequences)
            // Slots are numbered in 32 bits on every device.
            self.blocks = min(max(blocks, 0), Int(Int32.max) / KVCacheLayout.blockSize)
            self.contextLength = min(contextLength, self.blocks * KVCacheLayout.blockSize)
            self.sharesPrefixes = sharesPrefixes
            self.forgetsPastWindows = forgetsPastWindows
            self.lanes = max(lanes, 1)
        }

        /// A group of layers that see the last tokens only.
        package struct Window: Sendable, Equatable {
            /// Tokens that one sees, itself among them.
            package var width: Int
            /// Blocks that there are: as many as sequences can hold at a time.
            package var blocks: Int

            package init(width: Int, blocks: Int) { (self.width, self.blocks) = (width, blocks) }
        }

        /// Throws `GenerationError` (`.promptTooLong`) if a prompt and its continuation pass the context.
        static func check(prompt: Int, maxNewTokens: Int, context: Int) throws(GenerationError) {
            // The last token is never fed back, so it needs no place.
            let (length, overflow) = prompt.addingReportingOverflow(max(maxNewTokens, 1) - 1)
            guard !overflow, length <= context else {
                throw .promptTooLong(
                    "a prompt of \(prompt) tokens with \(maxNewTokens) new ones passes the context of \(context) tokens"
                )
            }
        }

        /// Blocks of the longest sequence.
        package var blocksPerSequence: Int {
            (contextLength + KVCacheLayout.blockSize - 1) / KVCacheLayout.blockSize
        }
    }

    /// A sequence that has not ended.
    struct Entry: Sendable {
        var id: Int
        /// Prompt and generated tokens.
        var tokens: [Int32]
        let promptCount: Int
        let maxNewTokens: Int
        /// Whether a step may take up its token before anybody knows it.
        let runsAhead: Bool
        /// Tokens that were chosen by steps which are not resolved yet.
        var due = 0
        /// Steps that are not resolved yet.
        var inFlight = 0
        /// Tokens that were known when it was first computed, or computed anew.
        var beginning = 0
        /// Tokens from the start that steps were planned for since it has its blocks.
        var planned = 0
        /// Tokens from the start whose keys and values stand in `table`.
        var settled = 0
        /// Of the layers that keep all of it.
        var table = BlockTable()
        var seat = 0
        var lane = 0
        /// Lane of the steps in flight.
        var flightLane = 0
        var epoch = 0
        var hasEnded = false
        /// Whether its tokens are decided together with those of others, which may go on from where it stands.
        var isBeam = false
        /// Whether the next of them is still to be decided.
        var isHeld = false
        /// Places that are kept for it and what it becomes.
        var width = 1

        init(id: Int, prompt: [Int32], maxNewTokens: Int, runsAhead: Bool) {
            self.id = id
            tokens = prompt
            promptCount = prompt.count
            self.maxNewTokens = maxNewTokens
            self.runsAhead = runsAhead
        }

        /// Without blocks: all is to be computed again.
        mutating func beginAnew() {
            table = BlockTable()
            planned = 0
            settled = 0
            epoch += 1
        }

        /// Tokens that are known or due.
        var length: Int { tokens.count + due }

        /// A prompt of one token is still a prompt: it must not overtake longer ones that came before it.
        var isDecoding: Bool { planned > 0 && length - planned == 1 }

        /// Whether a step can be planned for it: there are tokens, each known or soon on the device, and the last is not
        /// the last of all.
        var canGoOn: Bool {
            guard planned < length, inFlight == 0 || flightLane == lane else { return false }
            return due == 0 || runsAhead && length - promptCount < maxNewTokens
        }
    }
}
