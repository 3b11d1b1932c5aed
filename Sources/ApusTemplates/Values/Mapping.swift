/// What a value is as the key of a dictionary: 1, 1.0 and True are one.
enum Key: Hashable {
    case none
    case undefined
    case int(Int)
    case largeInt(String)
    case float(Double)
    case string([UInt32])
    case tuple([Key])
    case range(PythonRange)
    case function(Function)
    case object(ObjectIdentifier)
}

extension Key {
    /// Nothing for what Python calls unhashable. The budget bounds how much of a value is looked at: tuples of tuples can
    /// be far larger than what they take in memory.
    init?(_ value: Value, budget: inout Int) {
        budget -= 1
        guard budget > 0 else { return nil }
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let value): self = .int(value ? 1 : 0)
        case .int(let value): self = .int(value)
        case .largeInt(let digits): self = .largeInt(digits)
        case .float(let value): self = Int(exactly: value).map { .int($0) } ?? .float(value)
        case .string(let text):
            budget -= text.units.count
            self = .string(text.units.map { $0 & Text.scalarMask })
        case .tuple(let items):
            var keys: [Key] = []
            for value in items.values {
                guard let key = Key(value, budget: &budget) else { return nil }
                keys.append(key)
            }
            self = .tuple(keys)
        case .namespace(let namespace): self = .object(ObjectIdentifier(namespace))
        case .macro(let macro): self = .object(ObjectIdentifier(macro))
        case .loop(let loop): self = .object(ObjectIdentifier(loop))
        case .cycler(let cycler): self = .object(ObjectIdentifier(cycler))
        case .joiner(let joiner): self = .object(ObjectIdentifier(joiner))
        case .iterator(let iteration): self = .object(ObjectIdentifier(iteration))
        case .method(let method): self = .object(ObjectIdentifier(method))
        case .function(let function): self = .function(function)
        case .range(let range):
            // Ranges of the same numbers are one.
            let step = range.count > 1 ? range.step : 1
            self = .range(
                PythonRange(start: range.count > 0 ? range.start : 0, stop: 0, step: step, count: range.count))
        case .list, .dict, .view: return nil
        }
    }
}

/// A dictionary, which keeps the order in which its keys were set and never changes once it is made.
final class Mapping {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var positions: [Key: Int] = [:]
    private(set) var depth = 1
    private let charge: Charge?

    init(_ pairs: [(key: Key, name: Value, value: Value)], charge: Charge?) {
        self.charge = charge
        for (key, name, value) in pairs {
            depth = max(depth, 1 + max(name.depth, value.depth))
            if let position = positions[key] {
                values[position] = value
            } else {
                positions[key] = keys.count
                keys.append(name)
                values.append(value)
            }
        }
    }

    var count: Int { keys.count }

    subscript(key: Key) -> Value? { positions[key].map { values[$0] } }

    subscript(name: String) -> Value? { self[.string(name.unicodeScalars.map(\.value))] }
}
