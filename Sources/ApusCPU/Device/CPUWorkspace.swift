package import ApusCompute
import CApusKernels

/// What operations of some threads take beside their tensors.
package struct CPUWorkspace: Sendable {
    nonisolated(unsafe) private let kernels: apus_kernels
    private let threads: Int
    private let attentionStateLimit: Int

    init(_ kernels: apus_kernels, threads: Int, attentionStateLimit: Int) {
        self.kernels = kernels
        self.threads = threads
        self.attentionStateLimit = attentionStateLimit
    }

    /// Of this machine's processor. Throws `ComputeError` (`.unsupported`) if the machine lacks the instruction set.
    package init(threads: Int) throws(ComputeError) {
        self.init(
            try InstructionSet.selected().requireKernels(), threads: threads,
            attentionStateLimit: CPUDevice.defaultAttentionStateLimit)
    }

    package func byteCount(_ demand: WorkspaceDemand) -> Int {
        packedByteCount(demand) + scratchByteCount(demand) + expertByteCount(demand)
    }

    /// Of activations on their way into products.
    func packedByteCount(_ demand: WorkspaceDemand) -> Int {
        demand.products.reduce(64) {
            max($0, kernels.packed_bytes($1.format.activationType, demand.tokens, $1.inputs))
        }
    }

    /// What products and attention take lies in the same place.
    func scratchByteCount(_ demand: WorkspaceDemand) -> Int {
        let products = demand.products.reduce(64) { max($0, scratch(of: $1, rows: demand.tokens)) }
        let experts = demand.experts.reduce(products) { max($0, scratch(of: $1, rows: demand.tokens)) }
        return demand.attentions.reduce(experts) { max($0, scratch(of: $1, context: demand.context)) }
    }

    /// Of the rows that experts have gathered (`ExpertLayout`), whichever they are chosen by.
    func expertByteCount(_ demand: WorkspaceDemand) -> Int {
        demand.experts.reduce(0) { max($0, byteCount(of: $1, tokens: demand.tokens)) }
    }

    private func byteCount(of experts: WorkspaceDemand.Experts, tokens: Int) -> Int {
        let rows = tokens * (experts.chosen + (experts.sharedWidth == nil ? 0 : 1))
        var layout = ExpertLayout(rows: rows, width: experts.inputs)
        func take(_ rows: Int, _ width: Int) {
            for inputs in [experts.inputs, width] {
                _ = layout.take(kernels.packed_bytes(experts.format.activationType, rows, inputs))
            }
            _ = layout.take(rows * width * MemoryLayout<Float>.stride)
        }
        // As many as are chosen at most, each with as few rows as may be: what is rounded up costs most then.
        let chosen = tokens * experts.chosen
        let used = min(experts.count, chosen)
        for index in 0..<used { take(chosen * (index + 1) / used - chosen * index / used, experts.width) }
        // Rows are packed by sixteens: whatever the shares, no expert rounds up by more than that.
        for _ in 0..<used { take(16, experts.width) }
        if let width = experts.sharedWidth { take(tokens, width) }
        return layout.byteCount
    }

    private func scratch(of experts: WorkspaceDemand.Experts, rows: Int) -> Int {
        let panels = (max(experts.width, experts.inputs).roundedUp(to: CPUWeight.panel)) / CPUWeight.panel
        // All of them together have the most panels to share out, and few rows the largest chunks.
        let chunk = LinearShares.panelsPerChunk(panels: panels * experts.count, threads: threads, rows: rows)
        let most = max(experts.inputs, experts.width, experts.sharedWidth ?? 0)
        let kernel = LinearPart.scratchByteCount(
            kernels, experts.format, inputs: most, isUnprepared: true)
        return Self.product(kernel: kernel, rows: rows, outputs: chunk * CPUWeight.panel) * threads
    }

    private func scratch(of product: WorkspaceDemand.Product, rows: Int) -> Int {
        let panels = product.outputs.roundedUp(to: CPUWeight.panel) / CPUWeight.panel
        // Fewer rows are taken in smaller chunks.
        let chunk = LinearShares.panelsPerChunk(panels: panels, threads: threads, rows: rows)
        let kernel = LinearPart.scratchByteCount(
            kernels, product.format, inputs: product.inputs, isUnprepared: product.isUnprepared)
        return Self.product(kernel: kernel, rows: rows, outputs: chunk * CPUWeight.panel) * threads
    }

    /// Of one thread: what the kernel needs, and room for the results of a chunk.
    static func product(kernel: Int, rows: Int, outputs: Int) -> Int {
        (kernel.roundedUp(to: 64) + rows * outputs * MemoryLayout<Float>.size).roundedUp(to: 64) + 64
    }

    /// Tiles that are cut take more than a share of a thread's pieces each, so there are few of them.
    private func scratch(of attention: WorkspaceDemand.Attention, context: Int) -> Int {
        guard attention.heads > 0, attention.kvHeads > 0 else { return 0 }
        let group = max(attention.heads / attention.kvHeads, 1)
        let rows = tokensPerTile(group) * group
        let scratch = attentionScratch(rows: rows, attention.headDim) * threads
        guard threads > 1 else { return scratch }
        let partition = Int(APUS_KV_PARTITION)
        let states = (context / partition + 1) * apus_attention_state(rows, attention.headDim)
        let tiles = AttentionPlan.mostCutTiles(threads: threads, kvHeads: attention.kvHeads)
        let (bytes, overflow) = states.multipliedReportingOverflow(
            by: tiles * attention.kvHeads * MemoryLayout<Float>.stride)
        return scratch + (overflow ? attentionStateLimit : min(bytes, attentionStateLimit))
    }

    func tokensPerTile(_ headsPerKVHead: Int) -> Int { max(kernels.attention_rows / headsPerKVHead, 1) }

    /// Of one thread, for tiles of so many rows.
    func attentionScratch(rows: Int, _ headDim: Int) -> Int {
        (kernels.attention_scratch(rows, headDim) + 127) / 64 * 64
    }
}
