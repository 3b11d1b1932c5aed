/// Keeps the tokens whose information is nearest to what is expected, until their probabilities reach a sum
/// (arXiv:2202.00666). Tokens that are as near as the last of them stay too.
package struct TypicalP: LogitsProcessor {
    private let mass: Double

    package init(_ mass: Double) { self.mass = mass }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        guard let largest = logits.largest, largest.isFinite else { return }
        let total = Sampler.logSum(logits.span, largest)
        var entropy = 0.0
        var candidates: [(distance: Double, token: Int, probability: Double)] = []
        for token in logits.indices where logits[token] > -.infinity {
            let information = total - Double(logits[token])
            let probability = exponential(-information)
            entropy += probability * information
            candidates.append((information, token, probability))
        }
        for index in candidates.indices { candidates[index].distance = abs(candidates[index].distance - entropy) }
        candidates.sort { ($0.distance, $0.token) < ($1.distance, $1.token) }
        var sum = 0.0
        var last = 0
        while last < candidates.count - 1 {
            sum += candidates[last].probability
            guard sum < mass else { break }
            last += 1
        }
        let limit = candidates[last].distance
        for candidate in candidates where candidate.distance > limit { logits[candidate.token] = -.infinity }
    }
}
