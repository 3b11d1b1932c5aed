public import ApusCompute

/// Something whose items can be shared out over processes in an order that is the same in all of them.
///
/// Arrays, slices, ranges, tensors (by row), and dictionaries of such, however nested, are. Strings, sets and numbers
/// are not, and neither are dictionaries themselves by key: their order differs from process to process. A random-access
/// collection of your own needs no more than to say that it conforms.
public protocol Splittable {
    /// What one rank gets.
    associatedtype Portion

    /// How many items there are at each leaf. `path` is the way to this value, for messages.
    /// Throws `DistributedError` (`.unsplittable`) if there is no such number.
    func itemCounts(at path: String) throws(DistributedError) -> [ItemCount]

    /// The items of the range, then the last item of all `padding` times. The range lies within the items; there is at
    /// least one item where there is padding.
    func portion(_ range: Range<Int>, padding: Int) throws(DistributedError) -> Portion
}

/// The number of items at one leaf of a nested value.
public struct ItemCount: Sendable, Hashable {
    public let path: String
    public let count: Int

    public init(path: String, count: Int) {
        self.path = path
        self.count = count
    }
}

extension RandomAccessCollection {
    func itemsOfPortion(_ range: Range<Int>, padding: Int) -> [Element] {
        let start = index(startIndex, offsetBy: range.lowerBound)
        var items = Array(self[start..<index(start, offsetBy: range.count)])
        if padding > 0, let last { items.append(contentsOf: repeatElement(last, count: padding)) }
        return items
    }
}

extension Splittable where Self: RandomAccessCollection {
    public func itemCounts(at path: String) -> [ItemCount] { [ItemCount(path: path, count: count)] }

    public func portion(_ range: Range<Int>, padding: Int) -> [Element] { itemsOfPortion(range, padding: padding) }
}

extension Array: Splittable {}
extension ArraySlice: Splittable {}
extension ContiguousArray: Splittable {}
extension Range: Splittable where Bound: Strideable, Bound.Stride: SignedInteger {}
extension ClosedRange: Splittable where Bound: Strideable, Bound.Stride: SignedInteger {}

extension Dictionary: Splittable where Value: Splittable {
    public func itemCounts(at path: String) throws(DistributedError) -> [ItemCount] {
        var counts: [ItemCount] = []
        for (key, value) in self { counts += try value.itemCounts(at: path.isEmpty ? "\(key)" : "\(path).\(key)") }
        return counts
    }

    /// The same keys, and at each the portion of its value.
    public func portion(_ range: Range<Int>, padding: Int) throws(DistributedError) -> [Key: Value.Portion] {
        var portion: [Key: Value.Portion] = [:]
        for (key, value) in self { portion[key] = try value.portion(range, padding: padding) }
        return portion
    }
}

extension HostTensor: Splittable {
    public func itemCounts(at path: String) throws(DistributedError) -> [ItemCount] {
        guard let rows = shape.dimensions.first else {
            throw .unsplittable(
                "a tensor that is a single number\(path.isEmpty ? "" : " (\(path))") has no rows to split")
        }
        return [ItemCount(path: path, count: rows)]
    }

    /// Some rows; of the same shape but for the first dimension.
    public func portion(_ range: Range<Int>, padding: Int) throws(DistributedError) -> HostTensor {
        do {
            let own = try rows(range)
            guard padding > 0, let count = shape.dimensions.first, count > 0 else { return own }
            let last = try rows(count - 1..<count).bytes
            var bytes = own.bytes
            for _ in 0..<padding { bytes += last }
            return try HostTensor(
                shape: Shape([range.count + padding] + shape.dimensions.dropFirst()), dtype: dtype, bytes: bytes)
        } catch {
            throw .unsplittable(error.message)
        }
    }
}
