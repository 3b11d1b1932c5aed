/// Cuts at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: TextPattern
    let behavior: SplitBehavior
    let isInverted: Bool

    init(_ configuration: ComponentConfiguration) throws(TokenizerError) {
        pattern = try TextPattern(configuration)
        behavior = try SplitBehavior(configuration)
        isInverted = try configuration.bool("invert", default: false)
    }

    func preTokenize(_ text: inout PreTokenizedText) {
        if case .words = pattern, behavior == .isolated || behavior == .removed && isInverted {
            text.split { text, piece, pieces in pattern.forEachMatch(in: text, part: piece) { pieces.append($0) } }
        } else {
            text.split(behavior, isInverted: isInverted) { text, piece, report in
                pattern.forEachMatch(in: text, part: piece, report)
            }
        }
    }
}
