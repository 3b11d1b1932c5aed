import ApusCPU

/// A page of the manual, in the macros of man(7).
struct ManualPage {
    let name: String
    private(set) var text: String

    /// The page of the program.
    init(of program: DescribedCommand, verbs: [DescribedCommand]) {
        self.init(name: program.name, abstract: program.abstract)
        add("SYNOPSIS", ".B \(Self.escaped(program.name))\n\\fIcommand\\fR [\\fIoptions\\fR]")
        add("COMMANDS")
        for verb in verbs { entry(Self.bold(verb.name), verb.abstract) }
        add(program.arguments)
        add("EXIT STATUS")
        for (status, meaning) in Self.exits { entry(Self.bold(status), meaning) }
        add("ENVIRONMENT")
        for (variable, meaning) in Self.variables { entry(Self.bold(variable), meaning) }
        add("SEE ALSO", verbs.map { Self.reference("\(program.name)-\($0.name)") }.joined(separator: ",\n"))
    }

    /// The page of a verb.
    init(of verb: DescribedCommand, in program: DescribedCommand) {
        self.init(name: "\(program.name)-\(verb.name)", abstract: verb.abstract)
        // What every verb has is on the program's page.
        let arguments = verb.arguments.filter { !$0.names.contains("--help") && !$0.names.contains("--version") }
        let words = arguments.filter { !$0.names.isEmpty || $0.value != nil }.compactMap { argument -> String? in
            guard argument.names.isEmpty || !argument.isOptional else { return nil }
            let name = argument.names.last.map { Self.bold($0) + " " } ?? ""
            let word = name + Self.italic(argument.value ?? "") + (argument.isRepeating ? " ..." : "")
            return argument.isOptional ? "[\(word)]" : word
        }
        add(
            "SYNOPSIS",
            ".B \(Self.escaped("\(program.name) \(verb.name)"))\n"
                + (["[\\fIoptions\\fR]"] + words).joined(separator: "\n"))
        let parts = verb.discussion.split(separator: "\n\nEXAMPLES\n", maxSplits: 1)
        if let discussion = parts.first { add("DESCRIPTION", Self.paragraphs(discussion)) }
        add(arguments)
        if parts.count > 1 { add("EXAMPLES", Self.literal(parts[1])) }
        add("SEE ALSO", Self.reference(program.name))
    }

    private init(name: String, abstract: String) {
        self.name = name
        let title = name.uppercased()
        text = #".TH "\#(Self.escaped(title))" 1 "" "apus \#(BuildDescription.version)" "Apus""# + "\n"
        let line = abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
        add("NAME", "\(Self.escaped(name)) \\- \(Self.escaped(line.prefix(1).lowercased() + line.dropFirst()))")
    }

    // MARK: Parts

    private mutating func add(_ section: String, _ content: String? = nil) {
        text += ".SH \(Self.escaped(section))\n" + (content.map { $0 + "\n" } ?? "")
    }

    private mutating func entry(_ head: String, _ meaning: String) {
        text += ".TP\n\(head)\n\(Self.escaped(meaning))\n"
    }

    /// Sections of arguments, in the order in which they first come. A flag and its opposite share an entry.
    private mutating func add(_ arguments: [DescribedArgument]) {
        var sections: [String] = []
        for argument in arguments where !sections.contains(argument.section) { sections.append(argument.section) }
        for section in sections {
            add(section.uppercased())
            var heads: [String] = []
            let members = arguments.filter { $0.section == section }
            for (index, argument) in members.enumerated() {
                let value = argument.value.map { Self.italic($0) }
                let names = argument.names.map(Self.bold).joined(separator: ", ")
                heads.append([names, value ?? ""].filter { !$0.isEmpty }.joined(separator: " "))
                let next = index + 1 < members.count ? members[index + 1] : nil
                if argument.value == nil, next?.value == nil, next?.abstract == argument.abstract { continue }
                entry(heads.joined(separator: ", "), argument.abstract)
                heads = []
            }
        }
    }

    // MARK: Text

    private static func bold(_ text: String) -> String { "\\fB\(escaped(text))\\fR" }
    private static func italic(_ text: String) -> String { "\\fI\(escaped(text))\\fR" }
    private static func reference(_ page: String) -> String { "\\fB\(escaped(page))\\fR(1)" }

    /// Lines that begin with spaces stay as they are; the others are filled.
    private static func paragraphs(_ text: Substring) -> String {
        text.split(separator: "\n\n").map { part in
            part.hasPrefix(" ") ? literal(part) : escaped(part)
        }.joined(separator: "\n.PP\n")
    }

    private static func literal(_ text: Substring) -> String { ".nf\n\(escaped(text))\n.fi" }

    /// Takes from characters the meaning that they have for roff.
    private static func escaped(_ text: some StringProtocol) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let plain = line.map { character in
                switch character {
                case "\\": "\\e"
                case "-": "\\-"
                default: String(character)
                }
            }.joined()
            return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain
        }.joined(separator: "\n")
    }

    // MARK: What no flag says

    private static let exits = [
        ("0", "Everything was done."),
        ("1", "Something failed, a single prompt included; standard error says what."),
        ("64", "The command line is wrong."),
    ]

    private static let variables = [
        (
            InstructionSet.environmentVariable,
            "The instruction set to compute with instead of the best that the processor has: "
                + InstructionSet.allCases.map(\.description).joined(separator: ", ") + "."
        ),
        ("TERM", "Progress is shown on a terminal, unless this is unset or dumb."),
        ("COLUMNS", "The width of help, and of progress where the terminal does not know its own."),
        ("TMPDIR", "Where directories for the time of a run are made."),
    ]
}
