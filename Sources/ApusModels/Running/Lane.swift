package import ApusCompute

/// Steps that follow each other: what each chose, for the next to take up, and room for two on their way.
final class Lane {
    /// int32 [outputs], on the head's device.
    let choices: Tensor
    /// The same on the table's device.
    let fed: Tensor
    /// Between these two, if they are not one.
    let feedback: Passage?
    /// What the last step chose, if the table's device does not have it yet.
    var parcel: Passage.Parcel?
    /// Rows that the last step chose.
    var rows = 0

    private let slots: [Slot]
    private var turn = 0

    /// Memory of the host for one step.
    final class Slot {
        let metadata: HostBlock
        let choices: HostBlock
        private var logits: HostBlock?
        private let logitsByteCount: Int

        init(_ model: DecoderModel, _ limits: StepLimits) throws {
            // Every device copies from the same block.
            metadata = try model.input.device.makeHostBlock(
                "a step's metadata", byteCount: StepLayout.byteCount(limits, model.spec))
            choices = try model.output.device.makeHostBlock("a step's choices", byteCount: limits.outputs * 4)
            logitsByteCount = limits.outputs * model.spec.vocabularySize * 4
        }

        /// Made when logits are first asked for, which most runs never do.
        func logits(on device: any Device) throws(ComputeError) -> HostBlock {
            if let logits { return logits }
            let made = try device.makeHostBlock("a step's logits", byteCount: logitsByteCount)
            logits = made
            return made
        }

        /// What `logits(on:)` made.
        var madeLogits: HostBlock? { logits }
    }

    init(_ model: DecoderModel, _ limits: StepLimits) throws {
        choices = try model.output.device.makeTensor([limits.outputs], .int32)
        if model.output.device === model.input.device {
            fed = choices
            feedback = nil
        } else {
            fed = try model.input.device.makeTensor([limits.outputs], .int32)
            feedback = try Passage("choices", byteCount: limits.outputs * 4, from: model.output.device)
        }
        slots = try (0..<2).map { _ in try Slot(model, limits) }
    }

    func nextSlot() -> Slot {
        defer { turn = (turn + 1) % slots.count }
        return slots[turn]
    }
}

/// A step that was asked for. It must be waited for before its lane is asked for the next but one.
package final class PendingStep {
    private let slot: Lane.Slot
    private let done: any DeviceEvent
    private let count: Int
    private let logitRows: Range<Int>
    private let width: Int

    init(_ slot: Lane.Slot, _ done: any DeviceEvent, count: Int, logitRows: Range<Int>, width: Int) {
        self.slot = slot
        self.done = done
        self.count = count
        self.logitRows = logitRows
        self.width = width
    }

    /// Blocks until the step is done. Throws `ComputeError` if a device has failed.
    package func wait() throws(ComputeError) { try done.wait() }

    /// Of a step that is done: the best token of each row of the outputs, or -1 where the logits hold what is no number.
    package func choices() throws(ComputeError) -> [Int32] {
        try slot.choices.withBytes { Array($0.bindMemory(to: Int32.self).prefix(count)) }
    }

    /// Of a step that is done: calls `body` with a row of logits that was asked for, which it may change.
    package func withLogits<Result>(
        of row: Int, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) throws -> Result {
        guard logitRows.contains(row), let block = slot.madeLogits else {
            throw ComputeError.misuse("the logits of row \(row) were not asked for")
        }
        let start = (row - logitRows.lowerBound) * width
        return try block.withBytes { bytes in
            Swift.Result {
                try body(UnsafeMutableBufferPointer(rebasing: bytes.bindMemory(to: Float.self)[start..<start + width]))
            }
        }.get()
    }
}
