import ApusJSON

/// One rendering of a template.
final class Renderer {
    let program: Program
    let limits: Limits
    let meter: Meter
    private let variables: [String: Value]
    private var constants: [Value?]
    private let gauge = StackGauge()
    private let deadline: ContinuousClock.Instant
    private var work = 0
    /// What is written, innermost block last.
    private var outputs: [[UInt32]] = [[]]
    var callDepth = 0
    /// Whether a printed constant is computed.
    var isFolding = false
    /// What may hold itself, and is emptied in the end.
    private var namespaces: [Namespace] = []
    private var scopes: [Scope] = []

    init(_ program: Program, _ variables: JSONObject, marking names: Set<String>, limits: Limits) {
        self.program = program
        self.limits = limits
        meter = Meter(limit: limits.memoryByteCount)
        deadline = .now + limits.time
        constants = Array(repeating: nil, count: program.strings.count)
        var values: [String: Value] = [:]
        for function in Function.allCases { values[function.rawValue] = .function(function) }
        for member in variables { values[member.key] = Value(member.value, isMarked: names.contains(member.key)) }
        self.variables = values
    }

    func render() throws(TemplateError) -> MarkedText {
        let scope = try enter(0, nil, [:])
        _ = try execute(program.body, scope)
        let units = outputs[0]
        guard let text = MarkedText(units) else {
            throw TemplateError(.runtime, "the text holds half of a surrogate pair")
        }
        guard text.utf8.count <= limits.outputByteCount else { throw tooLong }
        return text
    }

    /// Takes apart what may hold itself.
    func release() {
        for namespace in namespaces { namespace.attributes = [] }
        for scope in scopes { scope.values = [:] }
    }

    func variable(_ name: String) -> Value { variables[name] ?? .undefined("'\(name)' is undefined") }

    func constant(_ index: Int) -> Value {
        if let value = constants[index] { return value }
        let value = Value.string(Text(program.strings[index]))
        constants[index] = value
        return value
    }

    func keep(_ scope: Scope) throws(TemplateError) {
        var scope: Scope? = scope
        while let current = scope, !current.isKept {
            try meter.take(512 + 64 * current.values.count)
            current.isKept = true
            scopes.append(current)
            scope = current.parent
        }
    }

    func keep(_ namespace: Namespace) { namespaces.append(namespace) }
}

// Limits.
extension Renderer {
    /// Counts work, and looks at the clock now and then.
    func spend(_ amount: Int = 1) throws(TemplateError) {
        work += amount
        guard work >= 10_000 else { return }
        work = 0
        guard ContinuousClock.now < deadline else {
            throw TemplateError(.limit, "rendering takes longer than \(limits.time)")
        }
    }

    func checkDepth() throws(TemplateError) {
        guard !gauge.isFull else { throw TemplateError(.limit, "calls nest too deep") }
    }

    private var tooLong: TemplateError {
        TemplateError(.limit, "the text is longer than \(limits.outputByteCount >> 20) MB")
    }

    func write(_ units: [UInt32]) throws(TemplateError) {
        try spend(1 + units.count / 64)
        try meter.take(4 * units.count)
        let last = outputs.count - 1
        guard units.count <= limits.outputByteCount - outputs[last].count else { throw tooLong }
        outputs[last] += units
    }

    /// What a block writes, as a string; nothing if a loop around the block is left or goes on inside it.
    func capture(_ body: () throws(TemplateError) -> Flow) throws(TemplateError) -> (Value?, Flow) {
        let height = outputs.count
        outputs.append([])
        defer { outputs.removeLast(outputs.count - height) }
        let flow = try body()
        let units = outputs[height]
        meter.giveBack(4 * units.count)
        guard flow == .onward else { return (nil, flow) }
        return (try string(units), flow)
    }
}

// Making values.
extension Renderer {
    func string(_ units: [UInt32], isMarkup: Bool = false) throws(TemplateError) -> Value {
        try spend(units.count / 64)
        let charge = units.count > 16 ? try Charge(4 * units.count, to: meter) : nil
        return .string(Text(units, isMarkup: isMarkup, charge: charge))
    }

    /// Looks whether there is room for something before it is made.
    func reserve(_ count: Int, times: Int = 1, size: Int = 4) throws(TemplateError) {
        let (total, overflows) = count.multipliedReportingOverflow(by: times)
        let (bytes, overflowsToo) = total.multipliedReportingOverflow(by: size)
        guard !overflows, !overflowsToo else { throw TemplateError(.limit, "a value is too large") }
        try meter.take(max(bytes, 0))
        meter.giveBack(max(bytes, 0))
    }

    func items(_ values: [Value], isGroup: Bool = false) throws(TemplateError) -> Items {
        try spend(values.count / 8)
        let depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
        guard depth <= Limits.nesting else {
            throw TemplateError(.limit, "values nest deeper than \(Limits.nesting)")
        }
        let charge = try Charge(48 + 96 * values.count, to: meter)
        return Items(values, depth: depth, isGroup: isGroup, charge: charge)
    }

    func list(_ values: [Value]) throws(TemplateError) -> Value { .list(try items(values)) }

    func tuple(_ values: [Value]) throws(TemplateError) -> Value { .tuple(try items(values)) }

    func key(_ value: Value) throws(TemplateError) -> Key {
        guard let key = try keyIfHashable(value) else {
            throw TemplateError(.runtime, "a \(value.typeName) cannot be the key of a dictionary")
        }
        return key
    }

    func keyIfHashable(_ value: Value) throws(TemplateError) -> Key? {
        let most = 1 << 20
        var budget = most
        let key = Key(value, budget: &budget)
        guard budget > 0 else { throw TemplateError(.limit, "the key of a dictionary is too large") }
        try spend((most - budget) / 8)
        return key
    }

    func dict(_ pairs: [(name: Value, value: Value)]) throws(TemplateError) -> Value {
        try spend(pairs.count)
        let keyed = try pairs.map { (pair) throws(TemplateError) in (try key(pair.name), pair.name, pair.value) }
        let mapping = Mapping(keyed, charge: try Charge(64 + 160 * pairs.count, to: meter))
        guard mapping.depth <= Limits.nesting else {
            throw TemplateError(.limit, "values nest deeper than \(Limits.nesting)")
        }
        return .dict(mapping)
    }
}

extension Value {
    /// A value of JSON. The strings of marked ones, keys too, are known to be the conversation's.
    init(_ json: JSONValue, isMarked: Bool) {
        let mark = isMarked ? Text.mark : 0
        func text(_ string: String) -> Value { .string(Text(string.unicodeScalars.map { $0.value | mark })) }
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .int(value)
        case .number(let value): self = .float(value)
        case .string(let value): self = text(value)
        case .verbatim(let digits): self = .largeInt(digits)
        case .array(let elements):
            let values = elements.map { Value($0, isMarked: isMarked) }
            self = .list(Items(values, depth: 1 + (values.map(\.depth).max() ?? 0), charge: nil))
        case .object(let object):
            self = .dict(
                Mapping(
                    object.map {
                        let name = text($0.key)
                        let value = Value($0.value, isMarked: isMarked)
                        return (.string($0.key.unicodeScalars.map(\.value)), name, value)
                    }, charge: nil))
        }
    }
}
