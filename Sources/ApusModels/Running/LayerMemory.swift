import ApusCompute

/// What a layer keeps of sequences from step to step, on its device.
enum LayerMemory: Sendable {
    /// Keys and values in blocks, which the tables of a group name.
    case blocks(group: Int, KVCacheLayout, KVCacheLayer)
    /// States of each sequence: the last inputs of a convolution, [sequences, taps - 1, channels], and what else there is.
    case states(convolution: Tensor, Tensor?)

    /// Copies what a step says.
    func copy(_ step: StepTensors, on device: any Device) throws {
        switch self {
        case .blocks(let group, let layout, let cache):
            if let pairs = step.blockCopies[group] { try device.copyBlocks(pairs, in: cache, layout: layout) }
        case .states(let convolution, let matrix):
            guard let pairs = step.stateCopies else { return }
            try device.copyRows(pairs, in: convolution)
            if let matrix { try device.copyRows(pairs, in: matrix) }
        }
    }
}
