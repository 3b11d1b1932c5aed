package import ApusCompute
import ApusJSON

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A tensor as it lies in a mapped file: nothing is read until its bytes are touched.
package struct StoredTensor: Sendable {
    package let name: String
    package let dtype: StoredDType
    /// How the elements lie that are codes; `nil` for elements of `dtype`.
    package let codes: TensorCodes?

    /// Extents, outermost first. Their product is known not to overflow.
    package let shape: [Int]
    /// Whether extents of 1 may be left out: GGUF files have them or not.
    var mayLackOnes = false

    /// Keeps the mapping alive. A view that outlives this value must hold on to it.
    package let mapping: MappedFile

    /// Where the elements lie in the mapping.
    let range: Range<Int>

    /// The elements in row-major order, little endian, not necessarily aligned to their size.
    /// Valid only while `mapping` lives: `withBytes` is the safe way to read them.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: mapping.bytes[range]) }

    init(
        name: String, dtype: StoredDType, codes: TensorCodes? = nil, shape: [Int], mapping: MappedFile,
        range: Range<Int>
    ) {
        (self.name, self.dtype, self.codes, self.shape) = (name, dtype, codes, shape)
        (self.mapping, self.range) = (mapping, range)
    }

    /// The weight that several tensors make, one of which has the bytes that stand for all.
    init(name: String, of weight: CodedWeight, like part: StoredTensor) {
        self.init(
            name: name, dtype: part.dtype, codes: .weight(weight), shape: weight.shape, mapping: part.mapping,
            range: part.range)
    }

    /// Whether it may be read as of a shape.
    package func fits(_ shape: [Int]) -> Bool {
        if let coded { return coded.fits(shape) }
        return shape == self.shape || mayLackOnes && shape.filter { $0 != 1 } == self.shape.filter { $0 != 1 }
    }

    /// What the elements are, for messages.
    package var typeName: String { blocks?.rawValue ?? (coded == nil ? dtype.rawValue : "codes in \(dtype.rawValue)") }

    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(mapping) {} }
        return try body(bytes)
    }

    /// Tells this tensor from every other, in this file or another, and from what the file held before it was changed.
    package var identity: String { coded?.identity ?? "\(mapping.identity) \(range)" }

    /// Lets the system take the tensor's pages out of this process; they are read again if they are touched again.
    package func release() {
        if let coded { coded.release() } else { mapping.release(range) }
    }

    package var byteCount: Int { coded?.byteCount ?? range.count }

    private static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return left.isEmpty }
        return first == second || memcmp(first, second, left.count) == 0
    }

    /// Whether type, shape and bytes are equal.
    package func holdsTheSame(as other: StoredTensor) -> Bool {
        guard dtype == other.dtype, blocks == other.blocks, shape == other.shape, coded == nil else { return false }
        return withBytes { own in other.withBytes { Self.areEqual(own, $0) } }
    }

    /// Number of elements.
    package var count: Int { shape.reduce(1, *) }

    /// The file that holds the tensor.
    package var file: String { mapping.path }
}

extension StoredTensor: CustomStringConvertible {
    package var description: String { "\(name.quoted) \(typeName) \(shape)" }
}
