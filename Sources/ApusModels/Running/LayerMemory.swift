import ApusCompute

/// What a layer keeps of sequences from step to step, on its device.
enum LayerMemory: Sendable {
    /// Keys and values in blocks, which the tables of a group name.
    case blocks(group: Int, KVCacheLayout, KVCacheLayer)
    /// States of each sequence: the last inputs of a convolution, [sequences, taps - 1, channels], and what else there is.
    case states(convolution: Tensor, Tensor?)
}
