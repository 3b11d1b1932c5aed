import ApusCPU
import ApusCompute

extension CPUDevice {
    /// Stores keys and values as they are, turned by no angle.
    func store(
        keys: Tensor, values: Tensor, in cache: KVCacheLayer, layout: KVCacheLayout, batch: AttentionBatch
    ) throws {
        try prepareHeads(
            query: makeTensor([keys.shape[0], layout.headDim]), key: keys, value: values, rule: HeadRule(),
            angles: nil, in: cache,
            layout: layout, batch: batch)
    }
}
