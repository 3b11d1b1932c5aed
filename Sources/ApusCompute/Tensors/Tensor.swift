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
    package func prefix(rows: Int) throws(ComputeError) -> Tensor { try self.rows(0..<rows) }

    /// Some consecutive rows, as a view of the same memory.
    package func rows(_ range: Range<Int>) throws(ComputeError) -> Tensor {
        guard let rows = shape.dimensions.first, range.lowerBound >= 0, range.upperBound <= rows else {
            throw .mismatch("rows \(range) of a tensor of shape \(shape)")
        }
        return try Tensor(
            memory: memory, byteOffset: byteOffset + range.lowerBound * shape.rowCount * dtype.byteCount,
            shape: Shape([range.count] + shape.dimensions.dropFirst()), dtype: dtype)
    }
}
