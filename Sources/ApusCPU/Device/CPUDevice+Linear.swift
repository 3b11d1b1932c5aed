package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func linear(_ x: Tensor, norm: Norm?, _ products: [Product]) throws(ComputeError) {
        guard products.allSatisfy({ $0.epilogue == nil || !$0.accumulates }) else {
            throw .mismatch("something is to be done to a product that is added to another")
        }
        try multiply(x, norm, products) { part, panels, scratch in
            part.multiply(panels, kernels, scratch: scratch.kernel)
            if let epilogue = part.epilogue { part.finish(panels, epilogue, kernels) }
        }
    }

    /// A thread applies the activation to what it has just multiplied, while that is near; its part of the second product
    /// is written nowhere else.
    package func gatedLinear(
        _ x: Tensor, norm: Norm?, gate: Projection, up: Projection, _ activation: Activation, into result: Tensor
    ) throws(ComputeError) {
        guard gate.weight.shape == up.weight.shape else {
            throw .mismatch("a gate of shape \(gate.weight.shape) beside one of shape \(up.weight.shape)")
        }
        let second = try part(up.into(result), rows: x.shape.dimensions.first ?? 0)
        let kind = activation.kernelActivation
        try multiply(x, norm, [gate.into(result)], second) { part, panels, scratch in
            var other = second
            part.multiply(panels, kernels, scratch: scratch.kernel)
            let first = panels.lowerBound * CPUWeight.panel
            let width = min(panels.upperBound * CPUWeight.panel, part.task.outputs) - first
            other.task.packed = scratch.second
            other.multiply(panels, kernels, scratch: scratch.kernel, into: scratch.results, stride: width)
            for row in 0..<part.task.rows {
                kernels.gated_activation(
                    kind, part.task.y + row * part.task.y_stride + first, scratch.results + row * width, width)
            }
        }
    }

    /// What a thread may use while it multiplies.
    private struct Scratch {
        let kernel: UnsafeMutableRawPointer
        /// Room for the results of a chunk.
        let results: UnsafeMutablePointer<Float>
        /// The rows in the form of the second product.
        let second: UnsafeRawPointer
    }

    /// Brings the rows of `x` into the form of the products, then calls `body` for all panels of all of them.
    /// `second` is a product that `body` computes besides.
    private func multiply(
        _ x: Tensor, _ norm: Norm?, _ products: [Product], _ second: LinearPart? = nil,
        _ body: (_ part: LinearPart, _ panels: Range<Int>, _ scratch: Scratch) -> Void
    ) throws(ComputeError) {
        guard let first = products.first?.projection.weight else { return }
        let form = try weight(first).form
        let inputs = first.shape[1]
        var others: [Product] = []
        for product in products where product.projection.weight !== first {
            if try weight(product.projection.weight).form != form { others.append(product) }
        }
        guard others.isEmpty else {
            // Each form of activations is made once.
            let same = products.filter { product in
                !others.contains { $0.projection.weight === product.projection.weight }
            }
            try multiply(x, norm, same, second, body)
            return try multiply(x, norm, others, second, body)
        }
        let rows = x.shape.dimensions.first ?? 0
        try check(x, is: [rows, inputs], "the input of a product")
        guard products.allSatisfy({ $0.projection.weight.shape[1] == inputs }) else {
            throw .mismatch("products of one input have weights of different inputs")
        }
        var parts: [LinearPart] = []
        for product in products { parts.append(try part(product, rows: rows)) }
        guard rows > 0, inputs > 0 else { return }

        var activations = apus_activations()
        activations.x = UnsafePointer(try floats(x))
        if let norm { activations.norm = try kernelNorm(norm, width: inputs) }
        activations.rows = rows
        activations.inputs = inputs
        let own = kernels.packed_bytes(form.type, rows, inputs).roundedUp(to: 64)
        let otherForm = second.flatMap { $0.form == form ? nil : $0.form }

        try workspace.withLock { workspace throws(ComputeError) in
            let packedBytes = own + (otherForm.map { kernels.packed_bytes($0.type, rows, inputs) } ?? 0)
            let packed = try grow(&workspace.packed, to: packedBytes).pointer
            let packedSecond = UnsafeRawPointer(otherForm == nil ? packed : packed + own)
            for index in parts.indices { parts[index].task.packed = UnsafeRawPointer(packed) }
            let shares = LinearShares(parts, threads: team.count)
            let kernelBytes = parts.reduce(second?.scratchByteCount(kernels) ?? 0) {
                max($0, $1.scratchByteCount(kernels))
            }.roundedUp(to: 64)
            let bytes = CPUWorkspace.product(kernel: kernelBytes, rows: rows, outputs: shares.outputsPerChunk)
            let room = try grow(&workspace.scratch, to: bytes * team.count).pointer
            if moments != nil { observe(activations, parts.map(\.weight) + (second.map { [$0.weight] } ?? [])) }
            pack(activations, form, into: packed)
            if let otherForm { pack(activations, otherForm, into: packed + own) }
            share(shares) { part, panels, thread in
                let kernel = room + thread * bytes
                let results = (kernel + kernelBytes).assumingMemoryBound(to: Float.self)
                body(part, panels, Scratch(kernel: kernel, results: results, second: packedSecond))
            }
        }
    }

    private func part(_ product: Product, rows: Int) throws(ComputeError) -> LinearPart {
        let weight = try self.weight(product.projection.weight)
        try check(product.result, is: [rows, weight.outputs], "the result of a product")
        var task = try task(weight, bias: product.projection.bias, rows: rows)
        task.scale = product.scale
        task.y = try floats(product.result)
        task.accumulate = product.accumulates
        return LinearPart(weight, task: task, epilogue: product.epilogue)
    }

    /// A product as kernels see it, without its operands.
    func task(_ weight: CPUWeight, bias: Tensor?, rows: Int) throws(ComputeError) -> apus_linear {
        if let bias { try check(bias, is: [weight.outputs], "a bias") }
        var task = apus_linear()
        task.type = weight.format.kernelType
        task.grouping = weight.grouping
        task.bias = try bias.map { tensor throws(ComputeError) in UnsafePointer(try floats(tensor)) }
        task.scale = 1
        task.y_stride = weight.outputs
        task.rows = rows
        task.inputs = weight.inputs
        task.outputs = weight.outputs
        return task
    }

    private func pack(_ task: apus_activations, _ form: ActivationForm, into packed: UnsafeMutableRawPointer) {
        let group = 16
        var made = task
        made.type = form.type
        made.order = form.order
        made.rotates = form.rotates
        made.span = form.span
        made.packed = packed
        nonisolated(unsafe) let task = made
        team.run(chunks: (task.rows + group - 1) / group) { chunk, _ in
            withUnsafePointer(to: task) {
                kernels.pack_rows($0, chunk * group, min((chunk + 1) * group, task.rows))
            }
        }
    }

    private func share(_ shares: LinearShares, _ body: (LinearPart, Range<Int>, _ thread: Int) -> Void) {
        guard shares.isWorthSharing else {
            for chunk in 0..<shares.count { shares.withChunk(chunk) { body($0, $1, 0) } }
            return
        }
        team.run(chunks: shares.count) { chunk, thread in shares.withChunk(chunk) { body($0, $1, thread) } }
    }

    func grow(_ memory: inout CPUMemory?, to byteCount: Int) throws(ComputeError) -> CPUMemory {
        if let memory, memory.byteCount >= byteCount { return memory }
        let larger = try CPUMemory(byteCount: max(byteCount, 64), of: self.memory)
        memory = larger
        return larger
    }
}

/// The panels of several products, cut so that the threads of a team end together.
struct LinearShares: @unchecked Sendable {
    private let parts: [LinearPart]
    private let panelsPerChunk: Int
    let count: Int
    let isWorthSharing: Bool
    var outputsPerChunk: Int { panelsPerChunk * CPUWeight.panel }

    /// Multiplications below which waking the team costs more than it saves.
    static let smallestWork = 65_536

    init(_ parts: [LinearPart], threads: Int) {
        self.parts = parts
        let panels = parts.reduce(0) { $0 + $1.panelCount }
        let rows = parts[0].task.rows
        let panelsPerChunk = Self.panelsPerChunk(panels: panels, threads: threads, rows: rows)
        self.panelsPerChunk = panelsPerChunk
        count = parts.reduce(0) { $0 + ($1.panelCount + panelsPerChunk - 1) / panelsPerChunk }
        isWorthSharing = panels * CPUWeight.panel * parts[0].task.inputs * rows >= Self.smallestWork
    }

    /// Multiples of what kernels take together: four panels for few rows, two for many. Small enough that no thread waits
    /// long for another at the end.
    static func panelsPerChunk(panels: Int, threads: Int, rows: Int) -> Int {
        min(max(panels / (threads * 32), 1), 24).roundedUp(to: rows <= 16 ? 4 : rows <= 128 ? 6 : 12)
    }

    func withChunk(_ chunk: Int, _ body: (LinearPart, Range<Int>) -> Void) {
        var chunk = chunk
        for part in parts {
            let chunks = (part.panelCount + panelsPerChunk - 1) / panelsPerChunk
            if chunk < chunks {
                let first = chunk * panelsPerChunk
                return body(part, first..<min(first + panelsPerChunk, part.panelCount))
            }
            chunk -= chunks
        }
    }
}

extension Activation {
    var kernelActivation: apus_activation {
        switch self {
        case .silu: APUS_SILU
        case .gelu: APUS_GELU
        case .geluTanh: APUS_GELU_TANH
        case .relu: APUS_RELU
        case .reluSquared: APUS_RELU_SQUARED
        case .quickGelu: APUS_QUICK_GELU
        case .sigmoid: APUS_SIGMOID
        case .clampedSwiGLU: APUS_CLAMPED_SWIGLU
        }
    }
}
