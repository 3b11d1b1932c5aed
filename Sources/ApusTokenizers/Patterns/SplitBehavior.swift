/// What becomes of the matches that split a text.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    init(_ configuration: ComponentConfiguration, default fallback: SplitBehavior? = nil) throws(TokenizerError) {
        if let fallback, configuration.optional("behavior") == nil {
            self = fallback
            return
        }
        let name = try configuration.string("behavior")
        guard let behavior = SplitBehavior(rawValue: name) else {
            throw .unsupported("\(configuration.place): the split behavior \"\(name)\" is not known")
        }
        self = behavior
    }
}

/// A stretch of text that a pattern matched, or that lies between its matches.
struct SplitSegment {
    var range: Range<Int>
    var isMatch: Bool
}

extension SplitBehavior {
    /// The pieces that remain of a text cut into segments that cover it.
    func pieces(of segments: [SplitSegment]) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        pieces.reserveCapacity(segments.count)
        var previousIsMatch = false
        switch self {
        case .isolated: for segment in segments { pieces.append(segment.range) }
        case .removed: for segment in segments where !segment.isMatch { pieces.append(segment.range) }
        case .contiguous:
            for segment in segments {
                if segment.isMatch == previousIsMatch, let last = pieces.last {
                    pieces[pieces.count - 1] = last.lowerBound..<segment.range.upperBound
                } else {
                    pieces.append(segment.range)
                }
                previousIsMatch = segment.isMatch
            }
        case .mergedWithPrevious:
            for segment in segments {
                if segment.isMatch, !previousIsMatch, let last = pieces.last {
                    pieces[pieces.count - 1] = last.lowerBound..<segment.range.upperBound
                } else {
                    pieces.append(segment.range)
                }
                previousIsMatch = segment.isMatch
            }
        case .mergedWithNext:
            for segment in segments.reversed() {
                if segment.isMatch, !previousIsMatch, let last = pieces.last {
                    pieces[pieces.count - 1] = segment.range.lowerBound..<last.upperBound
                } else {
                    pieces.append(segment.range)
                }
                previousIsMatch = segment.isMatch
            }
            pieces.reverse()
        }
        return pieces
    }
}
