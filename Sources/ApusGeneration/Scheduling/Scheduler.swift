import ApusCompute
import DequeModule

/// Decides which tokens of which sequences each step computes. A pure value: it knows tokens and block numbers, no
/// memory, and does nothing by itself.
///
/// Sequences start in the order in which they came. One starts when there is a place for it, blocks for the tokens that
/// it has, and one block to spare for each sequence that runs; it gets further blocks as it grows. When there is none
/// left, the sequence that came last gives its blocks back and waits, first in line, to be computed again from all
/// tokens that it had. So the oldest always goes on.
///
/// Sequences that wait for their next token come before prompts, which are cut to what is left of a step.
package struct Scheduler: Sendable {
    package let limits: Limits
    /// Times that a sequence had to give its blocks back before its end.
    package private(set) var preemptionCount = 0
    /// Tokens that were not computed because another sequence had them already.
    package private(set) var sharedTokenCount = 0

    private var pool: BlockPool
    /// Those that came first are first, here and in `running`; all of `running` came before all of `waiting`.
    private var waiting: Deque<Entry> = []
    private var running: [Entry] = []

    package init(limits: Limits) {
        self.limits = limits
        pool = BlockPool(count: limits.blocks)
    }

    package var isIdle: Bool { waiting.isEmpty && running.isEmpty }
    package var runningCount: Int { running.count }
    package var waitingCount: Int { waiting.count }
    /// Blocks that no sequence uses.
    package var freeBlockCount: Int { pool.freeCount }

    /// Queues a sequence. Throws `GenerationError` (`.promptTooLong`) if it could pass the context, which the
    /// cache always holds.
    ///
    /// - Parameters:
    ///   - id: distinct among the sequences that have not ended.
    ///   - prompt: tokens known at the start, at least one.
    ///   - maxNewTokens: tokens after which the caller will end the sequence.
    package mutating func submit(id: Int, prompt: [Int32], maxNewTokens: Int) throws(GenerationError) {
        guard !prompt.isEmpty else { throw .invalidPrompt("a prompt without tokens has no continuation") }
        // The last token is never fed back, so it needs no place.
        let (length, overflow) = prompt.count.addingReportingOverflow(max(maxNewTokens, 1) - 1)
        guard !overflow, length <= limits.contextLength else {
            throw .promptTooLong(
                "a prompt of \(prompt.count) tokens with \(maxNewTokens) new ones passes the context of "
                    + "\(limits.contextLength) tokens")
        }
        waiting.append(Entry(id: id, tokens: prompt))
    }

    /// The next step, empty only when nothing is left to do.
    package mutating func schedule() -> ScheduledStep {
        var step = ScheduledStep()
        step.sequences.reserveCapacity(limits.sequences)
        // The last of `running` may leave it on the way.
        var index = 0
        while index < running.count {
            if running[index].isDecoding, makeRoom(for: index) { plan(index, in: &step) }
            index += 1
        }
        for index in running.indices where !running[index].isDecoding {
            guard step.tokenCount < limits.tokensPerStep else { return step }
            takeOver(index)
            plan(index, in: &step)
        }
        while step.tokenCount < limits.tokensPerStep, admit() { plan(running.count - 1, in: &step) }
        return step
    }

    /// Notes that a step was computed. `tokens` holds the next token of each sequence of the step that yielded one, or
    /// `nil` where the sequence ends.
    package mutating func update(with step: ScheduledStep, tokens: [Int32?]) {
        var next = tokens.makeIterator()
        var someEnded = false
        for sequence in step.sequences {
            let token = sequence.yieldsToken ? next.next() ?? nil : nil
            guard let index = place(of: sequence) else { continue }
            settle(index, upTo: sequence.range.upperBound)
            guard sequence.yieldsToken else { continue }
            if let token {
                running[index].tokens.append(token)
            } else {
                running[index].hasEnded = true
                someEnded = true
            }
        }
        if someEnded { removeEnded() }
    }

    /// Ends a sequence at once, wherever it stands.
    package mutating func cancel(_ id: Int) {
        if let index = running.firstIndex(where: { $0.id == id }) {
            pool.giveBack(running[index].blocks)
            running.remove(at: index)
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
        }
    }

    private mutating func plan(_ index: Int, in step: inout ScheduledStep) {
        let entry = running[index]
        let known = entry.tokens.count
        let end = min(known, entry.computed + limits.tokensPerStep - step.tokenCount)
        step.sequences.append(
            ScheduledStep.Sequence(
                id: entry.id, range: entry.computed..<end, blocks: entry.blocks, yieldsToken: end == known,
                place: index))
        step.tokenCount += end - entry.computed
        if end == known { step.yieldCount += 1 }
    }

    /// A sequence is where it was unless another was cancelled since.
    private func place(of sequence: ScheduledStep.Sequence) -> Int? {
        if running.indices.contains(sequence.place), running[sequence.place].id == sequence.id { return sequence.place }
        return running.firstIndex { $0.id == sequence.id }
    }

    private mutating func removeEnded() {
        for entry in running where entry.hasEnded { pool.giveBack(entry.blocks) }
        running.removeAll(where: \.hasEnded)
    }
}

// MARK: Blocks

extension Scheduler {
    /// Makes sure that a sequence has a block for its next token. False if it had to give its own back.
    private mutating func makeRoom(for index: Int) -> Bool {
        guard running[index].computed == running[index].blocks.count * KVCacheLayout.blockSize else { return true }
        while true {
            if let block = pool.take() {
                running[index].blocks.append(block)
                return true
            }
            preemptLast()
            if index == running.count { return false }
        }
    }

    private mutating func preemptLast() {
        guard var entry = running.popLast() else { return }
        pool.giveBack(entry.blocks)
        entry.blocks = []
        entry.computed = 0
        waiting.prepend(entry)
        preemptionCount += 1
    }

    /// Starts the first that waits, if there is room for it.
    private mutating func admit() -> Bool {
        // Without a block to spare for each that runs, the newcomer would soon be sent back.
        let spare = running.count
        guard running.count < limits.sequences, pool.freeCount > spare, var entry = waiting.first else { return false }
        let blocks = (entry.tokens.count + KVCacheLayout.blockSize - 1) / KVCacheLayout.blockSize
        let shared = sharedPrefix(of: entry.tokens)
        let alreadyUsed = shared.count { !pool.isFree($0) }
        guard pool.freeCount >= blocks - alreadyUsed + spare else { return false }

        waiting.removeFirst()
        for block in shared { pool.share(block) }
        entry.blocks = shared
        entry.computed = shared.count * KVCacheLayout.blockSize
        sharedTokenCount += entry.computed
        while entry.blocks.count < blocks, let block = pool.take() { entry.blocks.append(block) }
        running.append(entry)
        return true
    }

    /// The blocks that hold a sequence's start already. Its last token is always computed: it yields the next.
    private func sharedPrefix(of tokens: [Int32]) -> [Int32] {
        var blocks: [Int32] = []
        guard limits.sharesPrefixes else { return blocks }
        while (blocks.count + 1) * KVCacheLayout.blockSize < tokens.count,
            let block = pool.block(holding: PrefixKey(block: blocks.count, of: tokens, table: blocks))
        {
            blocks.append(block)
        }
        return blocks
    }

    /// Goes past blocks of a prompt that another sequence has computed since this one started.
    private mutating func takeOver(_ index: Int) {
        guard limits.sharesPrefixes, running[index].computed % KVCacheLayout.blockSize == 0 else { return }
        while running[index].computed + KVCacheLayout.blockSize < running[index].tokens.count {
            let place = running[index].computed / KVCacheLayout.blockSize
            guard let block = pool.block(holding: key(of: place, in: index)) else { return }
            pool.share(block)
            pool.giveBack(running[index].blocks[place])
            running[index].blocks[place] = block
            running[index].computed += KVCacheLayout.blockSize
            sharedTokenCount += KVCacheLayout.blockSize
        }
    }

    /// Notes that a sequence's keys and values stand up to `end`, and what its newly full blocks hold.
    private mutating func settle(_ index: Int, upTo end: Int) {
        let start = running[index].computed
        running[index].computed = end
        guard limits.sharesPrefixes else { return }
        for place in start / KVCacheLayout.blockSize..<end / KVCacheLayout.blockSize {
            let own = running[index].blocks[place]
            let block = pool.settle(own, holding: key(of: place, in: index))
            if block != own { running[index].blocks[place] = block }
        }
    }

    private func key(of place: Int, in index: Int) -> PrefixKey {
        PrefixKey(block: place, of: running[index].tokens, table: running[index].blocks)
    }
}
