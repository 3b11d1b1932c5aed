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
        let weights = logits.indices.map { token in
            logits[token] > -.infinity ? UInt64(exponential(logits[token] - largest) * Self.scale) : 0
        }
        let limit = UInt64(dropped * Double(weights.reduce(0, +)))
        // Tokens below an equal share of the limit cannot exceed it together: most of a vocabulary need not be searched.
        // The best token always has its share.
        let share = limit / UInt64(weights.count)
        var sum: UInt64 = 0
        var candidates: [Candidate] = []
        for (token, weight) in weights.enumerated() where logits[token] > -.infinity {
            if weight < share {
                sum += weight
            } else {
                let token = UInt32(truncatingIfNeeded: token)
                candidates.append(Candidate(logit: logits[Int(token)], token: token, weight: weight))
            }
        }
        var boundary = Boundary(candidates: candidates, sum: sum, limit: limit)
        let first = boundary.find()
        for token in logits.indices where logits[token] <= first.logit {
            if logits[token] < first.logit || token < Int(first.token) { logits[token] = -.infinity }
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
        /// The sum of all that lie below the candidates, then of all below the range that is still searched.
        var sum: UInt64
        let limit: UInt64

        /// There must be a candidate. If no sum exceeds the limit, it is the greatest candidate.
        mutating func find() -> Candidate {
            var (lower, upper) = (0, candidates.count)
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
            let pivot = Self.median(candidates[lower], candidates[middle], candidates[upper - 1])
            var end = lower
            for index in lower..<upper where candidates[index] < pivot {
                candidates.swapAt(index, end)
                end += 1
            }
            return end
        }

        private static func median(_ a: Candidate, _ b: Candidate, _ c: Candidate) -> Candidate {
            max(min(a, b), min(max(a, b), c))
        }
    }
}
