/// All tokens that a text begins with, found byte by byte.
///
/// Nodes are numbered in the order of their distance from the root, so that those behind one follow each other.
struct ByteTrie: Sendable {
    typealias Node = Int

    /// The byte that leads to each node.
    private var labels: [UInt8] = [0]
    /// The first node behind each; those of the next begin where they end.
    private var firsts: [UInt32] = []
    /// The token that ends at each node; -1 if none does.
    private var tokens: [Int64] = [-1]
    /// The nodes behind the root by their bytes; 0 where there is none.
    private var starts = [UInt32](repeating: 0, count: 256)

    var root: Node { 0 }

    /// - Parameter isLeftOut: tokens that are not to be found.
    init(_ vocabulary: Vocabulary, leavingOut isLeftOut: (UInt32) -> Bool = { _ in false }) {
        var store: [UInt8] = []
        var words: [(start: Int, end: Int, id: UInt32)] = []
        vocabulary.withEachToken { token, id in
            guard !token.isEmpty, !isLeftOut(id) else { return }
            words.append((store.count, store.count + token.count, id))
            store.append(contentsOf: token)
        }
        store.withUnsafeBufferPointer { store in
            words.sort { store[$0.start..<$0.end].lexicographicallyPrecedes(store[$1.start..<$1.end]) }
            build(words, store)
        }
        for node in nodes(behind: root) { starts[Int(labels[node])] = UInt32(truncatingIfNeeded: node) }
    }

    /// From words in their order, each once.
    private mutating func build(_ words: [(start: Int, end: Int, id: UInt32)], _ store: UTF8Text) {
        // The words behind each node, in the order of nodes, and how many bytes led there.
        var groups: [(words: Range<Int>, depth: Int)] = [(0..<words.count, 0)]
        var node = 0
        while node < groups.count {
            var (group, depth) = groups[node]
            groups[node].words = 0..<0
            firsts.append(UInt32(truncatingIfNeeded: labels.count))
            if let first = group.first, words[first].start + depth == words[first].end {
                tokens[node] = Int64(words[first].id)
                group = group.dropFirst()
            }
            while let first = group.first {
                let byte = store[words[first].start + depth]
                let end = group.first { store[words[$0].start + depth] != byte } ?? group.upperBound
                labels.append(byte)
                tokens.append(-1)
                groups.append((first..<end, depth + 1))
                group = end..<group.upperBound
            }
            node += 1
        }
        firsts.append(UInt32(truncatingIfNeeded: labels.count))
    }

    @inline(__always)
    private func nodes(behind node: Node) -> Range<Int> { Int(firsts[node])..<Int(firsts[node + 1]) }

    @inline(__always)
    private func node(behind node: Node, _ byte: UInt8) -> Node? {
        if node == root {
            let next = Int(starts[Int(byte)])
            return next == 0 ? nil : next
        }
        var (low, high) = (Int(firsts[node]), Int(firsts[node + 1]))
        while high - low > 8 {
            let middle = (low + high) / 2
            if labels[middle] <= byte { low = middle } else { high = middle }
        }
        while low < high {
            if labels[low] == byte { return low }
            low += 1
        }
        return nil
    }

    /// Whether a token begins with a byte.
    func begins(with byte: UInt8) -> Bool { starts[Int(byte)] != 0 }

    /// The node that some bytes lead to.
    func node(behind bytes: UTF8Text) -> Node? {
        var node = root
        for byte in bytes {
            guard let next = self.node(behind: node, byte) else { return nil }
            node = next
        }
        return node
    }

    /// Calls a closure with the end and the id of each token that stands at a place of a text, the shortest first.
    ///
    /// - Parameter node: what led to the place.
    @inline(__always)
    func forEachPrefix(of text: UTF8Text, from start: Int, at node: Node = 0, _ body: (Int, UInt32) -> Void) {
        var node = node
        var position = start
        while position < text.count, let next = self.node(behind: node, text[position]) {
            node = next
            position += 1
            if tokens[node] >= 0 { body(position, UInt32(truncatingIfNeeded: tokens[node])) }
        }
    }
}
