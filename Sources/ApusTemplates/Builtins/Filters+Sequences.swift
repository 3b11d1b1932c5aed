extension Renderer {
    func applyToSequence(
        _ name: String, _ value: Value, _ arguments: Arguments
    ) throws(TemplateError) -> Value? {
        switch name {
        case "length", "count":
            guard arguments.isEmpty else { throw TemplateError(.runtime, "'\(name)' takes nothing more") }
            return .int(try length(of: value))
        case "list":
            _ = try extra(name, arguments, [])
            return try list(try array(value))
        case "first":
            _ = try extra(name, arguments, [])
            return try iterate(value).next() ?? .undefined("there is no first item")
        case "last":
            _ = try extra(name, arguments, [])
            return try lastItem(value)
        case "reverse":
            _ = try extra(name, arguments, [])
            if case .string(let text) = value { return try string(text.units.reversed(), isMarkup: text.isMarkup) }
            if case .iterator = value { return try list(try array(value).reversed()) }
            return .iterator(Iteration(try array(value).reversed(), depth: value.depth + 1))
        case "join":
            let values = try extra(name, arguments, ["d", "attribute"])
            var elements = try array(value)
            if let path = values[1], !path.isNone {
                elements = try elements.map { (element) throws(TemplateError) in try follow(path, in: element) }
            }
            let pieces = try elements.map { (element) throws(TemplateError) in try printed(element) }
            return try string(
                try joined(pieces, by: try values[0].map { (value) throws(TemplateError) in try printed(value) } ?? []))
        case "items":
            _ = try extra(name, arguments, [])
            return .iterator(
                Iteration(
                    depth: value.depth + 1,
                    lazily(value) { [self] (value) throws(TemplateError) in
                        guard case .dict(let mapping) = value else {
                            if value.isUndefined { return Iteration([], depth: 1) }
                            throw TemplateError(.runtime, "'items' takes a dictionary, not a \(value.typeName)")
                        }
                        return Iteration(try array(.view(mapping, .items)), depth: 1)
                    }))
        case "dictsort": return try dictsort(value, try extra(name, arguments, ["case_sensitive", "by", "reverse"]))
        case "sort":
            let values = try extra(name, arguments, ["reverse", "case_sensitive", "attribute"])
            let elements = try array(value)
            let ignoresCase = !(try isTrue(values[1] ?? .bool(false)))
            let paths = try self.paths(values[2] ?? .none)
            let keys = try elements.map { (element) throws(TemplateError) in
                try list(
                    try paths.map { (path) throws(TemplateError) in
                        folded(try follow(path, in: element), ignoresCase)
                    })
            }
            let order = try sortedPositions(keys, isReversed: try isTrue(values[0] ?? .bool(false)))
            return try list(order.map { elements[$0] })
        case "unique":
            let values = try extra(name, arguments, ["case_sensitive", "attribute"])
            let ignoresCase = !(try isTrue(values[0] ?? .bool(false)))
            let path = values[1] ?? .none
            var seen: Set<Key> = []
            return try filtered(value) { [self] (element) throws(TemplateError) in
                try meter.take(64)
                return seen.insert(try key(folded(try follow(path, in: element), ignoresCase))).inserted
            }
        case "min", "max":
            let values = try extra(name, arguments, ["case_sensitive", "attribute"])
            return try extreme(name, value, !(try isTrue(values[0] ?? .bool(false))), values[1] ?? .none)
        case "sum":
            let values = try extra(name, arguments, ["attribute", "start"])
            var total = values[1] ?? .int(0)
            if case .string = total { throw TemplateError(.runtime, "'sum' does not join strings") }
            for element in try array(value) {
                total = try arithmetic(.add, total, try follow(values[0] ?? .none, in: element))
            }
            return total
        case "groupby":
            return try grouped(
                value, try extra(name, arguments, ["attribute", "default", "case_sensitive"], required: 1))
        case "batch": return try batches(value, try extra(name, arguments, ["linecount", "fill_with"], required: 1))
        case "slice": return try slices(value, try extra(name, arguments, ["slices", "fill_with"], required: 1))
        default: return nil
        }
    }

    private func lastItem(_ value: Value) throws(TemplateError) -> Value {
        switch value {
        case .iterator: throw TemplateError(.runtime, "a generator cannot be read from its end")
        default: return try array(value).last ?? .undefined("there is no last item")
        }
    }

    /// Strings without the difference of small and large letters.
    func folded(_ value: Value, _ ignoresCase: Bool) -> Value {
        guard ignoresCase, case .string(let text) = value else { return value }
        return .string(Text(CaseMapping.lower(text.units)))
    }

    /// The places of values in their order, equal ones as they stand.
    func sortedPositions(_ keys: [Value], isReversed: Bool) throws(TemplateError) -> [Int] {
        var (positions, failure) = (Array(keys.indices), nil as TemplateError?)
        func isBefore(_ left: Int, _ right: Int) -> Bool {
            guard failure == nil else { return false }
            do {
                return isReversed
                    ? try order(keys[right], keys[left], "<") == .less
                    : try order(keys[left], keys[right], "<") == .less
            } catch {
                failure = error
                return false
            }
        }
        // Swift's sort keeps equal ones in their order, but does not say so; the place decides.
        positions.sort { left, right in
            isBefore(left, right) || left < right && !isBefore(right, left)
        }
        if let failure { throw failure }
        return positions
    }

    private func dictsort(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        guard case .dict(let mapping) = value else {
            throw undefinedOr(value, "'dictsort' takes a dictionary, not a \(value.typeName)")
        }
        let by = try values[1].map { (value) throws(TemplateError) in try needText(value, "dictsort").string } ?? "key"
        guard by == "key" || by == "value" else {
            throw TemplateError(.runtime, "'dictsort' sorts by key or value")
        }
        let ignoresCase = !(try isTrue(values[0] ?? .bool(false)))
        let keys = (by == "key" ? mapping.keys : mapping.values).map { folded($0, ignoresCase) }
        let order = try sortedPositions(keys, isReversed: try isTrue(values[2] ?? .bool(false)))
        return try list(
            order.map { (position) throws(TemplateError) in
                try tuple([mapping.keys[position], mapping.values[position]])
            })
    }

    private func extreme(
        _ name: String, _ value: Value, _ ignoresCase: Bool, _ path: Value
    ) throws(TemplateError) -> Value {
        let iteration = try iterate(value)
        guard var best = try iteration.next() else { return .undefined("there is no \(name) of nothing") }
        var bestKey = folded(try follow(path, in: best), ignoresCase)
        while let next = try iteration.next() {
            let key = folded(try follow(path, in: next), ignoresCase)
            let wanted: Order = name == "min" ? .less : .greater
            if try order(key, bestKey, name == "min" ? "<" : ">") == wanted { (best, bestKey) = (next, key) }
        }
        return best
    }

    private func grouped(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let (path, fallback) = (values[0] ?? .none, values[1] ?? .none)
        let ignoresCase = !(try isTrue(values[2] ?? .bool(false)))
        let elements = try array(value)
        let plain = try elements.map { (element) throws(TemplateError) in
            try follow(path, in: element, fallback: fallback)
        }
        let keys = plain.map { folded($0, ignoresCase) }
        var groups: [(first: Int, members: [Value])] = []
        for position in try sortedPositions(keys, isReversed: false) {
            if let last = groups.last, try isEqual(keys[last.first], keys[position]) {
                groups[groups.count - 1].members.append(elements[position])
            } else {
                groups.append((position, [elements[position]]))
            }
        }
        return try list(
            groups.map { (group) throws(TemplateError) in
                .tuple(try items([plain[group.first], try list(group.members)], isGroup: true))
            })
    }

    private func batches(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        guard let size = values[0] else { return .none }
        let fill = values[1] ?? .none
        let source = lazily(value) { [self] (value) throws(TemplateError) in try iterate(value) }
        return .iterator(
            Iteration(depth: value.depth + 2) { [self] () throws(TemplateError) in
                guard let first = try source() else { return nil }
                var batch = [first]
                while !(try isEqual(.int(batch.count), size)), let next = try source() { batch.append(next) }
                if !fill.isNone {
                    let missing = try needIndex(size, 0, "batch") - batch.count
                    try reserve(max(0, missing), size: 48)
                    if missing > 0 { batch += Array(repeating: fill, count: missing) }
                }
                return try list(batch)
            })
    }

    private func slices(_ value: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let fill = values[1] ?? .none
        return .iterator(
            Iteration(
                depth: value.depth + 2,
                lazily(value) { [self] (value) throws(TemplateError) in
                    let elements = try array(value)
                    let count = try needIndex(values[0], 0, "slice")
                    guard count != 0 else { throw TemplateError(.runtime, "a division by zero") }
                    guard count > 0 else { return Iteration([], depth: 1) }
                    try reserve(count, size: 96)
                    var (slices, start) = ([] as [Value], 0)
                    for index in 0..<count {
                        let hasMore = index < elements.count % count
                        let end = start + elements.count / count + (hasMore ? 1 : 0)
                        slices.append(
                            try list(elements[start..<end] + (!fill.isNone && !hasMore ? [fill] : [])))
                        start = end
                    }
                    return Iteration(slices, depth: 1)
                }))
    }
}
