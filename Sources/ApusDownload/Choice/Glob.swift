/// Patterns of file names as Python's `fnmatch` has them, which `hf download --include` takes: `*` reaches over `/`.
package struct Glob {
    private enum Part {
        case any
        case one
        case scalar(Unicode.Scalar)
        case set([ClosedRange<Unicode.Scalar>], isInverted: Bool)
    }

    private let parts: [Part]

    package init(_ pattern: String) {
        var parts: [Part] = []
        // A folder means all that is in it.
        var rest = Array((pattern.hasSuffix("/") ? pattern + "*" : pattern).unicodeScalars)[...]
        while let next = rest.popFirst() {
            switch next {
            case "*": parts.append(.any)
            case "?": parts.append(.one)
            case "[":
                let isInverted = rest.first == "!"
                let start = isInverted ? rest.dropFirst() : rest
                // A bracket right behind the first is a member.
                guard let end = start.dropFirst().firstIndex(of: "]") else {
                    parts.append(.scalar(next))
                    continue
                }
                parts.append(.set(Self.ranges(start[..<end]), isInverted: isInverted))
                rest = rest[(end + 1)...]
            default: parts.append(.scalar(next))
            }
        }
        self.parts = parts
    }

    private static func ranges(_ members: ArraySlice<Unicode.Scalar>) -> [ClosedRange<Unicode.Scalar>] {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        var rest = members
        while let first = rest.popFirst() {
            if rest.first == "-", let last = rest.dropFirst().first {
                if first <= last { ranges.append(first...last) }
                rest = rest.dropFirst(2)
            } else {
                ranges.append(first...first)
            }
        }
        return ranges
    }

    /// In time that grows with the product of both lengths at most.
    package func matches(_ name: String) -> Bool {
        let text = Array(name.unicodeScalars)
        var (part, place) = (0, 0)
        var retry: (part: Int, place: Int)?
        while place < text.count {
            if part < parts.count, case .any = parts[part] {
                retry = (part, place)
                part += 1
            } else if part < parts.count, Self.matches(parts[part], text[place]) {
                (part, place) = (part + 1, place + 1)
            } else if let last = retry {
                retry = (last.part, last.place + 1)
                (part, place) = (last.part + 1, last.place + 1)
            } else {
                return false
            }
        }
        return parts[part...].allSatisfy { if case .any = $0 { true } else { false } }
    }

    private static func matches(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
        switch part {
        case .any: false
        case .one: true
        case .scalar(let own): own == scalar
        case .set(let ranges, let isInverted): ranges.contains { $0.contains(scalar) } != isInverted
        }
    }
}
