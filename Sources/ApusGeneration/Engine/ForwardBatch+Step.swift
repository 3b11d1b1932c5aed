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
    ///   - window: how many of the last keys a token sees that was generated; all if `nil`.
    package init(_ step: ScheduledStep, _ histories: [TokenHistory], window: Int? = nil) {
        self.init()
        tokens.reserveCapacity(step.tokenCount)
        positions.reserveCapacity(step.tokenCount)
        rotaryLengths.reserveCapacity(step.tokenCount)
        sequences.reserveCapacity(step.tokenCount)
        slots.reserveCapacity(step.tokenCount)
        blockTables.reserveCapacity(step.sequences.count)
        outputs.reserveCapacity(step.yieldCount)
        for (row, (sequence, history)) in zip(step.sequences, histories).enumerated() {
            for position in sequence.range {
                let (block, offset) = position.quotientAndRemainder(dividingBy: KVCacheLayout.blockSize)
                tokens.append(Int32(truncatingIfNeeded: history.tokens[position]))
                positions.append(Int32(truncatingIfNeeded: position))
                rotaryLengths.append(Int32(truncatingIfNeeded: max(position + 1, history.promptLength)))
                if let window {
                    let first = position < history.promptLength ? 0 : max(position + 1 - window, 0)
                    firstKeys.append(Int32(truncatingIfNeeded: first))
                }
                sequences.append(Int32(truncatingIfNeeded: row))
                slots.append(
                    sequence.blocks[block] * Int32(KVCacheLayout.blockSize) + Int32(truncatingIfNeeded: offset))
            }
            blockTables.append(sequence.blocks)
            if sequence.yieldsToken { outputs.append(Int32(truncatingIfNeeded: tokens.count - 1)) }
        }
    }
}
