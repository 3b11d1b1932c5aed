package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    /// Rows of tokens are gathered for each expert, so that its weights are read once for all of them. What an expert makes
    /// of a row depends on that row alone, and a token's results are added in the order of experts.
    package func experts(
        _ x: Tensor, norm: Norm?, scores: Tensor, sharedScores: Tensor?, _ block: ExpertBlock, scale: Float,
        into y: Tensor, accumulates: Bool
    ) throws(ComputeError) {
        guard x.shape.rank == 2 else { throw .mismatch("the input of experts of shape \(x.shape)") }
        let (tokens, width) = (x.shape[0], x.shape[1])
        try check(y, is: [tokens, width], "the result of experts")
        try check(scores, is: [tokens, block.experts.count], "scores of experts")
        if let sharedScores { try check(sharedScores, is: [tokens, 1], "scores of the shared expert") }
        if let bias = block.choiceBias { try check(bias, is: [block.experts.count], "what choices are biased by") }
        guard !block.experts.isEmpty, block.rule.chosen > 0 else { throw .mismatch("a choice of no experts") }
        if let groups = block.rule.groups, groups.count < 1 || block.experts.count % groups.count != 0 {
            throw .mismatch("\(block.experts.count) experts in \(groups.count) groups")
        }
        if let scales = block.scales { try check(scales, is: [block.experts.count], "scales of experts") }
        guard tokens > 0 else { return }
        let input = ExpertInput(
            x: UnsafePointer(try floats(x)),
            norm: try norm.map { norm throws(ComputeError) in try kernelNorm(norm, width: width) },
            width: width)
        let shared = try sharedScores.map { scores throws(ComputeError) in UnsafePointer(try floats(scores)) }
        let bias = try block.choiceBias.map { bias throws(ComputeError) in UnsafePointer(try floats(bias)) }
        let scales = try block.scales.map { scales throws(ComputeError) in UnsafePointer(try floats(scales)) }
        let table = UnsafePointer(try floats(scores))
        let target = try floats(y)

        try workspace.withLock { workspace throws(ComputeError) in
            workspace.experts.plan(
                tokens: tokens, block, scores: table, sharedScores: shared, bias: bias, scales: scales)
            var parts: [ExpertPart] = []
            parts.reserveCapacity(workspace.experts.shares.count)
            var layout = ExpertLayout(rows: tokens * workspace.experts.rowsPerToken, width: width)
            // A single token's row is packed once for all of its experts.
            var packed = PackedForms(isShared: tokens == 1)
            for share in workspace.experts.shares {
                parts.append(try part(block.all[share.expert], share, width, &packed, &layout))
            }
            let memory = try grow(&workspace.expertRows, to: layout.byteCount).pointer
            if moments != nil {
                // Few tokens come to each expert: what comes to any of them tells more of what may come.
                var opening: [CPUWeight] = []
                for expert in block.all {
                    opening += [try weight(expert.gate.weight), try weight(expert.up.weight)]
                }
                observe(input.activations(tokens), opening)
            }
            try run(parts, workspace.experts, input, memory, layout, block.activation, &workspace.scratch)
            add(workspace.experts, memory, layout, scale, tokens: tokens, to: target, accumulates: accumulates)
        }
    }

    /// One expert's products, and where its rows are packed.
    private func part(
        _ expert: ExpertBlock.Expert, _ share: ExpertPlan.Share, _ width: Int, _ packed: inout PackedForms,
        _ layout: inout ExpertLayout
    ) throws(ComputeError) -> ExpertPart {
        let rows = share.rows.count
        let inner = expert.gate.weight.shape[0]
        guard expert.gate.weight.shape.dimensions == [inner, width],
            expert.up.weight.shape.dimensions == [inner, width],
            expert.down.weight.shape.dimensions == [width, inner]
        else { throw .mismatch("experts of shapes \(expert.gate.weight.shape) and \(expert.down.weight.shape)") }
        let (gate, up) = (try linear(expert.gate, rows: rows), try linear(expert.up, rows: rows))
        let down = try linear(expert.down, rows: rows)
        packed.begin()
        func place(_ form: ActivationForm) -> PackedForms.Place {
            packed.place(form) { layout.take(kernels.packed_bytes(form.type, rows, width)) }
        }
        return ExpertPart(
            share: share, inner: inner, gate: gate, up: up, down: down,
            packedGate: place(gate.form), packedUp: place(up.form),
            packedInner: layout.take(kernels.packed_bytes(down.form.type, rows, inner)),
            gated: layout.take(rows * inner * MemoryLayout<Float>.stride))
    }

    private func run(
        _ parts: [ExpertPart], _ plan: ExpertPlan, _ input: ExpertInput,
        _ memory: UnsafeMutableRawPointer, _ layout: ExpertLayout, _ activation: Activation,
        _ scratchMemory: inout CPUMemory?
    ) throws(ComputeError) {
        nonisolated(unsafe) let memory = memory
        let pieces = ExpertPieces(parts, threads: team.count)
        let most = parts.reduce(0) { max($0, $1.share.rows.count) }
        let kernelBytes = parts.reduce(0) { $1.scratchByteCount(kernels, atLeast: $0) }.roundedUp(to: 64)
        let bytes = CPUWorkspace.product(kernel: kernelBytes, rows: most, outputs: pieces.outputsPerPiece)
        let room = try grow(&scratchMemory, to: bytes * team.count).pointer
        nonisolated(unsafe) let scratch = room

        func forEach(_ count: Int, _ body: (_ chunk: Int, _ thread: Int) -> Void) {
            if pieces.isWorthSharing { return team.run(chunks: count, body) }
            for chunk in 0..<count { body(chunk, 0) }
        }
        let packing = pieces.rows.filter { parts[$0.part].packs }
        forEach(packing.count) { chunk, _ in
            let piece = packing[chunk]
            let part = parts[piece.part]
            let gathered = layout.gathered(memory) + part.share.rows.lowerBound * input.width
            for row in piece.range {
                let token = Int(plan.tokens[part.share.rows.lowerBound + row])
                (gathered + row * input.width).update(from: input.x + token * input.width, count: input.width)
            }
            for place in [part.packedGate, part.packedUp] where place.isNew {
                pack(
                    gathered, input.norm, part.share, piece.range, input.width, into: memory + place.offset, place.form)
            }
        }
        forEach(pieces.inner.count) { chunk, thread in
            let piece = pieces.inner[chunk]
            let part = parts[piece.part]
            let kernel = scratch + thread * bytes
            part.open(
                piece.range, memory, kernels, activation.kernelActivation,
                scratch: kernel,
                results: (kernel + kernelBytes).assumingMemoryBound(to: Float.self))
        }
        for part in parts where moments != nil {
            var gated = apus_activations()
            gated.x = UnsafePointer((memory + part.gated).assumingMemoryBound(to: Float.self))
            gated.rows = part.share.rows.count
            gated.inputs = part.inner
            observe(gated, [part.down.weight])
        }
        forEach(pieces.rows.count) { chunk, _ in
            let piece = pieces.rows[chunk]
            let part = parts[piece.part]
            let gated = (memory + part.gated).assumingMemoryBound(to: Float.self)
            pack(gated, nil, part.share, piece.range, part.inner, into: memory + part.packedInner, part.down.form)
        }
        forEach(pieces.outer.count) { chunk, thread in
            let piece = pieces.outer[chunk]
            parts[piece.part].close(
                piece.range, memory, kernels, results: layout.gathered(memory), scratch: scratch + thread * bytes)
        }
    }

    private func pack(
        _ rows: UnsafePointer<Float>, _ norm: apus_norm?, _ share: ExpertPlan.Share, _ range: Range<Int>,
        _ inputs: Int, into packed: UnsafeMutableRawPointer, _ form: ActivationForm
    ) {
        var task = apus_activations()
        task.x = rows
        if let norm { task.norm = norm }
        task.rows = share.rows.count
        task.inputs = inputs
        task.type = form.type
        task.order = form.order
        task.rotates = form.rotates
        task.span = form.span
        task.packed = packed
        kernels.pack_rows(&task, range.lowerBound, range.upperBound)
    }

    /// Adds what its experts made of each token.
    private func add(
        _ plan: ExpertPlan, _ memory: UnsafeMutableRawPointer, _ layout: ExpertLayout, _ scale: Float, tokens: Int,
        to y: UnsafeMutablePointer<Float>, accumulates: Bool
    ) {
        let width = layout.width
        nonisolated(unsafe) let results = layout.gathered(memory)
        nonisolated(unsafe) let y = y
        forEachRange(of: tokens, costPerItem: width * plan.rowsPerToken) { range in
            for token in range {
                let sum = y + token * width
                if !accumulates { sum.update(repeating: 0, count: width) }
                for index in 0..<plan.rowsPerToken {
                    let row = Int(plan.rowsOfTokens[token * plan.rowsPerToken + index])
                    let (weight, result) = (plan.weights[row] * scale, results + row * width)
                    for column in 0..<width { sum[column] += weight * result[column] }
                }
            }
        }
    }

    private func linear(_ projection: Projection, rows: Int) throws(ComputeError) -> LinearPart {
        let weight = try self.weight(projection.weight)
        return LinearPart(weight, task: try task(weight, bias: projection.bias, rows: rows), epilogue: nil)
    }
}

/// Where rows are packed, in each form that experts take: for each expert, or for all where a single token has them.
private struct PackedForms {
    struct Place {
        let form: ActivationForm
        let offset: Int
        /// Whether nobody else packs it.
        var isNew = true
    }

    private var places: [Place] = []
    private let isShared: Bool

    init(isShared: Bool) { self.isShared = isShared }

    /// Rows of another expert follow.
    mutating func begin() {
        if !isShared { places.removeAll(keepingCapacity: true) }
    }

    mutating func place(_ form: ActivationForm, _ take: () -> Int) -> Place {
        if var place = places.first(where: { $0.form == form }) {
            place.isNew = false
            return place
        }
        let place = Place(form: form, offset: take())
        places.append(place)
        return place
    }
}

/// What experts take.
private struct ExpertInput: @unchecked Sendable {
    let x: UnsafePointer<Float>
    let norm: apus_norm?
    let width: Int

    func activations(_ tokens: Int) -> apus_activations {
        var activations = apus_activations()
        activations.x = x
        if let norm { activations.norm = norm }
        activations.rows = tokens
        activations.inputs = width
        return activations
    }
}

/// Where things lie in the memory of a call: rows by experts, [rows, width], in whose place their results come, then what
/// each expert needs.
struct ExpertLayout {
    let width: Int
    private(set) var byteCount: Int

    init(rows: Int, width: Int) {
        self.width = width
        byteCount = (rows * width * MemoryLayout<Float>.stride).roundedUp(to: 64)
    }

    mutating func take(_ bytes: Int) -> Int {
        defer { byteCount += bytes.roundedUp(to: 64) }
        return byteCount
    }

    func gathered(_ memory: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
        memory.assumingMemoryBound(to: Float.self)
    }
}

/// One expert's products with its rows, and the places of what comes between, in bytes.
private struct ExpertPart: @unchecked Sendable {
    let share: ExpertPlan.Share
    let inner: Int
    let gate, up, down: LinearPart
    let packedGate, packedUp: PackedForms.Place
    let packedInner, gated: Int

    /// Whether its rows are packed for it: those of a single token are those of its first expert, unless others take them in
    /// another form.
    var packs: Bool { packedGate.isNew || packedUp.isNew }

    func scratchByteCount(_ kernels: apus_kernels, atLeast least: Int) -> Int {
        [gate, up, down].reduce(least) { max($0, $1.scratchByteCount(kernels)) }
    }

    /// activation(gate) · up for some panels.
    func open(
        _ panels: Range<Int>, _ memory: UnsafeMutableRawPointer, _ kernels: apus_kernels, _ activation: apus_activation,
        scratch: UnsafeMutableRawPointer, results: UnsafeMutablePointer<Float>
    ) {
        let first = panels.lowerBound * CPUWeight.panel
        let width = min(panels.upperBound * CPUWeight.panel, inner) - first
        let y = (memory + gated).assumingMemoryBound(to: Float.self)
        var (gate, up) = (gate, up)
        gate.task.packed = UnsafeRawPointer(memory + packedGate.offset)
        up.task.packed = UnsafeRawPointer(memory + packedUp.offset)
        gate.task.y = y
        gate.multiply(panels, kernels, scratch: scratch)
        up.multiply(panels, kernels, scratch: scratch, into: results, stride: width)
        for row in 0..<share.rows.count {
            kernels.gated_activation(activation, y + row * inner + first, results + row * width, width)
        }
    }

    /// The last product for some panels.
    func close(
        _ panels: Range<Int>, _ memory: UnsafeMutableRawPointer, _ kernels: apus_kernels,
        results: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var down = down
        down.task.packed = UnsafeRawPointer(memory + packedInner)
        down.task.y = results + share.rows.lowerBound * down.task.outputs
        down.multiply(panels, kernels, scratch: scratch)
    }
}

/// What threads share a call out in.
private struct ExpertPieces {
    struct Piece {
        var part: Int
        var range: Range<Int>
    }

    /// Rows, and panels of both products.
    private(set) var rows: [Piece] = []
    private(set) var inner: [Piece] = []
    private(set) var outer: [Piece] = []
    private(set) var outputsPerPiece = 0
    private(set) var isWorthSharing = false

    private static let rowsPerPiece = 16

    init(_ parts: [ExpertPart], threads: Int) {
        let innerPanels = parts.reduce(0) { $0 + $1.gate.panelCount }
        let outerPanels = parts.reduce(0) { $0 + $1.down.panelCount }
        var work = 0
        for (index, part) in parts.enumerated() {
            let count = part.share.rows.count
            func cut(_ whole: Int, by size: Int, into pieces: inout [Piece]) {
                for first in stride(from: 0, to: whole, by: size) {
                    pieces.append(Piece(part: index, range: first..<min(first + size, whole)))
                }
            }
            // Where one piece ends, what follows is not yet on its way from memory: the larger, the better.
            func size(_ panels: Int) -> Int {
                LinearShares.panelsPerChunk(panels: panels, threads: threads, rows: count)
            }
            outputsPerPiece = max(outputsPerPiece, size(innerPanels) * CPUWeight.panel)
            cut(count, by: Self.rowsPerPiece, into: &rows)
            cut(part.gate.panelCount, by: size(innerPanels), into: &inner)
            cut(part.down.panelCount, by: size(outerPanels), into: &outer)
            work += count * part.inner * part.down.task.outputs
        }
        isWorthSharing = work >= LinearShares.smallestWork
    }
}
