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
///
/// A step is planned before it is computed and resolved when its tokens are known; others may be planned in between. Blocks
/// that are given back meanwhile may be handed out at once: devices do what follows in order.
package struct Scheduler: Sendable {
    package let limits: Limits
    /// Times that a sequence had to give its blocks back before its end.
    package private(set) var preemptionCount = 0
    /// Tokens that were not computed because another sequence had them already.
    package private(set) var sharedTokenCount = 0

    var pool: BlockPool<PrefixKey>
    var windows: [WindowBlocks]
    /// Those that came first are first, here and in `running`; all of `running` came before all of `waiting`.
    var waiting: Deque<Entry> = []
    var running: [Entry] = []
    /// Rows of the block tables that no sequence has.
    var seats: [Int]
    /// What the next step has to copy before anything else.
    var forks: [ScheduledStep.Fork] = []

    package init(limits: Limits) {
        self.limits = limits
        seats = (0..<limits.sequences).reversed()
        pool = BlockPool(count: limits.blocks)
        windows = limits.windows.map { WindowBlocks($0, sequences: limits.sequences) }
    }

    package var isIdle: Bool { waiting.isEmpty && running.isEmpty }
    package var runningCount: Int { running.count }
    package var waitingCount: Int { waiting.count }
    /// Blocks that no sequence uses.
    package var freeBlockCount: Int { pool.freeCount }
    /// The same for each group of layers with a window.
    package var freeWindowBlockCounts: [Int] { windows.map(\.freeCount) }

    /// Queues a sequence. Throws `GenerationError` (`.promptTooLong`) if it could pass the context, which the
    /// cache always holds.
    ///
    /// - Parameters:
    ///   - id: distinct among the sequences that have not ended.
    ///   - prompt: tokens known at the start, at least one.
    ///   - maxNewTokens: tokens after which the caller will end the sequence.
    ///   - runsAhead: whether the device chooses its tokens, so that a step may be planned before the last one's is known.
    ///   - beams: how many it is to become, if it is the root of a beam search: see `branch`.
    package mutating func submit(
        id: Int, prompt: [Int32], maxNewTokens: Int, runsAhead: Bool = false, beams: Int? = nil
    ) throws(GenerationError) {
        guard !prompt.isEmpty else { throw .invalidPrompt("a prompt without tokens has no continuation") }
        try Limits.check(prompt: prompt.count, maxNewTokens: maxNewTokens, context: limits.contextLength)
        var entry = Entry(id: id, prompt: prompt, maxNewTokens: maxNewTokens, runsAhead: runsAhead)
        entry.isBeam = beams != nil
        entry.width = max(beams ?? 1, 1)
        waiting.append(entry)
    }

    /// The next step of a lane. Empty when nothing is left to do there, or nothing before a step is resolved.
    package mutating func schedule(lane: Int = 0) -> ScheduledStep {
        var step = plannedStep(lane)
        while step.sequences.isEmpty, yieldPlace() { step = plannedStep(lane) }
        if !step.sequences.isEmpty { (step.forks, forks) = (forks, []) }
        return step
    }

    private mutating func plannedStep(_ lane: Int) -> ScheduledStep {
        var step = ScheduledStep()
        step.lane = lane
        step.sequences.reserveCapacity(limits.sequences)
        if limits.lanes > 1 { balance(lane) }
        // The last of `running` may leave it on the way.
        var index = 0
        while index < running.count {
            if running[index].lane == lane, running[index].canGoOn, running[index].isDecoding, !awaitsRestart(index),
                makeRoom(for: index)
            {
                if !outgrows(index) {
                    plan(index, in: &step)
                } else if running[index].isBeam {
                    // Not in its own blocks, which others may use too.
                    preempt(index)
                    continue
                } else {
                    restart(index)
                }
            }
            index += 1
        }
        for index in running.indices
        where running[index].lane == lane && running[index].canGoOn && !running[index].isDecoding {
            guard step.tokenCount < limits.tokensPerStep else { return step }
            takeOver(index)
            plan(index, in: &step)
        }
        while step.tokenCount < limits.tokensPerStep, admit(to: lane) { plan(running.count - 1, in: &step) }
        return step
    }

    /// Notes that a step was computed. `tokens` holds the next token of each sequence of the step that yielded one, or
    /// `nil` where the sequence ends; tokens of sequences that have ended meanwhile are not looked at.
    package mutating func resolve(_ step: ScheduledStep, tokens: [Int32?]) {
        var next = tokens.makeIterator()
        var someEnded = false
        for sequence in step.sequences {
            let token = sequence.yieldsToken ? next.next() ?? nil : nil
            if let index = place(of: sequence) {
                running[index].inFlight -= 1
                if running[index].epoch == sequence.epoch { settle(index, upTo: sequence.range.upperBound) }
                if sequence.yieldsToken { someEnded = running[index].take(token) || someEnded }
            } else if let index = waiting.firstIndex(where: { $0.id == sequence.id }) {
                // It had to give its blocks back while the step was on its way.
                waiting[index].inFlight -= 1
                if sequence.yieldsToken, waiting[index].take(token) { waiting.remove(at: index) }
            }
        }
        if someEnded { removeEnded() }
    }

    /// Ends a sequence at once, wherever it stands.
    package mutating func cancel(_ id: Int) {
        if let index = running.firstIndex(where: { $0.id == id }) {
            leave(running.remove(at: index))
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
        }
    }

    private mutating func plan(_ index: Int, in step: inout ScheduledStep) {
        let entry = running[index]
        let end = min(entry.length, entry.planned + limits.tokensPerStep - step.tokenCount)
        let yields = end == entry.length
        step.sequences.append(
            ScheduledStep.Sequence(
                id: entry.id, range: entry.planned..<end, table: entry.table,
                windows: windows.indices.map { windows[$0].plan(entry.seat, upTo: end) }, seat: entry.seat,
                yieldsToken: yields, endsWithDue: end > entry.tokens.count,
                place: index, epoch: entry.epoch))
        step.tokenCount += end - entry.planned
        if yields { step.yieldCount += 1 }
        running[index].planned = end
        running[index].table.changed = entry.table.end
        running[index].inFlight += 1
        running[index].flightLane = step.lane
        if yields { running[index].due += 1 }
    }

    /// A sequence is where it was unless another was cancelled since.
    private func place(of sequence: ScheduledStep.Sequence) -> Int? {
        if running.indices.contains(sequence.place), running[sequence.place].id == sequence.id { return sequence.place }
        return running.firstIndex { $0.id == sequence.id }
    }

    private mutating func removeEnded() {
        for entry in running where entry.hasEnded { leave(entry) }
        running.removeAll(where: \.hasEnded)
    }

    /// Takes back what a sequence has that ran.
    private mutating func leave(_ entry: Entry) {
        forks.removeAll { $0.seat == entry.seat }
        pool.giveBack(entry.table.blocks)
        for group in windows.indices { windows[group].leave(entry.seat) }
        seats.append(entry.seat)
    }
}

extension Scheduler.Entry {
    /// Takes a token that was due, `nil` for the end. True if the sequence ends.
    fileprivate mutating func take(_ token: Int32?) -> Bool {
        due -= 1
        if isBeam {
            isHeld = true
        } else if let token {
            tokens.append(token)
        } else {
            hasEnded = true
        }
        return hasEnded
    }
}

// MARK: Computing anew

extension Scheduler {
    /// Whether a sequence's next token is the first that lies past the length at which all of it is computed anew.
    private func outgrows(_ index: Int) -> Bool {
        guard let length = limits.recomputedPast else { return false }
        return running[index].beginning <= length && running[index].planned >= length
    }

    /// Whether that has to wait, for tokens that are not known yet.
    private func awaitsRestart(_ index: Int) -> Bool {
        outgrows(index) && (running[index].due > 0 || running[index].inFlight > 0)
    }

    /// Begins with the first token again, in the same blocks.
    private mutating func restart(_ index: Int) {
        for group in windows.indices { windows[group].leave(running[index].seat) }
        running[index].planned = 0
        running[index].settled = 0
        running[index].epoch += 1
        running[index].beginning = running[index].tokens.count
    }
}

// MARK: Lanes

extension Scheduler {
    /// Most sequences of a lane, as things stand.
    private var share: Int {
        (min(running.count + waiting.count, limits.sequences) + limits.lanes - 1) / limits.lanes
    }

    private func count(of lane: Int) -> Int { running.count { $0.lane == lane } }

    /// Gives what a lane has too much to the one that has least. Such a sequence goes on there once its steps are resolved.
    private mutating func balance(_ lane: Int) {
        var surplus = count(of: lane) - share
        for index in running.indices.reversed() where surplus > 0 && running[index].lane == lane {
            guard let least = (0..<limits.lanes).min(by: { count(of: $0) < count(of: $1) }) else { return }
            running[index].lane = least
            surplus -= 1
        }
    }
}

// MARK: Blocks

extension Scheduler {
    /// Makes sure that a sequence has a block for its next token. False if it had to give its own back.
    private mutating func makeRoom(for index: Int) -> Bool {
        guard running[index].planned == running[index].table.end * KVCacheLayout.blockSize else { return true }
        while true {
            if let block = takeBlock() {
                running[index].table.append(block)
                return true
            }
            preemptLast()
            if index == running.count { return false }
        }
    }

    /// A block for something that nobody knows yet.
    mutating func takeBlock() -> Int32? {
        guard let block = pool.take() else { return nil }
        for group in windows.indices { windows[group].forget(block) }
        return block
    }

    private mutating func preemptLast() {
        if !running.isEmpty { preempt(running.count - 1) }
    }

    mutating func preempt(_ index: Int) {
        var entry = running.remove(at: index)
        leave(entry)
        entry.beginAnew()
        waiting.prepend(entry)
        preemptionCount += 1
    }

    /// Starts the first that waits, if there is room for it.
    private mutating func admit(to lane: Int) -> Bool {
        guard let place = waiting.firstIndex(where: { !$0.isHeld }) else { return false }
        var entry = waiting[place]
        // Without a block to spare for each that runs, the newcomer would soon be sent back.
        let spare = running.reduce(0) { $0 + $1.width }
        guard spare == 0 || spare + entry.width <= limits.sequences, !seats.isEmpty, pool.freeCount > spare,
            entry.inFlight == 0, limits.lanes == 1 || count(of: lane) < share
        else { return false }
        let blocks = (entry.tokens.count + KVCacheLayout.blockSize - 1) / KVCacheLayout.blockSize
        let shared = found(for: entry.tokens, behind: [], seat: nil)
        let alreadyUsed = shared.count { !pool.isFree($0) }
        guard pool.freeCount >= blocks - alreadyUsed + spare else { return false }

        waiting.remove(at: place)
        for block in shared { pool.share(block) }
        entry.table.blocks = shared
        entry.planned = shared.count * KVCacheLayout.blockSize
        entry.settled = entry.planned
        entry.beginning = entry.tokens.count
        entry.lane = lane
        entry.seat = seats.removeLast()
        for group in windows.indices { windows[group].attach(entry.seat, shared, upTo: shared.count) }
        sharedTokenCount += entry.planned
        while entry.table.end < blocks, let block = takeBlock() { entry.table.append(block) }
        running.append(entry)
        return true
    }

    /// Blocks that hold a sequence's next tokens already, as far as it can go on behind them: layers with a window must
    /// hold the last of them too. The last token is always computed: it yields the next.
    ///
    /// - Parameters:
    ///   - done: places that the sequence has computed.
    ///   - seat: where it sits, if it runs.
    private func found(for tokens: [Int32], behind done: ArraySlice<Int32>, seat: Int?) -> [Int32] {
        var blocks: [Int32] = []
        guard limits.sharesPrefixes else { return blocks }
        // How many of the last places each group with a window holds.
        var held = windows.map { window in seat.map { done.count - window.tables[$0].first } ?? 0 }
        var usable = 0
        while (done.count + blocks.count + 1) * KVCacheLayout.blockSize < tokens.count {
            let place = done.count + blocks.count
            let key = PrefixKey(place: place, of: tokens, behind: blocks.last ?? done.last)
            guard let block = pool.block(holding: key) else { break }
            blocks.append(block)
            var isUsable = true
            for (group, window) in windows.enumerated() {
                held[group] = window.holds(block) ? held[group] + 1 : 0
                let needed = place + 1 - window.firstPlace(for: (place + 1) * KVCacheLayout.blockSize)
                if held[group] < needed { isUsable = false }
            }
            if isUsable { usable = blocks.count }
        }
        blocks.removeLast(blocks.count - usable)
        return blocks
    }

    /// Goes past blocks of a prompt that another sequence has computed since this one started.
    private mutating func takeOver(_ index: Int) {
        let size = KVCacheLayout.blockSize
        let entry = running[index]
        guard limits.sharesPrefixes, entry.inFlight == 0, entry.planned % size == 0 else { return }
        let done = entry.planned / size
        let blocks = found(for: entry.tokens, behind: entry.table.blocks.prefix(done), seat: entry.seat)
        guard !blocks.isEmpty else { return }
        for (place, block) in zip(done..., blocks) {
            pool.share(block)
            pool.giveBack(entry.table[place])
            running[index].table.replace(place, by: block)
        }
        for group in windows.indices { windows[group].attach(entry.seat, blocks, upTo: done + blocks.count) }
        running[index].planned += blocks.count * size
        running[index].settled = running[index].planned
        sharedTokenCount += blocks.count * size
    }

    /// Notes that a sequence's keys and values stand up to `end`, and what its newly full blocks hold.
    private mutating func settle(_ index: Int, upTo end: Int) {
        let start = running[index].settled
        running[index].settled = end
        let seat = running[index].seat
        if limits.sharesPrefixes {
            let places = start / KVCacheLayout.blockSize..<end / KVCacheLayout.blockSize
            for place in places {
                let own = running[index].table[place]
                let parent = place == 0 ? nil : running[index].table[place - 1]
                let block = pool.settle(
                    own, holding: PrefixKey(place: place, of: running[index].tokens, behind: parent))
                if block != own { running[index].table.replace(place, by: block) }
            }
            for group in windows.indices { windows[group].settle(seat, places, of: running[index].table) }
        }
        for group in windows.indices { windows[group].trim(seat, before: end) }
    }
}
