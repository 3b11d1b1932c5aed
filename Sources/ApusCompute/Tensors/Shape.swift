/// The extents of a tensor, outermost first. A shape without dimensions is that of a single number.
public struct Shape: Sendable, Hashable, Codable {
    public let dimensions: [Int]

    /// Number of elements.
    public let count: Int

    /// Throws `ComputeError` (`.invalidShape`) if an extent is negative or the count overflows.
    public init(_ dimensions: [Int]) throws(ComputeError) {
        var count = 1
        for extent in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { throw .invalidShape(dimensions) }
            count = product
        }
        self.dimensions = dimensions
        self.count = count
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode([Int].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dimensions)
    }

    public var rank: Int { dimensions.count }

    public subscript(dimension: Int) -> Int { dimensions[dimension] }

    /// Elements of one row, that is of one step along the first dimension.
    public var rowCount: Int { dimensions.dropFirst().reduce(1, *) }

    /// Bytes of a dense tensor. Throws `ComputeError` (`.outOfMemory`) if they pass the address space.
    package func byteCount(of dtype: DType) throws(ComputeError) -> Int {
        let (size, overflow) = count.multipliedReportingOverflow(by: dtype.byteCount)
        guard !overflow else { throw .outOfMemory("a tensor of shape \(self) passes the address space") }
        return size
    }
}

extension Shape: CustomStringConvertible {
    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
