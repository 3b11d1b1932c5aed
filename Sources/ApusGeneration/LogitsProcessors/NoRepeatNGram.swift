/// Forbids tokens that would end a run of `size` tokens that stands in prompt or result already.
package struct NoRepeatNGram: LogitsProcessor {
    private let size: Int

    package init(_ size: Int) { self.size = size }

    package func process(_ logits: inout MutableSpan<Float>, _ history: TokenHistory) {
        let tokens = history.tokens
        guard size > 0, tokens.count >= size else { return }
        let last = tokens[(tokens.count - (size - 1))...]
        for start in 0...(tokens.count - size) where tokens[start..<start + size - 1].elementsEqual(last) {
            let token = tokens[start + size - 1]
            if token >= 0, token < logits.count { logits[token] = -.infinity }
        }
    }
}
