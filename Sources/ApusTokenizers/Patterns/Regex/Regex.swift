/// A regular expression with Oniguruma's meaning, matched by backtracking over UTF-8.
///
/// Our own, because neither engine at hand would do: Swift's `Regex` and ICU's know another Unicode, and both work on
/// strings, not on bytes. What was tried and failed at a place is remembered once an attempt grows long, so that no
/// pattern takes exponential time.
struct Regex: Sendable {
    enum Instruction: Sendable {
        case set(Int)
        /// As many scalars of a set as the repetition allows.
        case run(set: Int, RegexRepetition)
        case jump(Int)
        /// Goes on at `first`; should that fail, at `second`.
        case split(first: Int, second: Int, isLoop: Bool)
        case assertion(RegexAssertion)
        /// The part from the next instruction to a `match`, looked for but not consumed; then at `end`.
        case look(isNegative: Bool, end: Int)
        /// The same, ending where the look-behind stands after one of the lengths.
        case lookBehind(lengths: [Int], isNegative: Bool, end: Int)
        case atomic(end: Int)
        case match
    }

    let instructions: [Instruction]
    let sets: [ScalarSet]

    init(_ pattern: String) throws(RegexError) {
        var compiler = RegexCompiler()
        try compiler.emit(try RegexParser.parse(pattern))
        try compiler.append(.match)
        instructions = compiler.instructions
        sets = compiler.sets
    }
}

struct RegexCompiler {
    static let maximumInstructions = 20_000

    private(set) var instructions: [Regex.Instruction] = []
    private(set) var sets: [ScalarSet] = []

    mutating func append(_ instruction: Regex.Instruction) throws(RegexError) {
        guard instructions.count < Self.maximumInstructions else {
            throw RegexError(reason: "a pattern that is too large once its intervals are written out", offset: 0)
        }
        instructions.append(instruction)
    }

    private mutating func index(of set: ScalarSet) -> Int {
        if let index = sets.firstIndex(of: set) { return index }
        sets.append(set)
        return sets.count - 1
    }

    mutating func emit(_ node: RegexNode) throws(RegexError) {
        switch node {
        case .set(let set): try append(.set(index(of: set)))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternation(let nodes): try emitAlternation(nodes)
        case .repetition(.set(let set), let repetition): try append(.run(set: index(of: set), repetition))
        case .repetition(let node, let repetition): try emitRepetition(node, repetition)
        case .assertion(let assertion): try append(.assertion(assertion))
        case .atomic(let node):
            try emitPart(node) { .atomic(end: $0) }
        case .look(let node, isBehind: false, let isNegative):
            try emitPart(node) { .look(isNegative: isNegative, end: $0) }
        case .look(let node, isBehind: true, let isNegative):
            let lengths = (node.lengths ?? []).sorted()
            try emitPart(node) { .lookBehind(lengths: lengths, isNegative: isNegative, end: $0) }
        }
    }

    private mutating func emitPart(_ node: RegexNode, _ opening: (Int) -> Regex.Instruction) throws(RegexError) {
        let start = instructions.count
        try append(.match)
        try emit(node)
        try append(.match)
        instructions[start] = opening(instructions.count)
    }

    private mutating func emitAlternation(_ nodes: [RegexNode]) throws(RegexError) {
        var jumps: [Int] = []
        for node in nodes.dropLast() {
            let split = instructions.count
            try append(.match)
            try emit(node)
            jumps.append(instructions.count)
            try append(.match)
            instructions[split] = .split(first: split + 1, second: instructions.count, isLoop: false)
        }
        if let last = nodes.last { try emit(last) }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func emitRepetition(_ node: RegexNode, _ repetition: RegexRepetition) throws(RegexError) {
        guard repetition.kind != .possessive else {
            var greedy = repetition
            greedy.kind = .greedy
            return try emit(.atomic(.repetition(node, greedy)))
        }
        for _ in 0..<repetition.minimum { try emit(node) }
        if let maximum = repetition.maximum {
            var splits: [Int] = []
            for _ in repetition.minimum..<maximum {
                splits.append(instructions.count)
                try append(.match)
                try emit(node)
            }
            for split in splits { connect(split, exit: instructions.count, repetition.kind, isLoop: false) }
        } else {
            let split = instructions.count
            try append(.match)
            try emit(node)
            try append(.jump(split))
            connect(split, exit: instructions.count, repetition.kind, isLoop: true)
        }
    }

    private mutating func connect(_ split: Int, exit: Int, _ kind: RegexRepetition.Kind, isLoop: Bool) {
        instructions[split] =
            kind == .lazy
            ? .split(first: exit, second: split + 1, isLoop: isLoop)
            : .split(first: split + 1, second: exit, isLoop: isLoop)
    }
}
