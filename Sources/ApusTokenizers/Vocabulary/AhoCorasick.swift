/// Finds the leftmost of several byte strings in a text, the longest among those that start together.
///
/// After Aho and Corasick (https://doi.org/10.1145/360825.360855): one pass over the text, whatever the number of strings.
struct AhoCorasick: Sendable {
    private struct State {
        var byte: UInt8 = 0
        /// Children are a list: the first, and from each the next; 0 ends it.
        var firstChild: Int32 = 0
        var nextSibling: Int32 = 0
        var failure: Int32 = 0
        var depth: Int32 = 0
        /// The longest string that ends here, and its value.
        var matchLength: Int32 = 0
        var value: UInt32 = 0
    }

    private var states: [State] = [State()]
    /// The transitions of the first state; most bytes of most texts start nothing.
    private var starts = [Int32](repeating: 0, count: 256)

    /// Of equal strings, the first counts; empty ones are left out.
    init(_ patterns: [(bytes: [UInt8], value: UInt32)]) {
        for pattern in patterns where !pattern.bytes.isEmpty && pattern.bytes.count < 1 << 24 {
            let state = pattern.bytes.reduce(0) { state, byte in child(state, byte) ?? addChild(state, byte) }
            guard states[state].matchLength == 0 else { continue }
            states[state].matchLength = Int32(truncatingIfNeeded: pattern.bytes.count)
            states[state].value = pattern.value
        }
        linkFailures()
    }

    private mutating func addChild(_ state: Int, _ byte: UInt8) -> Int {
        let child = Int32(truncatingIfNeeded: states.count)
        states.append(State(byte: byte, nextSibling: states[state].firstChild, depth: states[state].depth + 1))
        states[state].firstChild = child
        if state == 0 { starts[Int(byte)] = child }
        return Int(child)
    }

    private mutating func linkFailures() {
        var queue = [0]
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            var child = Int(states[state].firstChild)
            while child != 0 {
                queue.append(child)
                if state != 0 {
                    let failure = step(Int(states[state].failure), states[child].byte)
                    states[child].failure = Int32(truncatingIfNeeded: failure)
                    if states[child].matchLength == 0 {
                        states[child].matchLength = states[failure].matchLength
                        states[child].value = states[failure].value
                    }
                }
                child = Int(states[child].nextSibling)
            }
        }
    }

    private func child(_ state: Int, _ byte: UInt8) -> Int? {
        if state == 0 { return starts[Int(byte)] == 0 ? nil : Int(starts[Int(byte)]) }
        var child = Int(states[state].firstChild)
        while child != 0, states[child].byte != byte { child = Int(states[child].nextSibling) }
        return child == 0 ? nil : child
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
