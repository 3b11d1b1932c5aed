import ApusCompute
package import ApusModels

extension ForwardBatch {
    /// The tokens of a planned step.
    ///
    /// A token of the prompt sees the whole prompt's length in its rotary embedding, a later one its own position's:
    /// what it saw when it was first computed, whenever it is computed again.
    ///
    /// - Parameters:
    ///   - histories: those of the step's sequences, in the same order.
    ///   - recomputedPast: the length past which all tokens of a sequence see its whole length, since it was computed anew.
    ///   - window: how many of the last keys a token sees that was generated; all if `nil`.
    ///   - rows: where in the last step of the lane each sequence's token was chosen, by its id.
    package init(
        _ step: ScheduledStep, _ histories: [TokenHistory], recomputedPast: Int? = nil, window: Int? = nil,
        rows: [Int: Int] = [:]
    ) {
        self.init()
        tokens.reserveCapacity(step.tokenCount)
        positions.reserveCapacity(step.tokenCount)
        rotaryLengths.reserveCapacity(step.tokenCount)
        sequences.reserveCapacity(step.tokenCount)
        slots.reserveCapacity(step.tokenCount)
        windowSlots = (step.sequences.first?.windows ?? []).map { _ in [] }
        outputs.reserveCapacity(step.yieldCount)
        add(step.forks)
        for (sequence, history) in zip(step.sequences, histories) {
            let length = max(history.tokens.count, sequence.range.upperBound)
            let least = length > recomputedPast ?? .max ? length : history.promptLength
            for position in sequence.range {
                if position < history.tokens.count {
                    tokens.append(Int32(truncatingIfNeeded: history.tokens[position]))
                } else {
                    tokens.append(Int32(truncatingIfNeeded: -1 - (rows[sequence.id] ?? 0)))
                }
                positions.append(Int32(truncatingIfNeeded: position))
                rotaryLengths.append(Int32(truncatingIfNeeded: max(position + 1, least)))
                if let window {
                    let first = position < history.promptLength ? 0 : max(position + 1 - window, 0)
                    firstKeys.append(Int32(truncatingIfNeeded: first))
                }
                sequences.append(Int32(truncatingIfNeeded: sequence.seat))
                slots.append(sequence.table.slot(of: position))
                for (group, table) in sequence.windows.enumerated() {
                    windowSlots[group].append(table.slot(of: position))
                }
            }
            for (group, table) in ([sequence.table] + sequence.windows).enumerated() {
                let news = table.news
                setTable(of: sequence.seat, news.blocks, from: news.start, group: group)
            }
            if sequence.yieldsToken { outputs.append(Int32(truncatingIfNeeded: tokens.count - 1)) }
        }
    }

    private mutating func add(_ forks: [ScheduledStep.Fork]) {
        guard !forks.isEmpty else { return }
        blockCopies = [[Copy]](repeating: [], count: 1 + windowSlots.count)
        for fork in forks {
            stateCopies.append(
                Copy(
                    source: Int32(truncatingIfNeeded: fork.parentSeat), target: Int32(truncatingIfNeeded: fork.seat)))
            for (group, copy) in fork.blocks.enumerated() {
                blockCopies[group].append(Copy(source: copy.source, target: copy.target))
            }
        }
    }
}
