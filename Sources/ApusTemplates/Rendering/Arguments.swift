/// What a call is given.
struct Arguments {
    var positional: [Value] = []
    var keywords: [(name: String, value: Value)] = []

    var isEmpty: Bool { positional.isEmpty && keywords.isEmpty }

    func keyword(_ name: String) -> Value? { keywords.first { $0.name == name }?.value }

    /// The values of named parameters, with the rules of Python: none twice, none that is not there.
    func bind(
        _ function: String, _ names: [String], required: Int = 0, positionalOnly: Bool = false
    ) throws(TemplateError) -> [Value?] {
        guard positional.count <= names.count else {
            throw TemplateError(
                .runtime, "\(function) takes \(names.count) arguments, not \(positional.count)")
        }
        var values: [Value?] = positional.map { $0 } + Array(repeating: nil, count: names.count - positional.count)
        for (name, value) in keywords {
            guard !positionalOnly, let position = names.firstIndex(of: name) else {
                throw TemplateError(.runtime, "\(function) takes no argument named '\(name)'")
            }
            guard values[position] == nil else {
                throw TemplateError(.runtime, "\(function) is given '\(name)' twice")
            }
            values[position] = value
        }
        for position in 0..<required where values[position] == nil {
            throw TemplateError(.runtime, "\(function) needs '\(names[position])'")
        }
        return values
    }
}
