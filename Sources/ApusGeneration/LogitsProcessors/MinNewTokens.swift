/// Forbids the end tokens until enough new tokens stand.
package struct MinNewTokens: LogitsProcessor {
    private let count: Int
    private let eosTokenIDs: [Int]

    package init(_ count: Int, eosTokenIDs: [Int]) {
        self.count = count
        self.eosTokenIDs = eosTokenIDs
    }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        guard history.newTokenCount < count else { return }
        for token in eosTokenIDs where token >= 0 && token < logits.count { logits[token] = -.infinity }
    }
}
