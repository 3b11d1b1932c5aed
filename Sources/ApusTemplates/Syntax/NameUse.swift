/// A place of a template that speaks of a name.
enum NameUse {
    case load(String)
    /// Assigns it, or is a parameter of it.
    case store(String)
}

extension Expression {
    func forEachName(_ body: (NameUse) -> Void) {
        if case .name(let name) = kind { body(.load(name)) }
        for child in kind.children { child.forEachName(body) }
    }
}

extension Statement {
    /// Every name of the statement and what is in it, in jinja2's order.
    func forEachName(_ body: (NameUse) -> Void) {
        switch kind {
        case .text, .leave, .proceed: break
        case .output(let value): value.forEachName(body)
        case .condition(let branches, let otherwise):
            for branch in branches {
                branch.test.forEachName(body)
                branch.body.forEachName(body)
            }
            otherwise.forEachName(body)
        case .loop(let loop):
            for name in loop.target.names { body(.store(name)) }
            loop.sequence.forEachName(body)
            loop.body.forEachName(body)
            loop.otherwise.forEachName(body)
            loop.test?.forEachName(body)
        case .set(let target, let value):
            for name in target.names { body(.store(name)) }
            value.forEachName(body)
        case .setBlock(let target, let filter, let block):
            for name in target.names { body(.store(name)) }
            filter?.forEachName(body)
            block.body.forEachName(body)
        case .with(let assignments, let block):
            for (target, _) in assignments { for name in target.names { body(.store(name)) } }
            for (_, value) in assignments { value.forEachName(body) }
            block.body.forEachName(body)
        case .filter(let filter, let block):
            block.body.forEachName(body)
            filter.forEachName(body)
        case .macro(let macro): macro.forEachName(body)
        case .call(let call, let macro):
            call.forEachName(body)
            macro.forEachName(body)
        case .generation(let macro): macro.forEachName(body)
        }
    }
}

extension Statement.Macro {
    func forEachName(_ visit: (NameUse) -> Void) {
        for parameter in parameters { visit(.store(parameter)) }
        for value in defaults { value.forEachName(visit) }
        body.forEachName(visit)
    }
}

extension [Statement] {
    func forEachName(_ body: (NameUse) -> Void) {
        for statement in self { statement.forEachName(body) }
    }

    /// Which of the names are spoken of before they are assigned, in the order of the text.
    func undeclared(_ names: Set<String>) -> Set<String> {
        var (open, found) = (names, [] as Set<String>)
        forEachName { use in
            switch use {
            case .load(let name): if open.contains(name) { found.insert(name) }
            case .store(let name): open.remove(name)
            }
        }
        return found
    }
}

extension [Statement] {
    /// Names that are assigned or are targets of loops, but no parameters.
    func forEachAssignedName(_ body: (String) -> Void) {
        for statement in self {
            switch statement.kind {
            case .text, .output, .leave, .proceed: break
            case .condition(let branches, let otherwise):
                for branch in branches { branch.body.forEachAssignedName(body) }
                otherwise.forEachAssignedName(body)
            case .loop(let loop):
                loop.target.names.forEach(body)
                loop.body.forEachAssignedName(body)
                loop.otherwise.forEachAssignedName(body)
            case .set(let target, _): target.names.forEach(body)
            case .setBlock(let target, _, let block):
                target.names.forEach(body)
                block.body.forEachAssignedName(body)
            case .with(_, let block), .filter(_, let block): block.body.forEachAssignedName(body)
            case .macro(let macro), .call(_, let macro), .generation(let macro):
                macro.body.forEachAssignedName(body)
            }
        }
    }
}
