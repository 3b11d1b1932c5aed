/// Collects the names of one scope from its statements, in the order of the text.
struct ScopeAnalysis {
    private(set) var plan: ScopePlan
    private var stored: Set<String> = []
    /// Names of the scopes around this one.
    private let outside: Set<String>

    init(plan: ScopePlan, outside: Set<String>) {
        self.plan = plan
        self.outside = outside
        stored = Set(plan.names.keys)
    }

    mutating func load(_ name: String) {
        if plan.names[name] == nil, !outside.contains(name) { plan.names[name] = .variable }
    }

    mutating func load(_ expression: Expression) {
        var names: [String] = []
        expression.forEachName { if case .load(let name) = $0 { names.append(name) } }
        for name in names { load(name) }
    }

    mutating func store(_ name: String) {
        stored.insert(name)
        if plan.names[name] == nil { plan.names[name] = outside.contains(name) ? .outer : .nothing }
    }

    private mutating func store(_ target: Target) {
        switch target {
        case .name(let name): store(name)
        case .attribute(let namespace, _): load(namespace)
        case .tuple(let targets): for target in targets { store(target) }
        }
    }

    mutating func visit(_ body: [Statement]) {
        for statement in body { visit(statement) }
    }

    private mutating func visit(_ statement: Statement) {
        switch statement.kind {
        case .text, .leave, .proceed, .generation: break
        case .output(let value): load(value)
        case .condition(let branches, let otherwise): visit(branches[...], otherwise: otherwise)
        case .loop(let loop): load(loop.sequence)
        case .set(let target, let value):
            load(value)
            store(target)
        case .setBlock(let target, _, _): store(target)
        case .with(let assignments, _): for (_, value) in assignments { load(value) }
        case .filter(let filter, _): load(filter)
        case .macro(let macro): store(macro.name)
        case .call(let call, _): load(call)
        }
    }

    /// Branches of which one is taken: what some of them assign begins as what it is without any.
    private mutating func visit(_ branches: ArraySlice<Statement.Branch>, otherwise: [Statement]) {
        guard let first = branches.first else { return }
        load(first.test)
        var taken = self
        taken.visit(first.body)
        // Each `elif` is a condition of its own that begins from here.
        var others = self
        for branch in branches.dropFirst() { others.visit([branch][...], otherwise: []) }
        var last = self
        last.visit(otherwise)

        let outcomes = [taken, others, last]
        var names: Set<String> = []
        for outcome in outcomes { names.formUnion(outcome.stored) }
        names.subtract(stored)
        for outcome in outcomes {
            plan.names.merge(outcome.plan.names) { _, new in new }
            stored.formUnion(outcome.stored)
        }
        for name in names { plan.names[name] = outside.contains(name) ? .outer : .variable }
    }
}
