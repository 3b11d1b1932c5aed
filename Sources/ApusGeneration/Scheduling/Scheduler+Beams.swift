import ApusCompute
import DequeModule

// Beams of a search are sequences that wait, after each step, for what is decided of all of them together.
extension Scheduler {
    /// How a beam goes on.
    package struct Branch: Sendable, Equatable {
        /// The parent's own for one of its branches, which takes its place; others are new.
        package let id: Int
        package let parent: Int
        package let token: Int32

        package init(id: Int, parent: Int, token: Int32) { (self.id, self.parent, self.token) = (id, parent, token) }
    }

    /// Goes on with beams that all have yielded: `branches` in the place of `beams`. Full blocks are used by all branches of a
    /// beam; the block that is begun is copied for all but one. A branch for which there is no room waits, to be computed
    /// again.
    package mutating func branch(_ beams: [Int], into branches: [Branch]) {
        let parents = Set(branches.map(\.parent))
        for beam in beams where !parents.contains(beam) { cancel(beam) }
        for branch in branches where branch.id != branch.parent { fork(branch) }
        for branch in branches where branch.id == branch.parent {
            if let index = running.firstIndex(where: { $0.id == branch.id }) {
                running[index].goOn(with: branch)
            } else if let index = waiting.firstIndex(where: { $0.id == branch.id }) {
                waiting[index].goOn(with: branch)
            }
        }
    }

    private mutating func fork(_ branch: Branch) {
        if let index = running.firstIndex(where: { $0.id == branch.parent }) {
            var entry = running[index]
            entry.goOn(with: branch)
            if let seat = seats.last, copyBlocks(of: &entry, to: seat) {
                seats.removeLast()
                running.insert(entry, at: index + 1)
            } else {
                entry.beginAnew()
                waiting.prepend(entry)
            }
        } else if let index = waiting.firstIndex(where: { $0.id == branch.parent }) {
            var entry = waiting[index]
            entry.goOn(with: branch)
            waiting.insert(entry, at: index + 1)
        }
    }

    /// False if there is no block left.
    private mutating func copyBlocks(of entry: inout Entry, to seat: Int) -> Bool {
        let isBegun = entry.planned % KVCacheLayout.blockSize != 0
        var copies: [ScheduledStep.BlockCopy] = []
        if isBegun {
            guard let block = takeBlock(), let begun = entry.table.blocks.last else { return false }
            copies.append(ScheduledStep.BlockCopy(source: begun, target: block))
        }
        entry.table = pool.fork(entry.table, begun: copies.last?.target)
        for group in windows.indices {
            if let copy = windows[group].fork(entry.seat, to: seat, isBegun: isBegun) { copies.append(copy) }
        }
        forks.append(ScheduledStep.Fork(parentSeat: entry.seat, seat: seat, blocks: copies))
        entry.seat = seat
        return true
    }

    /// Where all that run wait for others, which have no place: the last gives its own up. False if none has to.
    mutating func yieldPlace() -> Bool {
        guard !running.isEmpty, running.allSatisfy(\.isHeld), waiting.contains(where: { !$0.isHeld }) else {
            return false
        }
        preempt(running.count - 1)
        return true
    }
}

extension Scheduler.Entry {
    fileprivate mutating func goOn(with branch: Scheduler.Branch) {
        id = branch.id
        tokens.append(branch.token)
        isHeld = false
        width = 1
    }
}
