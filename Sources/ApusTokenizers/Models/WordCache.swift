/// The tokens of words seen before. Bounded: when full, it is emptied and starts over.
struct WordCache: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        var wordStart: UInt32 = 0
        var tokensStart: UInt32 = 0
        /// 0 marks a free slot: words are not empty.
        var wordLength: UInt16 = 0
        var tokenCount: UInt16 = 0
    }

    /// Longer words hardly come twice.
    static let longestWord = 128
    private static let mostWords = 1 << 15
    private static let mostWordBytes = 1 << 20

    private var slots = [Slot](repeating: Slot(), count: 1 << 10)
    private var words: [UInt8] = []
    private var tokens: [UInt32] = []
    private var count = 0

    /// Appends the tokens of a word to the output, if they are known.
    @inline(__always)
    func append(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64, to output: inout [Int]) -> Bool {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].wordLength != 0 {
            let slot = slots[index]
            if slot.hash == hash, Int(slot.wordLength) == word.count, isEqual(word, at: Int(slot.wordStart)) {
                let start = Int(slot.tokensStart)
                for position in start..<start + Int(slot.tokenCount) { output.append(Int(tokens[position])) }
                return true
            }
            index = (index + 1) & mask
        }
        return false
    }

    @inline(__always)
    private func isEqual(_ word: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        words.withUnsafeBufferPointer { words in
            for index in 0..<word.count where words[start + index] != word[index] { return false }
            return true
        }
    }

    /// Remembers a word that is not yet there.
    mutating func insert(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64, _ found: [UInt32]) {
        guard 1...Self.longestWord ~= word.count, found.count <= 4 * Self.longestWord else { return }
        if count >= Self.mostWords || words.count > Self.mostWordBytes { self = WordCache() }
        if count * 2 >= slots.count { grow() }
        let slot = Slot(
            hash: hash, wordStart: UInt32(words.count), tokensStart: UInt32(tokens.count),
            wordLength: UInt16(word.count), tokenCount: UInt16(found.count))
        words.append(contentsOf: word)
        tokens.append(contentsOf: found)
        place(slot)
        count += 1
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: slot.hash) & mask
        while slots[index].wordLength != 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        for slot in old where slot.wordLength != 0 { place(slot) }
    }
}
