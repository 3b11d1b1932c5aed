extension Renderer {
    /// The value of an expression; `block` is what a filter without an operand works on.
    func evaluate(_ expression: Expression, _ scope: Scope, block: Value? = nil) throws(TemplateError) -> Value {
        try spend()
        try checkDepth()
        if expression.isFolded, let value = try fold(expression, scope), try isPlain(value) { return value }
        switch expression.kind {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .int(value)
        case .float(let value): return .float(value)
        case .string(let index): return constant(index)
        case .name(let name):
            guard !isFolding, let value = scope.lookup(name) else {
                throw TemplateError(.runtime, "'\(name)' is unknown where it stands")
            }
            return value
        case .list(let items): return try list(try evaluate(items, scope))
        case .tuple(let items): return try tuple(try evaluate(items, scope))
        case .dict(let pairs):
            var evaluated: [(name: Value, value: Value)] = []
            for (key, value) in pairs {
                evaluated.append((try evaluate(key, scope), try evaluate(value, scope)))
            }
            return try dict(evaluated)
        case .attribute(let base, let name): return try attribute(name, of: try evaluate(base, scope))
        case .item(let base, let index):
            let value = try evaluate(base, scope)
            return try item(try evaluate(index, scope), of: value)
        case .slice(let base, let start, let stop, let step):
            let value = try evaluate(base, scope)
            return try slice(
                value, try bound(start, scope), try bound(stop, scope), try bound(step, scope))
        case .call(let callee, let arguments):
            guard !isFolding else { throw TemplateError(.runtime, "a call is no constant") }
            let (function, passed) = try self.arguments(arguments, scope, calling: try evaluate(callee, scope))
            return try call(function, passed)
        case .filter(let base, let name, let arguments):
            guard !isFolding || expression.isConstant else {
                throw TemplateError(.runtime, "a filter is no constant")
            }
            let value = try operand(base, scope, block: block)
            let (_, passed) = try self.arguments(arguments, scope, calling: value)
            return try apply(filter: name, to: value, passed)
        case .test(let base, let name, let arguments):
            let value = try evaluate(base, scope)
            let (_, passed) = try self.arguments(arguments, scope, calling: value)
            return .bool(try test(name, value, passed))
        case .not(let base): return .bool(!(try isTrue(try evaluate(base, scope))))
        case .negative(let base): return try negate(try evaluate(base, scope))
        case .positive(let base): return try positive(try evaluate(base, scope))
        case .arithmetic(let operation, let left, let right):
            let value = try evaluate(left, scope)
            return try arithmetic(operation, value, try evaluate(right, scope))
        case .concatenation(let parts):
            var units: [UInt32] = []
            for value in try evaluate(parts, scope) {
                let part = try printed(value)
                try reserve(units.count + part.count)
                units += part
            }
            return try string(units)
        case .comparison(let first, let rest): return try compare(first, rest, scope)
        case .and(let left, let right):
            let value = try evaluate(left, scope)
            return try isTrue(value) ? try evaluate(right, scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, scope)
            return try isTrue(value) ? value : try evaluate(right, scope)
        case .conditional(let test, let then, let otherwise):
            if try isTrue(try evaluate(test, scope)) { return try evaluate(then, scope) }
            guard let otherwise else {
                guard !isFolding else { throw TemplateError(.runtime, "an 'if' without an 'else' is no constant") }
                return .undefined("an 'if' without an 'else' has no value")
            }
            return try evaluate(otherwise, scope)
        }
    }

    private func evaluate(_ expressions: [Expression], _ scope: Scope) throws(TemplateError) -> [Value] {
        try expressions.map { (expression) throws(TemplateError) in try evaluate(expression, scope) }
    }

    private func operand(_ base: Expression?, _ scope: Scope, block: Value?) throws(TemplateError) -> Value {
        guard let base else { return block ?? .text("") }
        return try evaluate(base, scope, block: block)
    }

    private func bound(_ expression: Expression?, _ scope: Scope) throws(TemplateError) -> Value {
        try expression.map { (expression) throws(TemplateError) in try evaluate(expression, scope) } ?? .none
    }

    private func compare(
        _ first: Expression, _ rest: [(Expression.Comparison, Expression)], _ scope: Scope
    ) throws(TemplateError) -> Value {
        var left = try evaluate(first, scope)
        for (comparison, expression) in rest {
            let right = try evaluate(expression, scope)
            guard try holds(comparison, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    func holds(
        _ comparison: Expression.Comparison, _ left: Value, _ right: Value
    ) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: try isEqual(left, right)
        case .notEqual: !(try isEqual(left, right))
        case .less: try order(left, right, "<") == .less
        case .lessOrEqual: try [.less, .same].contains(order(left, right, "<="))
        case .greater: try order(left, right, ">") == .greater
        case .greaterOrEqual: try [.greater, .same].contains(order(left, right, ">="))
        case .in: try contains(right, left)
        case .notIn: !(try contains(right, left))
        }
    }

    func isTrue(_ value: Value) throws(TemplateError) -> Bool {
        switch value {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .largeInt: true
        case .float(let value): value != 0
        case .string(let text): !text.units.isEmpty
        case .list(let items), .tuple(let items): !items.values.isEmpty
        case .dict(let mapping), .view(let mapping, _): mapping.count > 0
        case .range(let range): range.count > 0
        case .loop(let loop): try loop.measure() > 0
        case .iterator, .namespace, .macro, .method, .function, .cycler, .joiner: true
        }
    }
}
