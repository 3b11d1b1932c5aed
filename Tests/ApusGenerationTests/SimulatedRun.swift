import ApusCompute
import ApusGeneration
import ApusTestSupport
import Testing

/// Plays a model against a scheduler: keeps a cache in which every slot holds a hash of the text up to its token, and
/// checks at every step that what is read is what should be there.
struct SimulatedRun {
    struct Sequence {
        var tokens: [Int32]
        var hashes: [UInt64]
        let promptLength: Int
        let newTokens: Int
        var computed = 0

        init(prompt: [Int32], newTokens: Int) {
            tokens = []
            hashes = []
            promptLength = prompt.count
            self.newTokens = newTokens
            for token in prompt { append(token) }
        }

        mutating func append(_ token: Int32) {
            var mixer = SplitMix64(seed: (hashes.last ?? 0) ^ UInt64(truncatingIfNeeded: Int(token) + 1))
            tokens.append(token)
            hashes.append(mixer.next())
        }

        /// A token that depends on the whole text, out of few, so that texts often agree.
        var next: Int32 { Int32(truncatingIfNeeded: (hashes.last ?? 0) % 2) }
        var isComplete: Bool { tokens.count == promptLength + newTokens }
    }

    var scheduler: Scheduler
    /// Sequences that have not ended. Ids are given in the order of arrival.
    var alive: [Int: Sequence] = [:]
    /// Beam searches that have not ended.
    var searches: [SimulatedSearch] = []
    var foundBeams: [(root: Sequence, width: Int, beams: [Sequence])] = []
    private(set) var hasSearched = false
    private(set) var forkCount = 0
    private(set) var startOrder: [Int] = []
    private(set) var finished: [Int: Sequence] = [:]
    var failures: [String] = []
    /// Of each group of layers.
    var memories: [[UInt64?]]
    private var submitted = 0
    var nextBeam = -1

    init(_ limits: Scheduler.Limits) {
        scheduler = Scheduler(limits: limits)
        memories = ([limits.blocks] + limits.windows.map(\.blocks)).map {
            Array(repeating: nil, count: $0 * KVCacheLayout.blockSize)
        }
    }

    var ids: [Int] { alive.keys.sorted() }

    mutating func submit(_ prompt: [Int32], newTokens: Int, beams: Int? = nil) throws {
        try scheduler.submit(id: submitted, prompt: prompt, maxNewTokens: newTokens, beams: beams)
        let sequence = Sequence(prompt: prompt, newTokens: newTokens)
        alive[submitted] = sequence
        if let beams {
            searches.append(SimulatedSearch(root: sequence, id: submitted, width: beams))
            hasSearched = true
        }
        submitted += 1
    }

    mutating func cancel(_ id: Int) {
        if cancelSearch(id) { return }
        scheduler.cancel(id)
        alive[id] = nil
    }

    @discardableResult
    mutating func step() -> ScheduledStep {
        let step = scheduler.schedule()
        checkLimits(step)
        checkBlocks(step)
        checkForks(step)
        for fork in step.forks { copy(fork) }
        forkCount += step.forks.count
        for sequence in step.sequences { store(sequence) }
        for sequence in step.sequences { read(sequence) }
        var tokens: [Int32?] = []
        for sequence in step.sequences {
            guard var state = alive[sequence.id] else { continue }
            if state.computed == 0, !startOrder.contains(sequence.id) { startOrder.append(sequence.id) }
            state.computed = sequence.range.upperBound
            if sequence.yieldsToken, note(sequence.id) {
                tokens.append(nil)
            } else if sequence.yieldsToken {
                let token = state.next
                state.append(token)
                tokens.append(state.isComplete ? nil : token)
            }
            alive[sequence.id] = state.isComplete ? nil : state
            if state.isComplete { finished[sequence.id] = state }
        }
        scheduler.resolve(step, tokens: tokens)
        branch()
        return step
    }

    mutating func expect(_ condition: Bool, _ message: String) {
        if !condition { failures.append(message) }
    }

    private mutating func checkLimits(_ step: ScheduledStep) {
        let limits = scheduler.limits
        expect(step.tokenCount == step.sequences.reduce(0) { $0 + $1.range.count }, "wrong token count")
        expect(step.yieldCount == step.sequences.count(where: \.yieldsToken), "wrong yield count")
        expect(step.tokenCount <= limits.tokensPerStep, "\(step.tokenCount) tokens in a step")
        expect(scheduler.runningCount <= limits.sequences, "\(scheduler.runningCount) in flight")
        expect(step.sequences.isEmpty == alive.isEmpty, "an empty step with work left, or the reverse")
        expect(Set(step.sequences.map(\.id)).count == step.sequences.count, "a sequence twice in a step")
        // Beams wait for each other.
        if hasSearched { return }
        let order = ids
        if let oldest = order.first {
            expect(step.sequences.contains { $0.id == oldest }, "\(oldest), the oldest, does not go on")
        }
        let inFlight = Set(order.prefix(scheduler.runningCount))
        for sequence in step.sequences {
            expect(inFlight.contains(sequence.id), "\(sequence.id) overtakes another")
        }
    }

    private mutating func checkBlocks(_ step: ScheduledStep) {
        let size = KVCacheLayout.blockSize
        var users: [Int32: (index: Int, sequence: ScheduledStep.Sequence)] = [:]
        for sequence in step.sequences {
            guard let state = alive[sequence.id] else {
                failures.append("\(sequence.id) has ended, but is scheduled")
                continue
            }
            let (id, range) = (sequence.id, sequence.range)
            let skipped = range.lowerBound - state.computed
            expect(!range.isEmpty && range.upperBound <= state.tokens.count, "\(id): range \(range)")
            for (window, table) in zip(scheduler.limits.windows, sequence.windows) {
                let first = max(range.lowerBound + 1 - window.width, 0) / size
                let end = (range.upperBound + size - 1) / size
                expect(table.first == first && table.end == end, "\(id): not what a window of \(window.width) needs")
            }
            expect(sequence.yieldsToken == (range.upperBound == state.tokens.count), "\(id): yields at \(range)")
            if scheduler.limits.sharesPrefixes {
                expect(skipped == 0 || range.lowerBound % size == 0, "\(id): starts at \(range.lowerBound)")
            } else {
                expect(skipped == 0 || range.lowerBound == 0, "\(id): starts at \(range.lowerBound)")
            }
            expect(sequence.table.end * size >= range.upperBound, "\(id): too few blocks")
            expect(sequence.table.end * size < state.tokens.count + size, "\(id): more blocks than tokens need")
            for (index, block) in sequence.table.blocks.enumerated() {
                expect((0..<Int32(scheduler.limits.blocks)).contains(block), "\(id): there is no block \(block)")
                guard let (otherIndex, other) = users.updateValue((index, sequence), forKey: block) else { continue }
                expect(scheduler.limits.sharesPrefixes || hasSearched, "\(id), \(other.id): share \(block)")
                let end = (index + 1) * size
                let isSettled = end <= range.lowerBound && end <= other.range.lowerBound
                expect(otherIndex == index && isSettled, "\(id), \(other.id): share \(block) that is not computed")
                let isEqual = alive[other.id]?.tokens.prefix(end) == state.tokens.prefix(end)
                expect(other.id != id && isEqual, "\(id), \(other.id): share \(block), but differ")
            }
        }
    }

    private static func tables(_ sequence: ScheduledStep.Sequence) -> [BlockTable] {
        [sequence.table] + sequence.windows
    }

    /// A text's keys, which are others where it is longer than what it is computed anew past.
    private func key(_ state: Sequence, _ position: Int) -> UInt64 {
        let isLong = state.tokens.count > scheduler.limits.recomputedPast ?? .max
        return isLong ? ~state.hashes[position] : state.hashes[position]
    }

    private mutating func store(_ sequence: ScheduledStep.Sequence) {
        guard let state = alive[sequence.id] else { return }
        for (group, table) in Self.tables(sequence).enumerated() {
            for position in sequence.range {
                memories[group][Int(table.slot(of: position))] = key(state, position)
            }
        }
    }

    /// Every token of the range sees all before it, or what its window is wide.
    private mutating func read(_ sequence: ScheduledStep.Sequence) {
        guard let state = alive[sequence.id] else { return }
        let widths = [Int.max] + scheduler.limits.windows.map(\.width)
        for (group, table) in Self.tables(sequence).enumerated() {
            let first = max(sequence.range.lowerBound - widths[group] + 1, 0)
            for position in first..<sequence.range.upperBound
            where memories[group][Int(table.slot(of: position))] != key(state, position) {
                failures.append("\(sequence.id): position \(position) reads another text's keys in group \(group)")
                return
            }
        }
    }
}
