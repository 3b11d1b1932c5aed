package import ApusCompute
import CApusKernels

extension CPUDevice {
    /// A matrix that already has the type and stands aligned stays where it is: in the mapped checkpoint, whose pages
    /// all processes share.
    package func prepare(_ weight: WeightSource, as dtype: DType) throws(ComputeError) -> any PreparedWeight {
        let from = try kernelType(weight.dtype, of: weight.name)
        let to = try kernelType(dtype, of: weight.name)
        guard let source = weight.bytes.baseAddress else {
            throw .mismatch("weight '\(weight.name)' has no elements")
        }
        if from == to, UInt(bitPattern: source) % UInt(dtype.byteCount) == 0 {
            return CPUWeight(
                shape: weight.shape, dtype: dtype, pointer: source, owner: weight.owner, ownedByteCount: 0)
        }
        let memory = try CPUMemory(byteCount: weight.shape.count * dtype.byteCount)
        try convert(weight, from, to, into: memory)
        return CPUWeight(
            shape: weight.shape, dtype: dtype, pointer: memory.pointer, owner: memory, ownedByteCount: memory.byteCount)
    }

    private func convert(_ weight: WeightSource, _ from: apus_dtype, _ to: apus_dtype, into memory: CPUMemory)
        throws(ComputeError)
    {
        let rows = weight.shape[0]
        let columns = weight.shape[1]
        let sourceRow = columns * weight.dtype.byteCount
        let targetRow = memory.byteCount / max(rows, 1)
        let aligned = UInt(bitPattern: weight.bytes.baseAddress) % UInt(weight.dtype.byteCount) == 0
        nonisolated(unsafe) let bytes = weight.bytes
        team.run(chunks: rows) { row, _ in
            let source = UnsafeRawBufferPointer(rebasing: bytes[row * sourceRow..<(row + 1) * sourceRow])
            let target = memory.pointer + row * targetRow
            if aligned {
                apus_convert(source.baseAddress, from, target, to, columns)
            } else {
                let copy = [UInt8](source)
                copy.withUnsafeBytes { apus_convert($0.baseAddress, from, target, to, columns) }
            }
        }
    }

    func kernelType(_ dtype: DType, of name: String) throws(ComputeError) -> apus_dtype {
        switch dtype {
        case .float32: APUS_F32
        case .bfloat16: APUS_BF16
        case .float16: APUS_F16
        default: throw .unsupported("'\(name)' is \(dtype); products need float32, float16 or bfloat16")
        }
    }

    package func makeKVCache(_ layout: KVCacheLayout) throws(ComputeError) -> KVCacheLayer {
        guard layout.dtype == .float32 || layout.dtype == .bfloat16 else {
            throw .unsupported("a key-value cache of \(layout.dtype); \(id) has float32 and bfloat16")
        }
        let dimensions = [layout.blocks, layout.kvHeads, KVCacheLayout.blockSize, layout.headDim]
        return KVCacheLayer(
            keys: try makeTensor(dimensions, layout.dtype), values: try makeTensor(dimensions, layout.dtype))
    }
}
