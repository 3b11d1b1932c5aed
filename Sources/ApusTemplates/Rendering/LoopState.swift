/// What `loop` is.
final class LoopState {
    let iteration: Iteration
    private(set) var length: Int?
    private(set) var index = -1
    private(set) var previous: Value?
    private var current: Value?
    private var peeked: Value?
    private var rest: ArraySlice<Value>?
    private var changedValue: [Value]?
    let depth: Int
    /// How many recursive loops it is inside of.
    let level: Int
    /// Renders the loop's body over other values, if it is recursive.
    let recurse: ((Value, Int) throws(TemplateError) -> Value)?

    init(
        _ iteration: Iteration, length: Int?, level: Int,
        recurse: ((Value, Int) throws(TemplateError) -> Value)?
    ) {
        self.iteration = iteration
        self.length = length
        self.level = level
        self.recurse = recurse
        depth = iteration.depth + 1
    }

    private func pull() throws(TemplateError) -> Value? {
        if rest != nil { return rest?.popFirst() }
        return try iteration.next()
    }

    func advance() throws(TemplateError) -> Value? {
        let value: Value?
        if let peeked {
            value = peeked
            self.peeked = nil
        } else {
            value = try pull()
        }
        guard let value else { return nil }
        index += 1
        previous = current
        current = value
        return value
    }

    func peek() throws(TemplateError) -> Value? {
        if peeked == nil { peeked = try pull() }
        return peeked
    }

    func measure() throws(TemplateError) -> Int {
        if let length { return length }
        var values: [Value] = []
        while let value = try pull() { values.append(value) }
        rest = values[...]
        let total = values.count + index + 1 + (peeked == nil ? 0 : 1)
        length = total
        return total
    }

    /// Whether values differ from those of the last call.
    func change(_ values: [Value], isSame: ([Value], [Value]) throws(TemplateError) -> Bool) throws(TemplateError)
        -> Bool
    {
        if let changedValue, try isSame(changedValue, values) { return false }
        changedValue = values
        return true
    }
}
