import HeapModule

/// Merges the pieces of one word, the best score first, the leftmost among equals. Neighbours are what they are written as,
/// known or not.
struct PieceMerger {
    private struct Symbol {
        var range: Range<Int>
        var previous: Int
        var next: Int
        var isFrozen: Bool
    }

    private struct Pair: Comparable {
        /// In the order of scores, where 0 is above -0 as for sentencepiece.
        let rank: Int32
        let left: Int
        let right: Int
        let length: Int

        init(score: Float, left: Int, right: Int, length: Int) {
            let bits = Int32(bitPattern: score.bitPattern)
            rank = bits < 0 ? bits ^ .max : bits
            (self.left, self.right, self.length) = (left, right, length)
        }

        /// What is worse comes later.
        static func < (first: Pair, second: Pair) -> Bool {
            first.rank != second.rank ? first.rank < second.rank : first.left > second.left
        }
    }

    private let word: UTF8Text
    private let piece: (UTF8Text) -> (score: Float, isUnused: Bool)?
    private var symbols: [Symbol] = []
    private var heap = Heap<Pair>()
    /// Where unused pieces were last joined, by how they are written.
    private(set) var splits: [[UInt8]: Int] = [:]

    /// - Parameter piece: what a text can be merged into.
    init(_ word: UTF8Text, piece: @escaping (UTF8Text) -> (score: Float, isUnused: Bool)?) {
        self.word = word
        self.piece = piece
    }

    mutating func append(_ range: Range<Int>, isFrozen: Bool) {
        if !symbols.isEmpty { symbols[symbols.count - 1].next = symbols.count }
        symbols.append(Symbol(range: range, previous: symbols.count - 1, next: -1, isFrozen: isFrozen))
    }

    mutating func merge() {
        for index in symbols.indices.dropFirst() { push(index - 1, index) }
        while let pair = heap.popMax() {
            let (left, right) = (symbols[pair.left], symbols[pair.right])
            guard !left.range.isEmpty, !right.range.isEmpty, left.range.count + right.range.count == pair.length else {
                continue
            }
            symbols[pair.left].range = left.range.lowerBound..<right.range.upperBound
            symbols[pair.left].next = right.next
            if right.next >= 0 { symbols[right.next].previous = pair.left }
            symbols[pair.right].range = right.range.upperBound..<right.range.upperBound
            push(left.previous, pair.left)
            push(pair.left, right.next)
        }
    }

    private mutating func push(_ left: Int, _ right: Int) {
        guard left >= 0, right >= 0, !symbols[left].isFrozen, !symbols[right].isFrozen else { return }
        let range = symbols[left].range.lowerBound..<symbols[right].range.upperBound
        let text = UnsafeBufferPointer(rebasing: word[range])
        guard let (score, isUnused) = piece(text) else { return }
        heap.insert(Pair(score: score, left: left, right: right, length: range.count))
        if isUnused { splits[Array(text)] = symbols[left].range.count }
    }

    var pieces: [Range<Int>] { symbols.lazy.map(\.range).filter { !$0.isEmpty } }
}
