/// A matrix as it lies in a checkpoint: row-major bytes that stay valid while `owner` lives.
package struct WeightSource: @unchecked Sendable {
    package let name: String
    package let bytes: UnsafeRawBufferPointer
    package let owner: any Sendable
    /// Outputs, inputs.
    package let shape: Shape
    package let dtype: DType

    /// Throws `ComputeError` (`.mismatch`) unless the bytes hold exactly the shape.
    package init(name: String, bytes: UnsafeRawBufferPointer, owner: any Sendable, shape: Shape, dtype: DType)
        throws(ComputeError)
    {
        let (size, overflow) = shape.count.multipliedReportingOverflow(by: dtype.byteCount)
        guard !overflow, size == bytes.count, shape.rank == 2 else {
            throw .mismatch("weight '\(name)': \(bytes.count) bytes are no \(dtype) matrix of shape \(shape)")
        }
        self.name = name
        self.bytes = bytes
        self.owner = owner
        self.shape = shape
        self.dtype = dtype
    }
}

/// A matrix in the layout that its device multiplies fastest. Models pass it back to the device and never look inside.
package protocol PreparedWeight: AnyObject, Sendable {
    /// Outputs, inputs.
    var shape: Shape { get }
    var dtype: DType { get }
    /// Bytes that this weight holds beside the mapped checkpoint.
    var ownedByteCount: Int { get }
}
