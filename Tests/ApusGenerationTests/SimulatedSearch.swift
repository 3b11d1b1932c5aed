import ApusCompute
import ApusGeneration

/// A beam search whose choices depend on the texts of its beams alone.
struct SimulatedSearch {
    let root: SimulatedRun.Sequence
    let width: Int
    let rootID: Int
    var beams: [Int]
    /// Those that wait for the others.
    var yielded: Set<Int> = []

    init(root: SimulatedRun.Sequence, id: Int, width: Int) {
        (self.root, self.width, rootID) = (root, width, id)
        beams = [id]
    }

    /// The beams of the next step: the place of each one's parent, and its token.
    static func choices(_ beams: [SimulatedRun.Sequence], width: Int) -> [(parent: Int, token: Int32)] {
        let hash = beams.reduce(0) { $0 &* 31 &+ ($1.hashes.last ?? 0) }
        return (0..<width).map { place in
            // Often the same parent, and not in their order.
            let parent = Int((hash >> UInt64(place * 5 % 40)) % UInt64(beams.count + 2)) % beams.count
            return (parent, Int32(truncatingIfNeeded: place))
        }
    }

    /// What it finds where nothing else is.
    static func alone(_ root: SimulatedRun.Sequence, width: Int) -> [SimulatedRun.Sequence] {
        var beams = [root]
        while let first = beams.first, !first.isComplete {
            beams = choices(beams, width: width).map { choice in
                var beam = beams[choice.parent]
                beam.append(choice.token)
                return beam
            }
        }
        return beams
    }
}

extension SimulatedRun {
    /// Whether a sequence is a beam, which has yielded.
    mutating func note(_ id: Int) -> Bool {
        guard let search = searches.firstIndex(where: { $0.beams.contains(id) }) else { return false }
        expect(searches[search].yielded.insert(id).inserted, "\(id): yields twice")
        return true
    }

    mutating func cancelSearch(_ id: Int) -> Bool {
        guard let place = searches.firstIndex(where: { $0.beams.contains(id) }) else { return false }
        end(searches.remove(at: place))
        return true
    }

    private mutating func end(_ search: SimulatedSearch) {
        for beam in search.beams {
            scheduler.cancel(beam)
            alive[beam] = nil
        }
    }

    /// Takes the step of each search whose beams have all yielded.
    mutating func branch() {
        for place in searches.indices.reversed() where searches[place].yielded.count == searches[place].beams.count {
            let search = searches[place]
            let states = search.beams.compactMap { alive[$0] }
            var placed: Set<Int> = []
            var next: [(id: Int, state: Sequence)] = []
            var branches: [Scheduler.Branch] = []
            for choice in SimulatedSearch.choices(states, width: search.width) {
                let parent = search.beams[choice.parent]
                var id = parent
                if !placed.insert(parent).inserted {
                    id = nextBeam
                    nextBeam -= 1
                }
                var state = states[choice.parent]
                state.append(choice.token)
                next.append((id, state))
                branches.append(Scheduler.Branch(id: id, parent: parent, token: choice.token))
            }
            if next.allSatisfy(\.state.isComplete) {
                foundBeams.append((search.root, search.width, next.map(\.state)))
                end(searches.remove(at: place))
                continue
            }
            scheduler.branch(search.beams, into: branches)
            for beam in search.beams { alive[beam] = nil }
            for (id, state) in next { alive[id] = state }
            searches[place].beams = next.map(\.id)
            searches[place].yielded = []
        }
    }

    /// Only blocks that are begun are copied, each for a beam that writes to its copy at once.
    mutating func checkForks(_ step: ScheduledStep) {
        for fork in step.forks {
            guard let sequence = step.sequences.first(where: { $0.seat == fork.seat }) else {
                failures.append("seat \(fork.seat) is copied to, but does not go on")
                continue
            }
            let (place, offset) = sequence.range.lowerBound.quotientAndRemainder(dividingBy: KVCacheLayout.blockSize)
            let tables = [sequence.table] + sequence.windows
            expect(fork.blocks.count == (offset == 0 ? 0 : tables.count), "\(sequence.id): \(fork.blocks.count) copies")
            for (copy, table) in zip(fork.blocks, tables) {
                expect(table[place] == copy.target, "\(sequence.id): a copy that it does not write to")
            }
        }
    }

    mutating func copy(_ fork: ScheduledStep.Fork) {
        let size = KVCacheLayout.blockSize
        for (group, copy) in fork.blocks.enumerated() {
            for offset in 0..<size {
                memories[group][Int(copy.target) * size + offset] = memories[group][Int(copy.source) * size + offset]
            }
        }
    }
}
