import ApusJSON

/// A command as ArgumentParser describes it to tools, without what is hidden.
struct DescribedCommand {
    let name: String
    let abstract: String
    let discussion: String
    let arguments: [DescribedArgument]
    let subcommands: [DescribedCommand]

    /// `nil` for what is hidden or no command.
    init?(_ value: JSONValue) {
        guard let name = value["commandName"]?.string, value["shouldDisplay"]?.bool != false else { return nil }
        self.name = name
        abstract = value["abstract"]?.string ?? ""
        discussion = value["discussion"]?.string ?? ""
        arguments = (value["arguments"]?.array ?? []).compactMap(DescribedArgument.init)
        subcommands = (value["subcommands"]?.array ?? []).compactMap(DescribedCommand.init)
    }
}
