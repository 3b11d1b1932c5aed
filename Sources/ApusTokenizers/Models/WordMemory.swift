import Synchronization

/// The words that a model has seen before, for any number of tasks: taken out by one encoding at a time; others start with
/// none.
final class WordMemory: Sendable {
    private let cache = Mutex<WordCache?>(nil)

    /// Gives a closure the words seen so far, for itself alone.
    func withCache(_ body: (inout WordCache) -> Void) {
        var words =
            cache.withLock { cache in
                defer { cache = nil }
                return cache
            } ?? WordCache()
        body(&words)
        cache.withLock { [words] in $0 = words }
    }

    /// Appends the tokens of each piece of a text: those that are known, or what a closure appends to an empty list.
    func tokenize(_ text: PreTokenizedText, into output: inout [Int], _ body: (UTF8Text, inout [UInt32]) -> Void) {
        guard !text.pieces.isEmpty else { return }
        withCache { cache in
            var tokens: [UInt32] = []
            text.bytes.withUnsafeBufferPointer { bytes in
                for piece in text.pieces {
                    let word = UnsafeBufferPointer(rebasing: bytes[piece])
                    let isShort = word.count <= WordCache.longestWord
                    let hash = isShort ? ByteHash.hash(word) : 0
                    if isShort, cache.append(word, hash: hash, to: &output) { continue }
                    tokens.removeAll(keepingCapacity: true)
                    body(word, &tokens)
                    for token in tokens { output.append(Int(token)) }
                    if isShort { cache.insert(word, hash: hash, tokens) }
                }
            }
        }
    }
}
