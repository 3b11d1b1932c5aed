/// Keeps the smallest set of best tokens whose probabilities reach a sum (arXiv:1904.09751).
///
/// As transformers has it: in ascending order of logits, tied tokens by ascending id, a token is dropped while the sum of
/// probabilities up to and with its own is at most 1 - p; the best is always kept. The sums are over integers, so
/// they do not depend on the order of addition and the boundary can be found without sorting all tokens.
package struct TopP: LogitsProcessor {
    private let dropped: Double

    package init(_ probability: Double) { dropped = 1 - probability }

    /// Weights are held to 2^-40 of the best one's; sums of a vocabulary of 2^23 tokens fit.
    private static let scale = Float(1 << 40)

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        guard let largest = logits.largest, largest.isFinite else { return }
        var candidates: [Candidate] = []
        var total: UInt64 = 0
        for token in logits.indices where logits[token] > -.infinity {
            let weight = UInt64(exponential(logits[token] - largest) * Self.scale)
            total += weight
            candidates.append(Candidate(logit: logits[token], token: UInt32(truncatingIfNeeded: token), weight: weight))
        }
        let limit = UInt64(dropped * Double(total))
        var boundary = Boundary(candidates: candidates, limit: limit)
        let first = boundary.find()
        for token in logits.indices {
            let candidate = Candidate(logit: logits[token], token: UInt32(truncatingIfNeeded: token), weight: 0)
            if candidate < first { logits[token] = -.infinity }
        }
    }
}

extension TopP {
    /// A token in the ascending order of the definition.
    struct Candidate: Comparable {
        let logit: Float
        let token: UInt32
        let weight: UInt64

        static func < (left: Candidate, right: Candidate) -> Bool {
            left.logit < right.logit || (left.logit == right.logit && left.token < right.token)
        }

        static func == (left: Candidate, right: Candidate) -> Bool {
            left.logit == right.logit && left.token == right.token
        }
    }

    /// Searches the first candidate up to which the weights sum to more than a limit, by partitions as in quickselect.
    struct Boundary {
        var candidates: [Candidate]
        let limit: UInt64

        /// There must be a candidate. If no sum exceeds the limit, it is the greatest candidate.
        mutating func find() -> Candidate {
            var (lower, upper) = (0, candidates.count)
            var sum: UInt64 = 0
            // Partitions that keep failing to halve the range give way to a sort.
            var attempts = 2 * (Int.bitWidth - upper.leadingZeroBitCount)
            while upper - lower > 32, attempts > 0 {
                attempts -= 1
                let middle = partition(lower, upper)
                let weight = candidates[lower..<middle].reduce(0) { $0 + $1.weight }
                if sum + weight > limit {
                    upper = middle
                } else {
                    sum += weight
                    lower = middle
                }
            }
            let rest = candidates[lower..<upper].sorted()
            for candidate in rest {
                sum += candidate.weight
                if sum > limit { return candidate }
            }
            return rest[rest.count - 1]
        }

        /// Moves the candidates below the median of three to the front and gives their end; neither part is empty.
        private mutating func partition(_ lower: Int, _ upper: Int) -> Int {
            let middle = lower + (upper - lower) / 2
            let pivot = [candidates[lower], candidates[middle], candidates[upper - 1]].sorted()[1]
            var end = lower
            for index in lower..<upper where candidates[index] < pivot {
                candidates.swapAt(index, end)
                end += 1
            }
            return end
        }
    }
}
