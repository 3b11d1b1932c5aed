/// Flags may be written with underscores, as people's fingers know them: `--num_processes` is `--num-processes`.
enum FlagSpelling {
    /// The options of `launch` that take a value, so that its program can be told from one.
    private static let optionsOfLaunch: Set<String> = ["-n", "--num-processes", "--grace-period"]

    /// Rewrites the names of long flags up to a bare `--`, or up to the program of `launch`. Values stay as they are.
    static func withDashes(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" { return result + [argument] + rest }
            let rewritten = withDashes(argument)
            result.append(rewritten)
            guard arguments.first == "launch", result.count > 1 else { continue }
            if optionsOfLaunch.contains(rewritten) {
                if let value = rest.popFirst() { result.append(value) }
            } else if !argument.hasPrefix("-") {
                return result + rest
            }
        }
        return result
    }

    private static func withDashes(_ argument: String) -> String {
        guard argument.hasPrefix("--") else { return argument }
        let end = argument.firstIndex(of: "=") ?? argument.endIndex
        return String(argument[..<end].map { $0 == "_" ? "-" : $0 }) + argument[end...]
    }
}
