extension Device {
    package func makeTensor(
        _ dimensions: [Int], _ dtype: DType = .float32, isSparse: Bool = false
    ) throws(ComputeError) -> Tensor {
        let shape = try Shape(dimensions)
        let memory = try allocate(byteCount: shape.byteCount(of: dtype), isSparse: isSparse)
        return try Tensor(memory: memory, shape: shape, dtype: dtype)
    }

    package func makeTensor(_ values: HostTensor) throws(ComputeError) -> Tensor {
        let tensor = try makeTensor(values.shape.dimensions, values.dtype)
        // Array's own withUnsafeBytes loses the type of what is thrown.
        try values.bytes.withUnsafeBytes { bytes in
            Result { () throws(ComputeError) in try upload(bytes, to: tensor) }
        }.get()
        return tensor
    }

    package func makeTensor<Element: TensorElement>(_ values: [Element], _ dimensions: [Int]? = nil)
        throws(ComputeError) -> Tensor
    {
        try makeTensor(HostTensor(values, shape: dimensions))
    }

    package func download(_ tensor: Tensor) throws(ComputeError) -> HostTensor {
        var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
        try bytes.withUnsafeMutableBytes { target in
            Result { () throws(ComputeError) in try download(tensor, to: target) }
        }.get()
        return try HostTensor(shape: tensor.shape, dtype: tensor.dtype, bytes: bytes)
    }
}
