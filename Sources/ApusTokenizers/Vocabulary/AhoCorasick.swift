/// Finds the leftmost of several byte strings in a text, the longest among those that start together.
///
/// After Aho and Corasick (https://doi.org/10.1145/360825.360855): one pass over the text, whatever the number of strings.
struct AhoCorasick: Sendable {
    private struct Edge {
        var byte: UInt8
        var state: Int32
    }

    private struct State {
        var edges: Range<Int32> = 0..<0
        var failure: Int32 = 0
        var depth: Int32 = 0
        /// The longest string that ends here, and its value.
        var matchLength: Int32 = 0
        var value: UInt32 = 0
    }

    private var states: [State] = [State()]
    private var edges: [Edge] = []
    /// The transitions of the first state; most bytes of most texts start nothing.
    private var starts = [Int32](repeating: 0, count: 256)

    /// Of equal strings, the first counts; empty ones are left out.
    init(_ patterns: [(bytes: [UInt8], value: UInt32)]) {
        var children: [[UInt8: Int32]] = [[:]]
        for pattern in patterns where !pattern.bytes.isEmpty && pattern.bytes.count < 1 << 24 {
            var state = 0
            for byte in pattern.bytes {
                if let child = children[state][byte] {
                    state = Int(child)
                    continue
                }
                let child = Int32(truncatingIfNeeded: children.count)
                children[state][byte] = child
                children.append([:])
                states.append(State(depth: states[state].depth + 1))
                state = Int(child)
            }
            guard states[state].matchLength == 0 else { continue }
            states[state].matchLength = Int32(truncatingIfNeeded: pattern.bytes.count)
            states[state].value = pattern.value
        }
        for (state, children) in children.enumerated() {
            let start = Int32(truncatingIfNeeded: edges.count)
            for (byte, child) in children.sorted(by: { $0.key < $1.key }) {
                edges.append(Edge(byte: byte, state: child))
                if state == 0 { starts[Int(byte)] = child }
            }
            states[state].edges = start..<Int32(truncatingIfNeeded: edges.count)
        }
        linkFailures()
    }

    private mutating func linkFailures() {
        var queue = [0]
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            for index in states[state].edges {
                let edge = edges[Int(index)]
                let child = Int(edge.state)
                queue.append(child)
                guard state != 0 else { continue }
                let failure = step(Int(states[state].failure), edge.byte)
                states[child].failure = Int32(truncatingIfNeeded: failure)
                if states[child].matchLength == 0 {
                    states[child].matchLength = states[failure].matchLength
                    states[child].value = states[failure].value
                }
            }
        }
    }

    private func child(_ state: Int, _ byte: UInt8) -> Int? {
        var low = Int(states[state].edges.lowerBound)
        var high = Int(states[state].edges.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if edges[middle].byte < byte { low = middle + 1 } else { high = middle }
        }
        guard low < Int(states[state].edges.upperBound), edges[low].byte == byte else { return nil }
        return Int(edges[low].state)
    }

    private func step(_ start: Int, _ byte: UInt8) -> Int {
        var state = start
        while state != 0 {
            if let child = child(state, byte) { return child }
            state = Int(states[state].failure)
        }
        return Int(starts[Int(byte)])
    }

    /// Calls a closure with every match and its value, from left to right; matches do not overlap.
    func forEachMatch(in text: UTF8Text, _ body: (Range<Int>, UInt32) -> Void) {
        guard states.count > 1 else { return }
        var position = 0
        while let (match, value) = firstMatch(in: text, from: position) {
            body(match, value)
            position = match.upperBound
        }
    }

    private func firstMatch(in text: UTF8Text, from start: Int) -> (Range<Int>, UInt32)? {
        var state = 0
        var best: (range: Range<Int>, value: UInt32)?
        var position = start
        while position < text.count {
            if state == 0 {
                position = starts.withUnsafeBufferPointer { starts in
                    var position = position
                    while position < text.count, starts[Int(text[position])] == 0 { position += 1 }
                    return position
                }
                guard position < text.count else { break }
            }
            state = step(state, text[position])
            position += 1
            // Nothing that is still open starts as early as what was found.
            if let best, position - Int(states[state].depth) > best.range.lowerBound { return best }
            let length = Int(states[state].matchLength)
            if length > 0, position - length <= best?.range.lowerBound ?? position {
                best = (position - length..<position, states[state].value)
            }
        }
        return best
    }
}
