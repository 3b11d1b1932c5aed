import ApusCompute
import CApusKernels

/// Kernels follow slots, positions and block tables wherever these lead. Devices that check them find a wrong one before.
extension CPUDevice {
    func checkSlots(_ slots: UnsafeBufferPointer<Int32>, _ layout: KVCacheLayout) throws(ComputeError) {
        let count = layout.blocks * KVCacheLayout.blockSize
        for (token, slot) in slots.enumerated() where slot < 0 || Int(slot) >= count {
            throw .mismatch("slot \(slot) of token \(token) in a cache of \(count)")
        }
    }

    /// Whatever of the block tables a token sees must be there; the rest may be anything.
    func check(_ task: apus_attention, tokens: Int, sequences: Int) throws(ComputeError) {
        let blockSize = KVCacheLayout.blockSize
        for token in 0..<tokens {
            let sequence = Int(task.sequence[token])
            guard sequence >= 0, sequence < sequences else {
                throw .mismatch("sequence \(sequence) of token \(token) where \(sequences) have block tables")
            }
            let position = Int(task.positions[token])
            guard position >= 0, position / blockSize < task.table_stride else {
                throw .mismatch("position \(position) of token \(token) in a table of \(task.table_stride) blocks")
            }
            let named = Int(task.first_keys?[token] ?? 0)
            guard named >= 0, named <= position else {
                throw .mismatch("first key \(named) of token \(token) at position \(position)")
            }
            let first = withUnsafePointer(to: task) { apus_first_key($0, token) }
            let table = task.block_tables + sequence * task.table_stride
            for index in first / blockSize...position / blockSize
            where table[index] < 0 || Int(table[index]) >= task.blocks {
                throw .mismatch("block \(table[index]) of sequence \(sequence) in a cache of \(task.blocks)")
            }
        }
    }
}
