extension Renderer {
    enum Order {
        case less, same, greater
        /// As NaN is to everything.
        case none
    }

    func isEqual(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try spend()
        try checkDepth()
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.largeInt(let left), .largeInt(let right)): return left == right
        case (.largeInt, .float), (.float, .largeInt): throw Self.tooBig
        case (.string(let left), .string(let right)):
            try spend(min(left.units.count, right.units.count) / 64)
            return left == right
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            if left === right { return true }
            return try isEqual(left.values, right.values)
        case (.dict(let left), .dict(let right)):
            guard left !== right else { return true }
            guard left.count == right.count else { return false }
            for (name, value) in zip(left.keys, left.values) {
                guard let other = right[try key(name)], try isEqual(value, other) else { return false }
            }
            return true
        case (.range(let left), .range(let right)):
            guard left.count == right.count else { return false }
            return left.count == 0 || left.start == right.start && (left.count == 1 || left.step == right.step)
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.macro(let left), .macro(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.iterator(let left), .iterator(let right)): return left === right
        case (.cycler(let left), .cycler(let right)): return left === right
        case (.joiner(let left), .joiner(let right)): return left === right
        case (.function(let left), .function(let right)): return left == right
        case (.view(let left, .keys), .view(let right, .keys)):
            guard left.count == right.count else { return false }
            for name in left.keys where right[try key(name)] == nil { return false }
            return true
        case (.view(let left, .values), .view(let right, .values)) where left !== right: return false
        case (.view, .view), (.method, .method): throw TemplateError(.unsupported, "comparing \(left.typeName)s")
        default:
            return compareNumbers(left, right) == .same
        }
    }

    func isEqual(_ left: [Value], _ right: [Value]) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (one, other) in zip(left, right) {
            guard try isEqual(one, other) else { return false }
        }
        return true
    }

    /// Whether two are one object, as far as values have that.
    func isSame(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.list(let left), .list(let right)): return left === right
        case (.dict(let left), .dict(let right)): return left === right
        case (.namespace, .namespace), (.macro, .macro), (.loop, .loop), (.iterator, .iterator), (.cycler, .cycler),
            (.joiner, .joiner), (.function, .function):
            return try isEqual(left, right)
        case (.int(let left), .int(let right)) where left != right: return false
        case (.string(let left), .string(let right)) where !(left == right): return false
        case (.int, .int), (.largeInt, .largeInt), (.float, .float), (.string, .string), (.tuple, .tuple),
            (.range, .range),
            (.method, .method), (.undefined, .undefined), (.view, .view):
            throw TemplateError(.unsupported, "'sameas' between two of \(left.typeName)")
        default: return false
        }
    }

    /// How two values are to each other; the sign is for the error if they cannot be compared.
    func order(_ left: Value, _ right: Value, _ sign: String) throws(TemplateError) -> Order {
        try spend()
        try checkDepth()
        switch (left, right) {
        case (.undefined(let message), _), (_, .undefined(let message)): throw TemplateError(.runtime, message)
        case (.string(let left), .string(let right)):
            try spend(min(left.units.count, right.units.count) / 64)
            return left == right ? .same : left < right ? .less : .greater
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            for (one, other) in zip(left.values, right.values) where !(try isEqual(one, other)) {
                return try order(one, other, sign)
            }
            let (one, other) = (left.values.count, right.values.count)
            return one == other ? .same : one < other ? .less : .greater
        case (.view(_, .values), _), (_, .view(_, .values)): break
        case (.view, .view): throw TemplateError(.unsupported, "comparing \(left.typeName)s")
        default:
            if let order = compareNumbers(left, right) { return order }
        }
        if left.isLarge || right.isLarge { throw Self.tooBig }
        throw TemplateError(.runtime, "'\(sign)' is not for \(left.typeName) and \(right.typeName)")
    }

    private func compareNumbers(_ left: Value, _ right: Value) -> Order? {
        switch (left, right) {
        case (.float(let left), .float(let right)):
            return left < right ? .less : left > right ? .greater : left == right ? .same : Order.none
        case (.float(let left), _): return right.index.map { reversed(compare($0, left)) }
        case (_, .float(let right)): return left.index.map { compare($0, right) }
        default:
            guard let left = left.index, let right = right.index else { return nil }
            return left < right ? .less : left > right ? .greater : .same
        }
    }

    /// Exactly, as Python does.
    private func compare(_ integer: Int, _ number: Double) -> Order {
        if number.isNaN { return .none }
        if number >= 0x1p63 { return .less }
        if number < -0x1p63 { return .greater }
        let whole = Int(number.rounded(.down))
        if integer != whole { return integer < whole ? .less : .greater }
        return number == Double(whole) ? .same : .less
    }

    private func reversed(_ order: Order) -> Order {
        switch order {
        case .less: .greater
        case .greater: .less
        default: order
        }
    }
}
