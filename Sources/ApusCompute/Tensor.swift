/// Memory that a device owns. Only the device that made it knows where it lies and whether a pending operation still
/// writes to it.
package protocol DeviceMemory: AnyObject, Sendable {
    var byteCount: Int { get }
}

/// A dense, row-major tensor in a device's memory. Its numbers reach the host only through `Device.download`.
package struct Tensor: Sendable {
    package let memory: any DeviceMemory
    package let byteOffset: Int
    package let shape: Shape
    package let dtype: DType

    package var byteCount: Int { shape.count * dtype.byteCount }

    /// Throws `ComputeError` (`.mismatch`) if the memory is too small.
    package init(memory: any DeviceMemory, byteOffset: Int = 0, shape: Shape, dtype: DType) throws(ComputeError) {
        let (size, overflow) = shape.count.multipliedReportingOverflow(by: dtype.byteCount)
        guard !overflow, byteOffset >= 0, size <= memory.byteCount - byteOffset else {
            throw .mismatch("a \(dtype) tensor of shape \(shape) at byte \(byteOffset) passes its memory's end")
        }
        self.memory = memory
        self.byteOffset = byteOffset
        self.shape = shape
        self.dtype = dtype
    }

    /// The first rows, as a view of the same memory.
    package func prefix(rows: Int) throws(ComputeError) -> Tensor {
        guard let first = shape.dimensions.first, rows <= first else {
            throw .mismatch("\(rows) rows of a tensor of shape \(shape)")
        }
        return try Tensor(
            memory: memory, byteOffset: byteOffset, shape: Shape([rows] + shape.dimensions.dropFirst()), dtype: dtype)
    }

    /// One row, as a view of the same memory: a tensor of one row.
    package func row(_ index: Int) throws(ComputeError) -> Tensor {
        guard let rows = shape.dimensions.first, (0..<rows).contains(index) else {
            throw .mismatch("row \(index) of a tensor of shape \(shape)")
        }
        return try Tensor(
            memory: memory, byteOffset: byteOffset + index * shape.rowCount * dtype.byteCount,
            shape: Shape([1] + shape.dimensions.dropFirst()), dtype: dtype)
    }
}
