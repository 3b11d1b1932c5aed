extension Engine {
    /// Takes the step of each search whose beams have all yielded.
    func advanceGroups() {
        defer { decided = [] }
        for group in decided where groups[group.id] === group { advance(group) }
    }

    private func advance(_ group: BeamGroup) {
        let beams = group.beams
        do {
            guard let branches = try group.advance(newID: newBeamID) else { return end(group) }
            scheduler.branch(beams, into: branches)
            var next: [Int: RunningSequence] = [:]
            for branch in branches {
                next[branch.id] = sequences[branch.parent].map { RunningSequence($0, token: Int(branch.token)) }
            }
            for beam in beams { sequences[beam] = nil }
            sequences.merge(next) { $1 }
        } catch {
            group.finish(throwing: error)
            end(group)
        }
    }

    private func newBeamID() -> Int {
        defer { nextBeamID -= 1 }
        return nextBeamID
    }

    /// Takes a search out, wherever its beams stand.
    func end(_ group: BeamGroup) {
        groups[group.id] = nil
        for beam in group.beams {
            sequences[beam] = nil
            scheduler.cancel(beam)
        }
    }
}
