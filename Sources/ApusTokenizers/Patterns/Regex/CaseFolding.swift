/// Which scalars are one letter when case does not count. Foldings to several scalars (`ß`, `ﬁ`) are left out.
enum CaseFolding {
    private static let variants: [UInt32: [UInt32]] = {
        var groups: [UInt32: [UInt32]] = [:]
        for value in 0..<UInt32(0x1E944) {
            guard let scalar = Unicode.Scalar(value),
                scalar.properties.isCased || scalar.properties.changesWhenLowercased
            else { continue }
            groups[key(scalar), default: []].append(value)
        }
        var variants: [UInt32: [UInt32]] = [:]
        for group in groups.values where group.count > 1 {
            for scalar in group { variants[scalar] = group }
        }
        return variants
    }()

    private static func key(_ scalar: Unicode.Scalar) -> UInt32 {
        let upper = scalar.properties.uppercaseMapping.unicodeScalars
        guard upper.count == 1, let first = upper.first else { return scalar.value }
        let lower = first.properties.lowercaseMapping.unicodeScalars
        guard lower.count == 1, let folded = lower.first else { return scalar.value }
        return folded.value
    }

    static func closure(of set: ScalarSet) -> ScalarSet {
        var added = set.ranges
        for (scalar, group) in variants where set.contains(scalar) { added += group.map { $0...$0 } }
        return ScalarSet(added)
    }
}
