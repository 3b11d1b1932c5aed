public import ApusCompute

extension Accelerator {
    /// The tensor made as long in one dimension as the longest of all processes' tensors.
    ///
    /// What is added has the value `padIndex` and stands after the tensor's own, or before with `padFirst`. A negative
    /// `dim` counts from the last. Throws `DistributedError`: `.mismatch` naming the rank whose tensor differs in type or
    /// in another dimension, `.invalidArgument` if there is no such dimension or the type cannot hold the value.
    public func padAcrossProcesses(
        _ tensor: HostTensor, dim: Int = 0, padIndex: Int = 0, padFirst: Bool = false
    ) async throws -> HostTensor {
        let name = "padAcrossProcesses"
        let headers = try await collective(name) {
            try await self.headers(of: tensor, name).compactMap { $0 }
        }
        let axis = dim < 0 ? tensor.shape.rank + dim : dim
        // Ranks that differ in this too are found out below.
        if axis < 0 || axis >= tensor.shape.rank, headers.allSatisfy({ $0.shape.rank == tensor.shape.rank }) {
            throw DistributedError.invalidArgument("\(name): a tensor of shape \(tensor.shape) has no dimension \(dim)")
        }
        try TensorAgreement(name: name, freeDimension: axis).check(headers)
        guard let filler = tensor.dtype.bytes(of: padIndex) else {
            throw DistributedError.invalidArgument("\(name): \(tensor.dtype) cannot hold \(padIndex)")
        }
        let extent = headers.map { $0.shape[axis] }.max() ?? 0
        return try tensor.padded(axis: axis, to: extent, filler: filler, first: padFirst)
    }
}

extension HostTensor {
    fileprivate func padded(axis: Int, to extent: Int, filler: [UInt8], first: Bool) throws -> HostTensor {
        let own = shape[axis]
        guard extent > own else { return self }
        var dimensions = shape.dimensions
        dimensions[axis] = extent
        let padded = try Shape(dimensions)
        let inner = dimensions[(axis + 1)...].reduce(filler.count, *)
        let outer = dimensions[..<axis].reduce(1, *)
        var addition: [UInt8] = []
        for _ in 0..<(extent - own) * inner / filler.count { addition += filler }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(padded.count * filler.count)
        for block in 0..<outer {
            if first { bytes += addition }
            bytes += self.bytes[block * own * inner..<(block + 1) * own * inner]
            if !first { bytes += addition }
        }
        return try HostTensor(shape: padded, dtype: dtype, bytes: bytes)
    }
}

extension DType {
    /// The number as one element; `nil` if an integer type cannot hold it.
    fileprivate func bytes(of number: Int) -> [UInt8]? {
        func raw<Value: BitwiseCopyable>(_ value: Value?) -> [UInt8]? {
            value.map { withUnsafeBytes(of: $0) { Array($0) } }
        }
        switch self {
        case .float32: return raw(Float(number))
        case .float16: return raw(HalfPrecision.float16(Float(number)))
        case .bfloat16: return raw(HalfPrecision.bfloat16(Float(number)))
        case .int64: return raw(Int64(exactly: number))
        case .int32: return raw(Int32(exactly: number))
        case .int8: return raw(Int8(exactly: number))
        case .uint8: return raw(UInt8(exactly: number))
        }
    }
}
