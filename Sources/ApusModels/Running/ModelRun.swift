package import ApusCompute

/// Runs a model's steps, and owns all that changes from one to the next: caches, buffers, block tables.
///
/// Steps go to the devices one behind the other, and nothing waits for them but `PendingStep.wait`. Steps of a lane may
/// take up what the one before them in that lane chose; two of a lane may be on their way at a time. For one task at a
/// time.
package final class ModelRun {
    package let limits: StepLimits
    /// Bytes that went from device to device.
    package let ledger = TransferLedger()

    private let model: DecoderModel
    private let memories: [LayerMemory]
    /// In the order of the model's devices.
    private let shares: [DeviceShare]
    private let stages: [Stage]
    private let outputs: OutputBuffers
    private var lanes: [Lane]
    private let streaming: Streaming

    private struct Stage {
        let share: Int
        let parts: Range<Int>
        /// From the stage before: of the hidden state, and of what the layers get beside it.
        let passage: Passage?
        let layersPassage: Passage?
    }

    private struct Way: Hashable {
        let what: String
        let sender: Int
        let receiver: Int
    }

    /// - Parameter lanes: sequences of steps that do not wait for each other's choices.
    /// - Throws: `ComputeError` (`.outOfMemory`) if a device has no room.
    package init(_ model: DecoderModel, _ limits: StepLimits, lanes: Int = 1) throws {
        self.model = model
        self.limits = limits
        let spec = model.spec
        memories = try model.makeMemory(limits)
        shares = try model.devices.map { try DeviceShare($0, spec, limits) }
        var previous: Int?
        // What goes the same way takes turns, however often it does in a step.
        var passages: [Way: Passage] = [:]
        func passage(_ what: String, width: Int, _ sender: Int, _ receiver: Int) throws -> Passage? {
            guard width > 0 else { return nil }
            let way = Way(what: what, sender: sender, receiver: receiver)
            if let known = passages[way] { return known }
            let made = try Passage(what, byteCount: limits.tokens * width * 4, from: model.devices[sender])
            passages[way] = made
            return made
        }
        var stages: [Stage] = []
        let perLayer = (spec.embedding.perLayer?.width ?? 0) * spec.layers
        for stage in model.placement.stages {
            guard let share = model.devices.firstIndex(where: { $0.id == stage.device }) else {
                throw ComputeError.unknownDevice("\(stage.device) is none of the model's devices")
            }
            stages.append(
                Stage(
                    share: share, parts: stage.parts,
                    passage: try previous.flatMap { try passage("hidden state", width: spec.hiddenSize, $0, share) },
                    layersPassage: try previous.flatMap {
                        try passage("inputs of layers", width: perLayer, $0, share)
                    }))
            previous = share
        }
        self.stages = stages
        streaming = Streaming(model)
        outputs = try OutputBuffers(limits, spec, on: model.output.device)
        self.lanes = try (0..<max(lanes, 1)).map { _ in try Lane(model, limits) }
        for device in model.devices { try device.reserveWorkspace(model.workspaceDemand(on: device.id, limits)) }
    }

    /// Asks for a step. Where devices answer at once, it is done when this returns.
    ///
    /// - Parameter logitRows: rows of the outputs whose logits are to come to the host.
    /// - Throws: `ModelError` (`.invalidBatch`) for tokens beyond the vocabulary and steps beyond the limits, `ComputeError`
    ///   from the devices.
    package func launch(_ batch: ForwardBatch, lane: Int = 0, logitRows: Range<Int> = 0..<0) throws -> PendingStep {
        let lane = lanes[lane]
        try check(batch, lane)
        let slot = lane.nextSlot()
        let layout = StepLayout(tokens: batch.tokens.count, limits, model.spec)
        let byteCount = try layout.write(batch, model.positions, into: slot.metadata)
        let steps = try shares.map { try $0.receive(batch, layout, slot.metadata, byteCount: byteCount) }

        let hiddens = try shares.map { try $0.buffers.hidden(tokens: batch.tokens.count) }
        let views = try shares.map { share in
            try model.spec.kinds.map { try share.buffers.view(tokens: batch.tokens.count, $0) }
        }

        for (index, stage) in stages.enumerated() {
            let (share, step, hidden) = (shares[stage.share], steps[stage.share], hiddens[stage.share])
            if let passage = stage.passage {
                let source = stages[index - 1].share
                try ledger.copy(
                    hiddens[source], from: shares[source].device, to: hidden, on: share.device, by: passage, .hidden)
                let count = batch.tokens.count
                if let passage = stage.layersPassage, let sent = try shares[source].buffers.perLayer(tokens: count),
                    let received = try share.buffers.perLayer(tokens: count)
                {
                    try ledger.copy(
                        sent, from: shares[source].device, to: received, on: share.device, by: passage, .hidden)
                }
            }
            for part in stage.parts where part <= model.spec.layers {
                try share.device.expect(streaming, part)
                if part == 0 {
                    try takeUp(batch, lane)
                    try model.input.forward(
                        step, choices: lane.fed, embedded: share.buffers.embedded(tokens: batch.tokens.count),
                        into: hidden, layers: share.buffers.perLayer(tokens: batch.tokens.count))
                } else {
                    let (kind, memory) = (model.spec.pattern[part - 1], memories[part - 1])
                    // What it shares with a layer before it was copied there.
                    if model.spec.kinds[kind].attention.sharedCache == nil { try memory.copy(step, on: share.device) }
                    try model.layers[part - 1].forward(views[stage.share][kind], step, memory)
                }
            }
        }
        return try choose(batch, steps[stages[stages.count - 1].share], lane, slot, logitRows)
    }

    /// Brings what the last step of a lane chose to the table's device, if this step asks for it. Any earlier, and the device
    /// would do nothing for other lanes until then.
    private func takeUp(_ batch: ForwardBatch, _ lane: Lane) throws {
        guard let parcel = lane.parcel, batch.tokens.contains(where: { $0 < 0 }) else { return }
        try ledger.receive(parcel, into: lane.fed, on: model.input.device, .choices)
        lane.parcel = nil
    }

    /// What the head's device does: logits, the best of each row, and both on their way to the host.
    private func choose(
        _ batch: ForwardBatch, _ step: StepTensors, _ lane: Lane, _ slot: Lane.Slot, _ logitRows: Range<Int>
    ) throws -> PendingStep {
        let device = model.output.device
        try device.expect(streaming, model.spec.layers + 1)
        let count = batch.outputs.count
        guard count > 0 else { return PendingStep(slot, try device.record(), count: 0, logitRows: 0..<0, width: 0) }
        let hidden = try shares[stages[stages.count - 1].share].buffers.hidden(tokens: batch.tokens.count)
        let rows = try outputs.view(outputs: count)
        try device.gather(hidden, rows: step.outputs, into: rows.hidden)
        try model.output.forward(rows.hidden, projected: rows.projected, into: rows.logits)
        let choices = try lane.choices.prefix(rows: count)
        try device.argmax(rows.logits, into: choices)
        if let passage = lane.feedback {
            lane.parcel = try ledger.send(choices, from: device, by: passage)
        }
        try device.copyOut(choices, to: slot.choices, at: 0)
        if !logitRows.isEmpty {
            try device.copyOut(try rows.logits.rows(logitRows), to: try slot.logits(on: device), at: 0)
        }
        lane.rows = count
        return PendingStep(
            slot, try device.record(), count: count, logitRows: logitRows, width: model.spec.vocabularySize)
    }

    private func check(_ batch: ForwardBatch, _ lane: Lane) throws {
        let size = model.spec.vocabularySize
        for token in batch.tokens where token < 0 ? -Int(token) > lane.rows : Int(token) >= size {
            throw ModelError.invalidBatch("token \(token) is beyond the vocabulary of \(size)")
        }
        if let row = batch.outputs.first(where: { $0 < 0 || Int($0) >= batch.tokens.count }) {
            throw ModelError.invalidBatch("output \(row) of \(batch.tokens.count) tokens")
        }
    }
}

extension ModelRun {
    /// Runs a step to its end and returns the logits of all its outputs: [outputs, vocabularySize].
    package func logits(of batch: ForwardBatch) throws -> [Float] {
        let step = try launch(batch, logitRows: 0..<batch.outputs.count)
        try step.wait()
        return try batch.outputs.indices.flatMap { row in
            try step.withLogits(of: row) { Array($0) }
        }
    }
}
