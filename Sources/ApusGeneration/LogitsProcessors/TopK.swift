import HeapModule

/// Keeps the `count` best tokens and all that tie with the last of them.
package struct TopK: LogitsProcessor {
    private let count: Int

    package init(_ count: Int) { self.count = count }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        guard count > 0, count < logits.count else { return }
        // The heap holds the best so far; most logits only lose to its least.
        var best: Heap<Float> = []
        best.reserveCapacity(count)
        for token in 0..<count { best.insert(logits[token]) }
        guard var least = best.min else { return }
        for token in count..<logits.count where logits[token] > least {
            best.replaceMin(with: logits[token])
            least = best.min ?? least
        }
        for token in logits.indices where logits[token] < least { logits[token] = -.infinity }
    }
}
