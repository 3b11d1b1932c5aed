/// A set of Unicode scalars as sorted, disjoint, non-adjacent ranges.
struct ScalarSet: Sendable, Equatable {
    private(set) var ranges: [ClosedRange<UInt32>]
    private var ascii: (low: UInt64, high: UInt64) = (0, 0)

    static let all = ScalarSet([0...0x10FFFF])

    init(_ unsorted: [ClosedRange<UInt32>] = []) {
        var merged: [ClosedRange<UInt32>] = []
        for range in unsorted.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
        for range in merged where range.lowerBound < 128 {
            for scalar in range.lowerBound...min(range.upperBound, 127) {
                if scalar < 64 { ascii.low |= 1 << UInt64(scalar) } else { ascii.high |= 1 << UInt64(scalar - 64) }
            }
        }
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    /// The scalars of a class table that satisfy a condition.
    init(_ classes: ScalarClasses, where condition: (UInt8) -> Bool) {
        let accepted = (0..<256).map { condition(UInt8($0)) }
        var ranges: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for scalar in 0..<UInt32(UnicodeTables.scalarCount) {
            if accepted[Int(classes[scalar])] {
                if start == nil { start = scalar }
            } else if let first = start {
                ranges.append(first...scalar - 1)
                start = nil
            }
        }
        if let start { ranges.append(start...0x10FFFF) }
        self.init(ranges)
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return ascii.low >> UInt64(scalar) & 1 != 0 }
        if scalar < 128 { return ascii.high >> UInt64(scalar - 64) & 1 != 0 }
        return search(scalar)
    }

    private func search(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }

    var inverted: ScalarSet {
        var inverted: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { inverted.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { inverted.append(next...0x10FFFF) }
        return ScalarSet(inverted)
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }
    func intersection(_ other: ScalarSet) -> ScalarSet { inverted.union(other.inverted).inverted }

    static func == (left: ScalarSet, right: ScalarSet) -> Bool { left.ranges == right.ranges }
}
