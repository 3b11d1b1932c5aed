/// The best way through a piece, as far as it is known: for each place, the best token that ends there.
///
/// Scores are summed in the type of the reference: it decides between ways that are nearly equal.
struct UnigramPath<Score: BinaryFloatingPoint> {
    private struct Step {
        var score: Score = 0
        /// Where the token begins; -1 where no way leads.
        var start: Int32 = -1
        var id: UInt32 = 0
    }

    struct Piece {
        var range: Range<Int>
        var id: UInt32
    }

    private var steps: [Step]

    init(length: Int) { steps = Array(repeating: Step(), count: length + 1) }

    /// An unknown character is a way only where no token is that character.
    ///
    /// - Parameter scores: by the ids of tokens.
    mutating func find(
        in text: UTF8Text, _ trie: ByteTrie, _ scores: [Score], unknown: UInt32, unknownScore: Score
    ) {
        var start = 0
        while start < text.count {
            let length = text.scalar(at: start).length
            let before = steps[start].score
            var isKnown = false
            trie.forEachPrefix(of: text, from: start) { end, id in
                improve(end, Step(score: scores[Int(id)] + before, start: Int32(truncatingIfNeeded: start), id: id))
                if end - start == length { isKnown = true }
            }
            if !isKnown {
                improve(
                    start + length,
                    Step(score: unknownScore + before, start: Int32(truncatingIfNeeded: start), id: unknown))
            }
            start += length
        }
    }

    @inline(__always)
    private mutating func improve(_ end: Int, _ step: Step) {
        if steps[end].start < 0 || step.score > steps[end].score { steps[end] = step }
    }

    /// The pieces of the best way, in order; neighbours with one id become one.
    func pieces(fusing fused: UInt32) -> [Piece] {
        var pieces: [Piece] = []
        var end = steps.count - 1
        while end > 0, steps[end].start >= 0 {
            let step = steps[end]
            let start = Int(step.start)
            if step.id == fused, let last = pieces.last, last.id == fused {
                pieces[pieces.count - 1].range = start..<last.range.upperBound
            } else {
                pieces.append(Piece(range: start..<end, id: step.id))
            }
            end = start
        }
        return pieces.reversed()
    }
}
