import ApusCompute
import DequeModule

/// Decides which tokens of which sequences each step computes. A pure value: it knows lengths and blocks, not tokens,
/// and does nothing by itself.
///
/// Sequences start in the order in which they came. One starts when a place and the KV blocks for its longest possible
/// course are free, so a sequence that has started always ends. Sequences that wait for their next token come before
/// prompts, which are cut to what is left of a step.
package struct Scheduler: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Most sequences in flight.
        package var sequences: Int
        /// Most tokens of a step; at least one for every sequence in flight.
        package var tokensPerStep: Int
        /// KV blocks that there are.
        package var blocks: Int

        package init(sequences: Int, tokensPerStep: Int, blocks: Int) {
            self.sequences = max(sequences, 1)
            self.tokensPerStep = max(tokensPerStep, self.sequences)
            self.blocks = blocks
        }
    }

    private struct Entry: Sendable {
        let id: Int
        let maxTokens: Int
        var known: Int
        var computed = 0
        var blocks: [Int32] = []

        /// A prompt of one token is still a prompt: it must not overtake longer ones that came before it.
        var isDecoding: Bool { computed > 0 && known - computed == 1 }
    }

    package let limits: Limits
    private var pool: BlockPool
    private var waiting: Deque<Entry> = []
    private var running: [Entry] = []

    package init(limits: Limits) {
        self.limits = limits
        pool = BlockPool(count: limits.blocks)
    }

    package var isIdle: Bool { waiting.isEmpty && running.isEmpty }
    package var runningCount: Int { running.count }
    package var waitingCount: Int { waiting.count }
    package var freeBlockCount: Int { pool.freeCount }

    /// Queues a sequence. Throws `GenerationError` (`.promptTooLong`) if it could never fit the cache.
    ///
    /// - Parameters:
    ///   - id: distinct among the sequences that have not ended.
    ///   - promptLength: tokens known at the start, at least one.
    ///   - maxNewTokens: tokens after which the caller will end the sequence.
    package mutating func submit(id: Int, promptLength: Int, maxNewTokens: Int) throws(GenerationError) {
        // The last token is never fed back, so it needs no place.
        let (sum, overflow) = promptLength.addingReportingOverflow(max(maxNewTokens, 1) - 1)
        let capacity = limits.blocks * KVCacheLayout.blockSize
        guard promptLength > 0 else { throw .invalidPrompt("a prompt without tokens has no continuation") }
        guard !overflow, sum <= capacity else {
            throw .promptTooLong(
                "a prompt of \(promptLength) tokens with \(maxNewTokens) new ones passes the key-value cache of "
                    + "\(capacity) tokens")
        }
        waiting.append(Entry(id: id, maxTokens: sum, known: promptLength))
    }

    /// The next step, empty only when nothing is left to do.
    package mutating func schedule() -> ScheduledStep {
        admit()
        var step = ScheduledStep()
        var budget = limits.tokensPerStep
        let decoding = running.indices.filter { running[$0].isDecoding }
        let prefilling = running.indices.filter { !running[$0].isDecoding }
        for index in decoding + prefilling where budget > 0 {
            let entry = running[index]
            let end = min(entry.known, entry.computed + budget)
            step.sequences.append(
                ScheduledStep.Sequence(
                    id: entry.id, range: entry.computed..<end, blocks: entry.blocks, yieldsToken: end == entry.known))
            budget -= end - entry.computed
        }
        return step
    }

    private mutating func admit() {
        while running.count < limits.sequences, var entry = waiting.first {
            let blockSize = KVCacheLayout.blockSize
            guard let blocks = pool.take((entry.maxTokens + blockSize - 1) / blockSize) else { return }
            entry.blocks = blocks
            running.append(entry)
            waiting.removeFirst()
        }
    }

    /// Notes that a step was computed. `ended` are the sequences that got their last token with it; the others that
    /// yielded a token go on.
    package mutating func update(with step: ScheduledStep, ended: Set<Int>) {
        let scheduled = Dictionary(step.sequences.map { ($0.id, $0) }) { first, _ in first }
        for index in running.indices {
            guard let sequence = scheduled[running[index].id] else { continue }
            running[index].computed = sequence.range.upperBound
            if sequence.yieldsToken { running[index].known += 1 }
        }
        remove(ended)
    }

    /// Ends sequences at once, wherever they stand.
    package mutating func cancel(_ ids: Set<Int>) {
        waiting.removeAll { ids.contains($0.id) }
        remove(ids)
    }

    private mutating func remove(_ ids: Set<Int>) {
        guard !ids.isEmpty else { return }
        for entry in running where ids.contains(entry.id) { pool.giveBack(entry.blocks) }
        running.removeAll { ids.contains($0.id) }
    }
}
