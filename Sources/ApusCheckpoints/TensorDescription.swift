/// A tensor that is to be written.
package struct TensorDescription: Sendable, Equatable {
    package let name: String
    package let dtype: StoredDType
    /// Extents, outermost first; the bytes must fit `Int`.
    package let shape: [Int]

    package init(_ name: String, _ dtype: StoredDType, _ shape: [Int]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }

    package var byteCount: Int { shape.reduce(1, *) * dtype.bitCount / 8 }
}
