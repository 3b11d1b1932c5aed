/// A matrix as it lies in a checkpoint: row-major bytes, at any alignment, that stay valid while `owner` lives.
package struct WeightSource: @unchecked Sendable {
    package let name: String
    /// What tells this matrix from every other: its file, the state of the file, the place in it.
    package let identity: String
    package let bytes: UnsafeRawBufferPointer
    package let owner: any Sendable
    /// Outputs, inputs.
    package let shape: Shape
    package let format: WeightFormat
    /// What stands beside integers.
    package let quantization: StoredQuantization?
    /// Tells the owner that the bytes will hardly be read again, so that they need not stay in memory.
    package let release: (@Sendable () -> Void)?

    /// Throws `ComputeError` (`.mismatch`) unless the bytes hold exactly the shape, and the integers have their scales.
    package init(
        name: String, identity: String = "", bytes: UnsafeRawBufferPointer, owner: any Sendable, shape: Shape,
        format: WeightFormat, quantization: StoredQuantization? = nil, release: (@Sendable () -> Void)? = nil
    ) throws(ComputeError) {
        self.name = name
        self.identity = identity
        self.bytes = bytes
        self.owner = owner
        self.shape = shape
        self.format = format
        self.quantization = quantization
        self.release = release
        guard shape.rank == 2, shape[1] <= Int.max / 8,
            case (let size, let overflow) = shape[0].multipliedReportingOverflow(
                by: format.rowByteCount(inputs: shape[1])),
            !overflow, size == bytes.count
        else { throw .mismatch("weight '\(name)': \(bytes.count) bytes are no \(format) matrix of shape \(shape)") }
        guard format.isQuantized == (quantization != nil), quantization?.fits(shape, format) ?? true else {
            throw .mismatch("weight '\(name)': the scales do not fit its shape \(shape)")
        }
    }
}

/// What stands beside a quantized matrix.
package struct StoredQuantization: @unchecked Sendable {
    /// [outputs]
    package let scales: [Float]
    /// [outputs, ⌈inputs / 32⌉], from 1 to 15, for `int4`. Valid while the source's owner lives.
    package let multipliers: UnsafeRawBufferPointer?

    package init(scales: [Float], multipliers: UnsafeRawBufferPointer? = nil) {
        self.scales = scales
        self.multipliers = multipliers
    }

    fileprivate func fits(_ shape: Shape, _ format: WeightFormat) -> Bool {
        let multipliersDue = format == .int4 ? shape[0] * WeightFormat.groups(inputs: shape[1]) : 0
        return scales.count == shape[0] && (multipliers?.count ?? 0) == multipliersDue
    }
}

/// A matrix in the layout that its device multiplies fastest. Models pass it back to the device and never look inside.
package protocol PreparedWeight: AnyObject, Sendable {
    /// Outputs, inputs.
    var shape: Shape { get }
    var format: WeightFormat { get }
    /// Bytes that this weight holds beside the mapped checkpoint.
    var ownedByteCount: Int { get }
}
