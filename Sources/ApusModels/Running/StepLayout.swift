import ApusCompute

/// How all that a device must know of a step lies in one block of 4-byte words, so that one copy brings it there.
///
/// Steps of so many tokens or fewer, up to the next power of two, have everything in the same places. The updates of the
/// block tables, and what is to be copied, come last, and only as many bytes are copied as there are.
struct StepLayout: Sendable {
    /// Tokens that there is room for.
    let capacity: Int
    private let outputs: Int
    private let groups: Int
    private let sequences: Int
    /// Elements of a head that turn, for each rotary embedding.
    private let turned: [Int]
    private let scalesQueries: Bool

    init(tokens: Int, _ limits: StepLimits, _ spec: DecoderSpec) {
        var capacity = 16
        while capacity < tokens { capacity *= 2 }
        self.capacity = capacity
        outputs = limits.outputs
        groups = limits.groups
        sequences = limits.sequences
        turned = spec.rotaries.map(\.turned)
        scalesQueries = spec.queryScaling != nil
    }

    // Where each part begins, in words.
    private var tokensStart: Int { 0 }
    private var positionsStart: Int { capacity }
    private var firstKeysStart: Int { 2 * capacity }
    private var sequencesStart: Int { 3 * capacity }
    private var slotsStart: Int { 4 * capacity }
    private var queryScalesStart: Int { slotsStart + groups * capacity }
    private var anglesStart: Int { queryScalesStart + (scalesQueries ? capacity : 0) }
    private var outputsStart: Int { anglesStart(turned.count) }
    private var updatesStart: Int { outputsStart + outputs }

    private func copiesStart(_ batch: ForwardBatch) -> Int { updatesStart + 3 * batch.tableUpdates.count }

    /// Where those of a rotary embedding begin.
    private func anglesStart(_ rotary: Int) -> Int { anglesStart + turned.prefix(rotary).reduce(0, +) * capacity }

    /// Bytes of the largest step: one that sets all block tables anew.
    static func byteCount(_ limits: StepLimits, _ spec: DecoderSpec) -> Int {
        let updates = limits.groups * limits.sequences * limits.blocksPerSequence
        let copies = (limits.groups + 1) * limits.sequences
        return (StepLayout(tokens: limits.tokens, limits, spec).updatesStart + 3 * updates + 2 * copies) * 4
    }

    /// Writes a step. Returns the bytes that it takes.
    /// Throws `ModelError` (`.invalidBatch`) if it is larger than the block.
    func write(_ batch: ForwardBatch, _ positions: PositionFactors, into block: HostBlock) throws -> Int {
        let copies = batch.blockCopies.joined() + batch.stateCopies
        let byteCount = (copiesStart(batch) + 2 * copies.count) * 4
        guard batch.tokens.count <= capacity, batch.windowSlots.count < groups, batch.blockCopies.count <= groups,
            batch.outputs.count <= outputs,
            byteCount <= block.byteCount
        else {
            throw ModelError.invalidBatch("a step of \(batch.tokens.count) tokens passes the limits of its run")
        }
        try block.withBytes { bytes in
            let words = bytes.bindMemory(to: Int32.self)
            func put(_ values: [Int32], at start: Int) {
                for (index, value) in values.enumerated() { words[start + index] = value }
            }
            put(batch.tokens, at: tokensStart)
            put(batch.positions, at: positionsStart)
            put(batch.firstKeys, at: firstKeysStart)
            put(batch.sequences, at: sequencesStart)
            put(batch.slots, at: slotsStart)
            for (index, slots) in batch.windowSlots.enumerated() {
                put(slots, at: slotsStart + (index + 1) * capacity)
            }
            put(batch.outputs, at: outputsStart)
            for (index, update) in batch.tableUpdates.enumerated() {
                let row = update.group * Int32(truncatingIfNeeded: sequences) + update.sequence
                put([row, update.index, update.block], at: updatesStart + 3 * index)
            }
            for (index, copy) in copies.enumerated() {
                put([copy.source, copy.target], at: copiesStart(batch) + 2 * index)
            }
            func put(_ value: Float, at index: Int) { words[index] = Int32(bitPattern: value.bitPattern) }
            for (index, rotary) in positions.rotaries.enumerated() {
                let start = anglesStart(index)
                rotary.write(positions: batch.positions, lengths: batch.rotaryLengths) { put($1, at: start + $0) }
            }
            guard let scaling = positions.queryScaling else { return }
            for (token, position) in batch.positions.enumerated() {
                put(scaling.factor(Int(position)), at: queryScalesStart + token)
            }
        }
        return byteCount
    }

    /// The parts of a step in a device's copy of its block.
    func tensors(_ batch: ForwardBatch, in block: Tensor, tables: Tensor) throws -> StepTensors {
        let count = batch.tokens.count
        func view(_ start: Int, _ dimensions: [Int], _ dtype: DType = .int32) throws -> Tensor {
            try Tensor(memory: block.memory, byteOffset: start * 4, shape: Shape(dimensions), dtype: dtype)
        }
        let updates = batch.tableUpdates.count
        let (positions, rows) = (try view(positionsStart, [count]), try view(sequencesStart, [count]))
        let firstKeys = batch.firstKeys.isEmpty ? nil : try view(firstKeysStart, [count])
        let attentions = try (0..<groups).map { group in
            AttentionBatch(
                positions: positions, firstKeys: firstKeys, sequences: rows,
                slots: try view(slotsStart + group * capacity, [count]),
                blockTables: try tables.rows(group * sequences..<(group + 1) * sequences))
        }
        var start = copiesStart(batch)
        func copies(_ copies: [ForwardBatch.Copy]) throws -> Tensor? {
            defer { start += 2 * copies.count }
            return copies.isEmpty ? nil : try view(start, [copies.count, 2])
        }
        let blockCopies = try batch.blockCopies.map(copies)
        let stateCopies = try copies(batch.stateCopies)
        return StepTensors(
            tokens: try view(tokensStart, [count]),
            angles: try turned.enumerated().map { try view(anglesStart($0), [count, 2, $1 / 2], .float32) },
            queryScales: scalesQueries ? try view(queryScalesStart, [count], .float32) : nil,
            outputs: try view(outputsStart, [batch.outputs.count]),
            updates: updates == 0 ? nil : try view(updatesStart, [updates, 3]),
            blockCopies: blockCopies + [Tensor?](repeating: nil, count: groups - blockCopies.count),
            stateCopies: stateCopies,
            positions: positions, attentions: attentions)
    }
}

/// A step as a device knows it.
struct StepTensors: Sendable {
    let tokens: Tensor  // int32 [tokens]
    let angles: [Tensor]  // of each rotary embedding: [tokens, 2, turned / 2]
    let queryScales: Tensor?  // [tokens]
    let outputs: Tensor  // int32 [outputs]
    /// int32 [updates, 3]: row of the tables, index, block.
    let updates: Tensor?
    /// int32 [copies, 2], by the groups of layers: from, to.
    let blockCopies: [Tensor?]
    let stateCopies: Tensor?
    let positions: Tensor  // int32 [tokens]
    /// By the groups of layers.
    let attentions: [AttentionBatch]

    /// Of layers that keep all of a sequence.
    var attention: AttentionBatch { attentions[0] }
}
