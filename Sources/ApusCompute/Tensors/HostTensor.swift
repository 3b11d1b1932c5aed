/// A tensor in the process's own memory: a shape and its elements, row by row.
///
/// This is what a program passes between processes and what a download from a device gives.
public struct HostTensor: Sendable, Hashable {
    public let shape: Shape
    public let dtype: DType

    /// The elements in row-major order, in the machine's byte order.
    public let bytes: [UInt8]

    /// Throws `ComputeError` (`.mismatch`) unless `bytes` holds exactly `shape.count` elements.
    public init(shape: Shape, dtype: DType, bytes: [UInt8]) throws(ComputeError) {
        let (expected, overflow) = shape.count.multipliedReportingOverflow(by: dtype.byteCount)
        guard !overflow, expected == bytes.count else {
            throw .mismatch("\(bytes.count) bytes cannot fill a \(dtype) tensor of shape \(shape)")
        }
        self.shape = shape
        self.dtype = dtype
        self.bytes = bytes
    }

    /// Throws `ComputeError` (`.mismatch`) unless there are as many elements as the shape has.
    /// Without a shape the tensor has one dimension.
    public init<Element: TensorElement>(_ elements: [Element], shape dimensions: [Int]? = nil) throws(ComputeError) {
        let shape = try Shape(dimensions ?? [elements.count])
        try self.init(shape: shape, dtype: Element.dtype, bytes: elements.withUnsafeBytes { Array($0) })
    }

    /// The elements as an array. Throws `ComputeError` (`.mismatch`) if they are of another type.
    public func elements<Element: TensorElement>(as type: Element.Type = Element.self) throws(ComputeError) -> [Element]
    {
        guard dtype == Element.dtype else { throw .mismatch("a \(dtype) tensor was read as \(Element.dtype)") }
        return bytes.withUnsafeBytes { source in
            Array(unsafeUninitializedCapacity: shape.count) { target, count in
                UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
                count = shape.count
            }
        }
    }
}

extension HostTensor {
    /// Bytes of one step along the first dimension.
    package var rowByteCount: Int { shape.rowCount * dtype.byteCount }

    /// Some consecutive rows as a tensor of the same rank. The rows must exist, and the tensor must have a dimension.
    public func rows(_ range: Range<Int>) throws(ComputeError) -> HostTensor {
        guard let rows = shape.dimensions.first, range.lowerBound >= 0, range.upperBound <= rows else {
            throw .mismatch("rows \(range) of a tensor of shape \(shape)")
        }
        let slice = bytes[range.lowerBound * rowByteCount..<range.upperBound * rowByteCount]
        return try HostTensor(
            shape: Shape([range.count] + shape.dimensions.dropFirst()), dtype: dtype, bytes: Array(slice))
    }
}
