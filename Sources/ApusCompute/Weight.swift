/// A matrix as it lies in a checkpoint: row-major bytes that stay valid while `owner` lives.
package struct WeightSource: @unchecked Sendable {
    package let name: String
    package let bytes: UnsafeRawBufferPointer
    package let owner: any Sendable
    /// Outputs, inputs.
    package let shape: Shape
    package let dtype: DType
    /// What belongs to the integers of a quantized matrix.
    package var quantization: StoredQuantization?

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

/// What stands beside a quantized matrix: float32 `scales` [outputs], and for 4 bits `multipliers` [outputs, groups].
package struct StoredQuantization: @unchecked Sendable {
    package let scales: UnsafeRawBufferPointer
    package let multipliers: UnsafeRawBufferPointer?

    package init(scales: UnsafeRawBufferPointer, multipliers: UnsafeRawBufferPointer? = nil) {
        self.scales = scales
        self.multipliers = multipliers
    }
}

/// How the elements of a matrix are kept for products.
public enum WeightFormat: String, Sendable, Hashable, Codable, CaseIterable {
    case float32, float16, bfloat16
    /// Integers of 8 bits with a scale for each output; activations are rounded to 8 bits with a scale for each token.
    case int8
    /// Integers of 4 bits, times a multiplier from 1 to 15 for each 32 inputs, with a scale for each output; activations as
    /// for `int8` (after Lin et al., arXiv 2405.04532).
    case int4

    package init?(_ dtype: DType) { self.init(rawValue: dtype.rawValue) }

    package var isQuantized: Bool { self == .int8 || self == .int4 }
}

/// A matrix in the layout that its device multiplies fastest. Models pass it back to the device and never look inside.
package protocol PreparedWeight: AnyObject, Sendable {
    /// Outputs, inputs.
    var shape: Shape { get }
    var format: WeightFormat { get }
    /// Bytes that this weight holds beside the mapped checkpoint.
    var ownedByteCount: Int { get }
}
