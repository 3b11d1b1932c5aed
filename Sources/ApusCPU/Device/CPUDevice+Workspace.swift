package import ApusCompute
import CApusKernels
import Synchronization

extension CPUDevice {
    package func reserveWorkspace(_ demand: WorkspaceDemand) throws(ComputeError) {
        try workspace.withLock { workspace throws(ComputeError) in
            _ = try grow(&workspace.packed, to: packedByteCount(demand))
            _ = try grow(&workspace.scratch, to: scratchByteCount(demand))
        }
    }

    package func workspaceByteCount(_ demand: WorkspaceDemand) -> Int {
        packedByteCount(demand) + scratchByteCount(demand)
    }

    private func packedByteCount(_ demand: WorkspaceDemand) -> Int {
        demand.products.reduce(64) {
            max($0, kernels.packed_bytes($1.format.kernelType, demand.tokens, $1.inputs))
        }
    }

    /// What products and attention take lies in the same place.
    private func scratchByteCount(_ demand: WorkspaceDemand) -> Int {
        max(demand.products.reduce(64) { max($0, scratch(of: $1, rows: demand.tokens)) }, attentionByteCount(demand))
    }

    private func scratch(of product: WorkspaceDemand.Product, rows: Int) -> Int {
        let panels = product.outputs.roundedUp(to: CPUWeight.panel) / CPUWeight.panel
        // Fewer rows are taken in smaller chunks.
        let chunk = LinearShares.panelsPerChunk(panels: panels, threads: team.count, rows: rows)
        let kernel = LinearPart.scratchByteCount(
            kernels, product.format.kernelType, inputs: product.inputs, isUnprepared: product.isUnprepared)
        return scratchByteCount(kernel: kernel, rows: rows, outputs: chunk * CPUWeight.panel) * team.count
    }

    /// Tiles that are cut take more than a share of a thread's pieces each, so there are few of them.
    private func attentionByteCount(_ demand: WorkspaceDemand) -> Int {
        guard demand.heads > 0, demand.kvHeads > 0 else { return 0 }
        let group = demand.heads / demand.kvHeads
        let rows = tokensPerTile(group) * group
        let scratch = scratchByteCount(rows: rows, demand.headDim) * team.count
        guard team.count > 1 else { return scratch }
        let partition = Int(APUS_KV_PARTITION)
        let states = (demand.context + partition - 1) / partition * apus_attention_state(rows, demand.headDim)
        let tiles = AttentionPlan.mostCutTiles(threads: team.count, kvHeads: demand.kvHeads)
        let bytes = states.multipliedReportingOverflow(by: tiles * demand.kvHeads * MemoryLayout<Float>.stride)
        return scratch + (bytes.overflow ? attentionStateLimit : min(bytes.partialValue, attentionStateLimit))
    }
}
