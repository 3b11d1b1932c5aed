extension Renderer {
    /// The values that a loop goes through.
    func iterate(_ value: Value) throws(TemplateError) -> Iteration {
        switch value {
        case .iterator(let iteration): return iteration
        case .range(let range):
            var position = 0
            return Iteration(depth: 1) { () throws(TemplateError) in
                guard position < range.count else { return nil }
                position += 1
                return .int(range[position - 1])
            }
        case .loop: throw TemplateError(.unsupported, "a loop over 'loop' itself")
        default: return Iteration(try array(value), depth: value.depth + 1)
        }
    }

    /// All values of something that can be iterated, or one more than wanted.
    func array(_ value: Value, atMost limit: Int = .max) throws(TemplateError) -> [Value] {
        switch value {
        case .undefined: return []
        case .list(let items), .tuple(let items): return items.values
        case .dict(let mapping), .view(let mapping, .keys): return mapping.keys
        case .view(let mapping, .values): return mapping.values
        case .view(let mapping, .items):
            return try zip(mapping.keys, mapping.values).map { (pair) throws(TemplateError) in
                try tuple([pair.0, pair.1])
            }
        case .string(let text):
            try spend(text.units.count / 8)
            try reserve(text.units.count, size: 48)
            return text.units.map { .string(Text([$0])) }
        case .range(let range): return (0..<range.count).map { .int(range[$0]) }
        case .iterator(let iteration):
            var values: [Value] = []
            while let value = try iteration.next() {
                try spend()
                values.append(value)
                if values.count > limit { break }
                if values.count.isMultiple(of: 4096) { try reserve(values.count, size: 48) }
            }
            return values
        case .loop: throw TemplateError(.unsupported, "a loop over 'loop' itself")
        default: throw TemplateError(.runtime, "a \(value.typeName) cannot be iterated")
        }
    }

    func length(of value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: 0
        case .string(let text): text.units.count
        case .list(let items), .tuple(let items): items.values.count
        case .dict(let mapping), .view(let mapping, _): mapping.count
        case .range(let range): range.count
        case .loop(let loop): try loop.measure()
        default: throw TemplateError(.runtime, "a \(value.typeName) has no length")
        }
    }

    func contains(_ container: Value, _ value: Value) throws(TemplateError) -> Bool {
        switch container {
        case .string(let text):
            guard case .string(let part) = value else {
                throw undefinedOr(value, "'in' a string takes a string, not a \(value.typeName)")
            }
            return try find(part.units, in: text.units[...]) != nil
        case .dict(let mapping), .view(let mapping, .keys): return mapping[try key(value)] != nil
        case .range(let range):
            if let number = value.index ?? exactInteger(value) {
                guard range.count > 0 else { return false }
                let (first, last) = (range[0], range[range.count - 1])
                guard number >= min(first, last), number <= max(first, last) else { return false }
                return (number - first) % range.step == 0
            }
            return false
        default:
            let iteration = try iterate(container)
            while let next = try iteration.next() {
                if try isEqual(next, value) { return true }
            }
            return false
        }
    }

    private func exactInteger(_ value: Value) -> Int? {
        if case .float(let number) = value { Int(exactly: number) } else { nil }
    }

    /// What is wrong with a value that must not be undefined.
    func undefinedOr(_ value: Value, _ message: String) -> TemplateError {
        if case .undefined(let own) = value { return TemplateError(.runtime, own) }
        return TemplateError(.runtime, message)
    }

    /// Where a part begins, counted from the start of the whole string.
    func find(_ part: [UInt32], in text: ArraySlice<UInt32>, fromEnd: Bool = false) throws(TemplateError) -> Int? {
        guard part.count <= text.count else { return nil }
        guard let first = part.first.map({ $0 & Text.scalarMask }) else {
            return fromEnd ? text.endIndex : text.startIndex
        }
        let last = text.endIndex - part.count
        var start = fromEnd ? last : text.startIndex
        try spend(text.count / 64)
        while start >= text.startIndex, start <= last {
            if text[start] & Text.scalarMask == first {
                var length = 1
                while length < part.count, (text[start + length] ^ part[length]) & Text.scalarMask == 0 { length += 1 }
                if length == part.count { return start }
                try spend(length / 16)
            }
            start += fromEnd ? -1 : 1
        }
        return nil
    }
}

// Slices.
extension Renderer {
    func slice(
        _ value: Value, _ start: Value, _ stop: Value, _ step: Value
    ) throws(TemplateError) -> Value {
        if case .undefined(let message) = value { throw TemplateError(.runtime, message) }
        switch value {
        case .string(let text):
            let places = try places(start, stop, step, count: text.units.count)
            return try string(places.map { text.units[$0] }, isMarkup: text.isMarkup)
        case .list(let items):
            return try list(try places(start, stop, step, count: items.values.count).map { items.values[$0] })
        case .tuple(let items):
            return try tuple(try places(start, stop, step, count: items.values.count).map { items.values[$0] })
        case .range(let range):
            let places = try bounds(start, stop, step, count: range.count)
            let (product, overflows) = range.step.multipliedReportingOverflow(by: places.step)
            guard !overflows, range.count <= 100_000 else { throw TemplateError(.unsupported, "a slice of a range") }
            return .range(
                PythonRange(
                    start: range.start &+ places.start &* range.step, stop: range.start &+ places.stop &* range.step,
                    step: product, count: places.count))
        case _ where isFolding: return .undefined("a \(value.typeName) has no such item")
        default: throw TemplateError(.runtime, "a \(value.typeName) cannot be sliced")
        }
    }

    private func places(
        _ start: Value, _ stop: Value, _ step: Value, count: Int
    ) throws(TemplateError) -> [Int] {
        let range = try bounds(start, stop, step, count: count)
        try spend(range.count / 8)
        try reserve(range.count, size: 8)
        return (0..<range.count).map { range[$0] }
    }

    private func bounds(
        _ start: Value, _ stop: Value, _ step: Value, count: Int
    ) throws(TemplateError) -> PythonRange {
        func number(_ value: Value) throws(TemplateError) -> Int? {
            if value.isNone { return nil }
            guard let number = value.index else {
                throw undefinedOr(value, "a slice takes integers, not a \(value.typeName)")
            }
            return number
        }
        // Steps beyond any count do the same as those just beyond it.
        let step = max(-(count + 1), min(count + 1, try number(step) ?? 1))
        guard step != 0 else { throw TemplateError(.runtime, "the step of a slice must not be zero") }
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func clamp(_ number: Int) -> Int {
            let place = number < 0 ? max(number, -count - 1) + count : min(number, count)
            return max(lowest, min(highest, place))
        }
        let first = try number(start).map(clamp) ?? (step > 0 ? 0 : count - 1)
        let end = try number(stop).map(clamp) ?? (step > 0 ? count : -1)
        let span = step > 0 ? end - first : first - end
        let total = span > 0 ? (span - 1) / abs(step) + 1 : 0
        return PythonRange(start: first, stop: end, step: step, count: total)
    }
}
