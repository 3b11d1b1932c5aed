#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Renderer {
    func arithmetic(
        _ operation: Expression.Arithmetic, _ left: Value, _ right: Value
    ) throws(TemplateError) -> Value {
        if case .undefined(let message) = left { throw TemplateError(.runtime, message) }
        if operation == .remainder, case .string(let text) = left {
            return try string(try formatted(text, right), isMarkup: text.isMarkup)
        }
        if case .undefined(let message) = right { throw TemplateError(.runtime, message) }
        if let left = left.index, let right = right.index { return try integers(operation, left, right) }
        if let left = double(left), let right = double(right) { return try numbers(operation, left, right) }
        switch operation {
        case .add: if let sum = try joined(left, right) { return sum }
        case .multiply: if let product = try repeated(left, right) { return product }
        case .subtract:
            if case .view(_, let view) = left, view != .values {
                throw TemplateError(.unsupported, "the difference of \(left.typeName)")
            }
        default: break
        }
        if left.isLarge || right.isLarge { throw Self.tooBig }
        throw TemplateError(.runtime, "'\(operation.rawValue)' is not for \(left.typeName) and \(right.typeName)")
    }

    func double(_ value: Value) -> Double? {
        if case .float(let number) = value { number } else { value.index.map { Double($0) } }
    }

    static var tooBig: TemplateError { TemplateError(.unsupported, "an integer beyond 64 bits") }
    private var byZero: TemplateError { TemplateError(.runtime, "a division by zero") }

    private func integers(
        _ operation: Expression.Arithmetic, _ left: Int, _ right: Int
    ) throws(TemplateError) -> Value {
        let (result, overflows): (Int, Bool)
        switch operation {
        case .add: (result, overflows) = left.addingReportingOverflow(right)
        case .subtract: (result, overflows) = left.subtractingReportingOverflow(right)
        case .multiply: (result, overflows) = left.multipliedReportingOverflow(by: right)
        case .divide:
            guard right != 0 else { throw byZero }
            let exact = (-1 << 53)...(1 << 53)
            guard exact.contains(left), exact.contains(right) else { throw Self.tooBig }
            return .float(Double(left) / Double(right))
        case .floorDivide:
            guard right != 0 else { throw byZero }
            let (quotient, isTooBig) = left.dividedReportingOverflow(by: right)
            guard !isTooBig else { throw Self.tooBig }
            let isInexact = quotient &* right != left
            return .int(isInexact && (left < 0) != (right < 0) ? quotient - 1 : quotient)
        case .remainder:
            guard right != 0 else { throw byZero }
            let (rest, isTooBig) = left.remainderReportingOverflow(dividingBy: right)
            if isTooBig { return .int(0) }
            return .int(rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest)
        case .power: return try power(left, right)
        }
        guard !overflows else { throw Self.tooBig }
        return .int(result)
    }

    private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
        guard exponent >= 0 else { return try numbers(.power, Double(base), Double(exponent)) }
        if base == 0 || base == 1 || exponent == 0 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent.isMultiple(of: 2) ? 1 : -1) }
        guard exponent < 64 else { throw Self.tooBig }
        var result = 1
        for _ in 0..<exponent {
            let (product, overflows) = result.multipliedReportingOverflow(by: base)
            guard !overflows else { throw Self.tooBig }
            result = product
        }
        return .int(result)
    }

    private func numbers(
        _ operation: Expression.Arithmetic, _ left: Double, _ right: Double
    ) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .float(left + right)
        case .subtract: return .float(left - right)
        case .multiply: return .float(left * right)
        case .divide:
            guard right != 0 else { throw byZero }
            return .float(left / right)
        case .floorDivide, .remainder:
            guard right != 0 else { throw byZero }
            // As CPython divides floats: the remainder is exact, the quotient follows from it.
            var rest = fmod(left, right)
            var quotient = (left - rest) / right
            if rest != 0 {
                if (right < 0) != (rest < 0) {
                    rest += right
                    quotient -= 1
                }
            } else {
                rest = copysign(0, right)
            }
            if operation == .remainder { return .float(rest) }
            guard quotient != 0 else { return .float(copysign(0, left / right)) }
            let whole = quotient.rounded(.down)
            return .float(quotient - whole > 0.5 ? whole + 1 : whole)
        case .power:
            if left == 0, right < 0 { throw byZero }
            if left < 0, left.isFinite, right.isFinite, right != right.rounded(.down) {
                throw TemplateError(.unsupported, "a complex number")
            }
            let result = pow(left, right)
            guard result.isFinite || !left.isFinite || !right.isFinite else {
                throw TemplateError(.runtime, "a power is too large")
            }
            return .float(result)
        }
    }

    private func joined(_ left: Value, _ right: Value) throws(TemplateError) -> Value? {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            let isMarkup = left.isMarkup || right.isMarkup
            let parts = isMarkup ? (escaped(left), escaped(right)) : (left.units, right.units)
            try reserve(parts.0.count + parts.1.count)
            return try string(parts.0 + parts.1, isMarkup: isMarkup)
        case (.list(let left), .list(let right)):
            try reserve(left.values.count + right.values.count, size: 48)
            return try list(left.values + right.values)
        case (.tuple(let left), .tuple(let right)):
            try reserve(left.values.count + right.values.count, size: 48)
            return try tuple(left.values + right.values)
        default: return nil
        }
    }

    private func repeated(_ left: Value, _ right: Value) throws(TemplateError) -> Value? {
        if let count = left.index { return try repeated(right, times: max(0, count)) }
        if let count = right.index { return try repeated(left, times: max(0, count)) }
        return nil
    }

    private func repeated(_ value: Value, times: Int) throws(TemplateError) -> Value? {
        func copies<Element>(_ elements: [Element]) -> [Element] {
            elements.isEmpty ? [] : (0..<times).flatMap { _ in elements }
        }
        switch value {
        case .string(let text):
            try reserve(text.units.count, times: times)
            return try string(copies(text.units), isMarkup: text.isMarkup)
        case .list(let items):
            try reserve(items.values.count, times: times, size: 48)
            return try list(copies(items.values))
        case .tuple(let items):
            try reserve(items.values.count, times: times, size: 48)
            return try tuple(copies(items.values))
        default: return nil
        }
    }

    func negate(_ value: Value) throws(TemplateError) -> Value {
        if case .float(let number) = value { return .float(-number) }
        guard let number = value.index else { throw undefinedOr(value, "a \(value.typeName) has no negative") }
        guard number != .min else { throw Self.tooBig }
        return .int(-number)
    }

    func positive(_ value: Value) throws(TemplateError) -> Value {
        if case .float = value { return value }
        guard let number = value.index else {
            throw value.isLarge ? Self.tooBig : undefinedOr(value, "'+' is not for a \(value.typeName)")
        }
        return .int(number)
    }
}
